"""A Textual app that is fit to its terminal: its colours, its characters, its pace, its faults."""

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

from ..drawing.palette import Palette
from ..terminal.glyphs import Glyphs
from .colour_filters import reducer
from .differ import Shown
from .driver import GuardedApp, LabDriver
from .errors import tell
from .mounting import is_expected, pump_at_work
from .pace import Pace
from .screens import Commands
from .text_filters import AsciiFilter, ConsoleFilter
from .themes import THEMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.filter import LineFilter

    from ..terminal.capabilities import Colours


_PATIENCE = 5.0
"""Seconds that a key waits at most for the screen it is meant for."""


class TerminalApp(GuardedApp):
    """Draws with these glyphs and colours, at most every ``slow`` seconds.

    `palette` holds the colours of the theme, once `take_theme` has been called for it.
    """

    ENABLE_COMMAND_PALETTE = True

    def __init__(self, glyphs: Glyphs, colours: Colours, slow: float) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.colours = colours
        self.pace = Pace(self, slow)
        self.shown = Shown()
        self._by_glyphs = {"ascii": AsciiFilter(), "blocks": ConsoleFilter()}
        for theme in THEMES:
            self.register_theme(theme)
        self.take_theme()

    def get_driver_class(self) -> type[Driver]:
        usual = super().get_driver_class()
        return LabDriver if usual is LinuxDriver else usual

    @property
    def plain(self) -> bool:
        """Whether ASCII is all there is."""
        return self.glyphs == "ascii"

    def take_theme(self) -> None:
        """Make the palette of the theme, for the colours there are."""
        variables = self.get_css_variables()
        self.palette = Palette.from_theme(variables, self.colours)
        self._reducer = reducer(self.colours, variables)
        self.set_class("plot-contrast" in variables, "-stark")

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self.draw_anew())

    def on_resize(self, event: events.Resize) -> None:
        """Take the terminal's own size: of two at once, Textual may tell the older one last."""
        size = Size(*get_terminal_size())
        if not (self.is_headless or self.is_web or event.size == size):
            self.post_message(events.Resize(size, size))

    def on_key(self, event: events.Key) -> None:
        """What was typed before the field that has the focus had it belongs to that field."""
        if isinstance(self.focused, Input) and event.is_printable and event.character:
            event.prevent_default()
            self.focused.insert_text_at_cursor(event.character)

    # --- screens that are being built or left ----------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent) and (self._exit or not self._screen_stack):
            return  # nobody is left to answer it
        await super().on_event(event)

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Wait for the screen on top: its actions count on its widgets."""
        if not (screen := self.screen).is_mounted:
            with suppress(TimeoutError):
                await wait_for(screen._mounted_event.wait(), _PATIENCE)
        return await super()._check_bindings(key, priority)

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
        """Send all that is on the screen, whatever it was that wrote on the terminal."""
        self.shown.forget()
        self.screen.refresh()

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Commands):
            self.push_screen(Commands(id="--command-palette"))

    # --- what it hears and says ---------------------------------------------------------------

    def post_while_running(self, message: Message) -> None:
        """Post a message from any thread; none once the app has ended."""
        if self.is_running:
            self.post_message(message)

    def notify(self, message: str, *, title: str = "", **options: Any) -> None:
        """Say it in the place of what was said under this title, so that notices never pile up."""
        for told in [told for told in self._notifications if told.title == title]:
            self._unnotify(told, refresh=False)
        super().notify(message, title=title, **options)

    def refuse(self, title: str, why: str) -> None:
        """Say what was not done, and why."""
        self.notify(why, title=title, severity="error", markup=False)

    def _print_error_renderables(self) -> None:
        if self._exit_renderables:
            self._return_code = self._return_code or 1
            tell(self._exception, self._exit_renderables)
            self._exit_renderables.clear()
