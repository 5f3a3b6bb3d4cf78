"""Common behaviour of the lab's screens.

They wait for a busy terminal, close once, and ignore events before or after their lifetime.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual._types import CallbackType
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widget import Widget
from textual.widgets import Input, OptionList

from ...interface.keymap import Action
from .differ import TerminalContent
from .mounting import guarded, while_whole
from .pace import FrameLimiter


class PacedScreen(Screen[ScreenResultType]):
    """A screen that defers drawing while the terminal is busy, and then draws the latest state."""

    actions: ClassVar[Sequence[Action]] = ()
    """Actions of this screen that replace the lab's own actions in the palette."""
    _positions: dict[Widget, Any] | None = None
    """Where the last layout has put the widgets."""

    def _on_timer_update(self) -> None:
        pace = getattr(self.app, "pace", None)
        if not isinstance(pace, FrameLimiter) or pace.ready():
            super()._on_timer_update()

    def _screen_resized(self, size: Size) -> None:
        # Drawings for the old size may have overflowed since the terminal changed its size.
        cells = getattr(self.app, "shown", None)
        changed = self.outer_size and self.outer_size != size  # a new window has no size yet
        if isinstance(cells, TerminalContent) and self.is_current and changed:
            cells.forget()
        super()._screen_resized(size)

    async def _dispatch_message(self, message: Message) -> None:
        with while_whole(self):
            await super()._dispatch_message(message)

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        # A widget is told that it is shown, or has another size, if the last map of positions does
        # not say so. A position asked for between two layouts would renew that map, and the widget
        # would never be told: a list would not scroll to its choice, a panel would not be drawn.
        compositor = self._compositor
        if self._positions is not None:
            compositor._full_map = self._positions
        super()._refresh_layout(size, scroll)
        self._positions = compositor._full_map

    def call_after_refresh(self, callback: CallbackType, *args: Any, **kwargs: Any) -> bool:
        # The screen may have closed by then, and the one below it calls back.
        return super().call_after_refresh(guarded(partial(callback, *args, **kwargs), self))

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close once: a repeated key must not close the screen below as well."""
        on_top = self.app.screen_stack[-1:] == [self]
        return super().dismiss(result) if on_top else AwaitComplete()


# Textual inherits styles only from the first base.


class ModalWindow(ModalScreen[ScreenResultType], PacedScreen[ScreenResultType]):
    """A window over the lab; the terminal keeps the cells around it."""

    DEFAULT_CSS = """
    ModalWindow { background: transparent; align: center middle; }
    ModalWindow > * { border-subtitle-color: $text-muted; }
    """


class CommandMenu(CommandPalette, PacedScreen[Any]):
    """Textual's command palette."""

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _once(self, event: Message) -> None:
        """Stop the event after the selected command has run: a second Enter must not repeat it."""
        if self._selected_command is not None:
            event.stop()
            event.prevent_default()

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):  # Textual looks up command lines that it has not laid out yet
            super()._action_command_list(action)


@contextmanager
def lifted(screen: Screen[Any]) -> Iterator[None]:
    """Take a screen off the stack for a moment, to draw the screen below it."""
    stack = screen.app._screen_stack
    stack.remove(screen)
    try:
        yield
    finally:
        stack.append(screen)
