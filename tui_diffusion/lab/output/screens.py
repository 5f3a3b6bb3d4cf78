"""What all screens of the lab have in common.

They wait for a busy terminal, close once, and let pass what reaches them too early or too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual._types import CallbackType
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widgets import Input, OptionList

from ..keymap import Action
from .differ import Shown
from .mounting import guarded, while_whole
from .pace import Pace


class Paced(Screen[ScreenResultType]):
    """While the terminal is busy all that has changed waits, to be drawn as it then is."""

    actions: ClassVar[Sequence[Action]] = ()
    """What can be done here in place of the lab's own actions, for the palette."""

    def _on_timer_update(self) -> None:
        pace = getattr(self.app, "pace", None)
        if not isinstance(pace, Pace) or pace.ready():
            super()._on_timer_update()

    def _screen_resized(self, size: Size) -> None:
        # What was drawn for the old size since the terminal has the new one ran over its edge.
        shown = getattr(self.app, "shown", None)
        changed = self.outer_size and self.outer_size != size  # a new window has no size yet
        if isinstance(shown, Shown) and self.is_current and changed:
            shown.forget()
        super()._screen_resized(size)

    async def _dispatch_message(self, message: Message) -> None:
        with while_whole(self):
            await super()._dispatch_message(message)

    def call_after_refresh(self, callback: CallbackType, *args: Any, **kwargs: Any) -> bool:
        # By then this one may have been left, and the one below it calls back.
        return super().call_after_refresh(guarded(partial(callback, *args, **kwargs), self))

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close, and once: a key pressed twice must not close what is below as well."""
        on_top = self.app.screen_stack[-1:] == [self]
        return super().dismiss(result) if on_top else AwaitComplete()


# Textual takes styles from the first base alone.


class Modal(ModalScreen[ScreenResultType], Paced[ScreenResultType]):
    """A window over the lab, which stays as it is around it: nothing there is sent again."""

    DEFAULT_CSS = """
    Modal { background: transparent; align: center middle; }
    Modal > * { border-subtitle-color: $text-muted; }
    """


class Commands(CommandPalette, Paced[Any]):
    """Textual's palette."""

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _once(self, event: Message) -> None:
        """What is selected has been run: another Enter behind it must not do so again."""
        if self._selected_command is not None:
            event.stop()
            event.prevent_default()

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):  # Textual looks for lines of commands that it has not laid out yet
            super()._action_command_list(action)
