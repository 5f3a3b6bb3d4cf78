"""A Textual app adapted to its terminal: colours, characters, update rate, errors."""

from __future__ import annotations

from asyncio import wait_for
from contextlib import suppress
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from ...interface.glyphs import Glyphs
from ...interface.themes import THEMES
from ..drawing.palette import Palette
from .colour_filters import reducer
from .differ import TerminalContent
from .driver import GuardedApp, LabDriver
from .errors import print_error
from .mounting import is_closing, is_expected, pump_at_work, while_whole
from .pace import FrameLimiter
from .screens import CommandMenu
from .text_filters import AsciiFilter, ConsoleFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.filter import LineFilter

    from ...interface.capabilities import Colours


_PATIENCE = 5.0
"""Maximum number of seconds that a key waits for its screen."""


class TerminalApp(GuardedApp):
    """An app that draws with these glyphs and colours, at most once every ``slow`` seconds.

    `palette` holds the colours of the theme, once `take_theme` has been called.
    """

    ENABLE_COMMAND_PALETTE = True

    def __init__(self, glyphs: Glyphs, colours: Colours, slow: float) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.colours = colours
        self.pace = FrameLimiter(self, slow)
        self.shown = TerminalContent()
        self._by_glyphs = {"ascii": AsciiFilter(), "blocks": ConsoleFilter()}
        for theme in THEMES:
            self.register_theme(theme)
        self.take_theme()

    def get_driver_class(self) -> type[Driver]:
        usual = super().get_driver_class()
        return LabDriver if usual is LinuxDriver else usual

    @property
    def plain(self) -> bool:
        """Whether the output is limited to ASCII."""
        return self.glyphs == "ascii"

    def take_theme(self) -> None:
        """Create the palette of the theme for the available colours."""
        variables = self.get_css_variables()
        self.palette = Palette.from_theme(variables, self.colours)
        self._reducer = reducer(self.colours, variables)
        self.set_class("plot-contrast" in variables, "-stark")

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self.draw_anew())

    def on_resize(self, event: events.Resize) -> None:
        """Use the terminal's current size: Textual may deliver the older of two resizes last."""
        size = Size(*get_terminal_size())
        if not (self.is_headless or self.is_web or event.size == size):
            self.post_message(events.Resize(size, size))

    def on_key(self, event: events.Key) -> None:
        """Forward keys typed before the focused field received the focus."""
        if isinstance(self.focused, Input) and event.is_printable and event.character:
            event.prevent_default()
            self.focused.insert_text_at_cursor(event.character)

    # --- screens under construction or closing ----------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent) and is_closing(self):
            return  # nothing is left to handle it
        await super().on_event(event)

    async def _dispatch_message(self, message: Message) -> None:
        with while_whole(self):  # an error outside would end the app's message loop
            await super()._dispatch_message(message)

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Wait for the top screen: its actions need its widgets."""
        if not (screen := self.screen).is_mounted:
            with suppress(TimeoutError):
                await wait_for(screen._mounted_event.wait(), _PATIENCE)
        return is_closing(self) or await super()._check_bindings(key, priority)

    def _handle_exception(self, error: Exception) -> None:
        if not is_expected(error, pump_at_work(self)):
            super()._handle_exception(error)

    # --- drawing -----------------------------------------------------------------------------

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = [self._reducer] if self._reducer else list(super().get_line_filters())
        return [*filters, *([self._by_glyphs[g]] if (g := self.glyphs) in self._by_glyphs else [])]

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, self.shown.least(renderable))

    def draw_anew(self) -> None:
        """Send the whole screen, because another program has written to the terminal."""
        self.shown.forget()
        self.screen.refresh()

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandMenu):
            self.push_screen(CommandMenu(id="--command-palette"))

    # --- messages and notices ----------------------------------------------------------------

    def post_while_running(self, message: Message) -> None:
        """Post a message from any thread; drop it once the app has ended."""
        if self.is_running:
            self.post_message(message)

    def notify(self, message: str, *, title: str = "", **options: Any) -> None:
        """Show a notice that replaces the previous one with this title, so that none pile up."""
        for notice in [notice for notice in self._notifications if notice.title == title]:
            self._unnotify(notice, refresh=False)
        super().notify(message, title=title, **options)

    def refuse(self, title: str, why: str) -> None:
        """Show a notice that an action was refused, with the reason."""
        self.notify(why, title=title, severity="error", markup=False)

    def _print_error_renderables(self) -> None:
        if self._exit_renderables:
            self.failure = self._exception
            self._return_code = self._return_code or 1
            print_error(self._exception, self._exit_renderables)
            self._exit_renderables.clear()
