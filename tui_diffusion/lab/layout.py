"""Where the panels stand: all in sight, one at a time as tabs, or none where there is no room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.widgets import Input, Static

from .breakpoints import TABS, WIDE, too_small
from .panels.status_bars import tabs
from .widgets.key_bar import ENDS, FIELD_BAR, LEVEL_BAR, NARROW_BARS, WIDE_BARS, WINDOWS, Hint, bar
from .widgets.text_line import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widget import Widget

    from .app import Lab

_BROAD = 140
"""Columns from which the setup is broader."""

STYLES = """
* {
    scrollbar-size-vertical: 1; scrollbar-background: $foreground 6%;
    scrollbar-color: $foreground 35%;
}
MainScreen { layout: vertical; background: $background; }
#status { background: $panel; }
#tabs { display: none; }
#footer { background: $panel; }
#too-small { display: none; width: 1fr; height: 1fr; content-align: center middle; }
#body { layout: horizontal; height: 1fr; }
#left { width: 34; height: 1fr; }
#right { width: 1fr; height: 1fr; }
#experiments { height: auto; max-height: 50%; }
#form { height: 1fr; }
#experiments, #form {
    border: round $foreground 30%; border-title-color: $text;
    border-subtitle-color: $text-muted;
}
#experiments:focus, #form:focus-within { border: round $accent; }
.broad #left { width: 40; }
.narrow #tabs { display: block; }
.narrow #body { layout: vertical; }
.narrow #left, .narrow #right { width: 1fr; height: 1fr; }
.narrow #left { layout: horizontal; }
.narrow #experiments { width: 34; height: 1fr; max-height: 100%; }
.narrow #form { width: 1fr; }
.narrow.setup #right, .narrow.training #left, .narrow.denoising #left { display: none; }
.narrow.training #denoising, .narrow.denoising #training { display: none; }
.narrow.denoising GpuLine { display: none; }
.small #too-small { display: block; }
.small #status, .small #tabs, .small #body, .small #footer { display: none; }
"""


class Layout:
    """Fits the panels of a lab into its size; `tab` is the one to see where only one can be."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.tab = "denoising"
        self._lost_focus: Widget | None = None

    def fit(self, size: Size) -> None:
        """Take another size of the terminal."""
        lab, width = self._lab, size.width
        small = too_small(size)
        screen = lab.default_screen
        focused = screen.focused or self._lost_focus
        screen.set_class(bool(small), "small")
        screen.set_class(width < WIDE, "narrow")
        screen.set_class(width >= _BROAD, "broad")
        screen.query_one("#too-small", Static).update(small)
        lab.call_after_refresh(self.write)  # only then the app has its new size
        lab.call_after_refresh(self._keep_focus, focused)
        lab.call_after_refresh(lab.redraw)

    def _keep_focus(self, focused: Widget | None) -> None:
        """Give the focus back to what had it before another size hid it, once that shows again."""
        if focused is None:
            return  # nothing had it, or what is to have it first is only about to get it
        screen = self._lab.default_screen
        shown = all(node.display for node in focused.ancestors_with_self)
        screen.set_focus(focused if shown else None)
        self._lost_focus = None if shown else focused

    def show(self, tab: str) -> None:
        """Turn to this tab."""
        self.tab = tab
        self.write()

    def write(self) -> None:
        """Show the tab, and write the lines around the panels."""
        lab = self._lab
        screen = lab.default_screen
        for tab in TABS:
            screen.set_class(tab == self.tab, tab)
        names = tabs(self.tab, lab.palette)
        room = lab.size.width - sum(len(text) for text, _ in names)
        windows, _ = bar(WINDOWS, (), room, lab.palette, lab.glyphs)
        screen.query_one("#tabs", Line).write(names, windows)
        self.write_keys()
        lab.following.write_status()
        lab.learning.write()

    def write_keys(self) -> None:
        """Write the bar of keys: those of the panel in focus, or of the field that is open."""
        lab = self._lab
        hints, ends = self._hints()
        for line in lab.default_screen.query("#footer").results(Line):  # none as the lab closes
            line.write(*bar(hints, ends, lab.size.width, lab.palette, lab.glyphs))

    def _hints(self) -> tuple[Sequence[Hint], Sequence[Hint]]:
        lab = self._lab
        focused = lab.default_screen.focused
        if lab.form.editing:
            return FIELD_BAR, ()
        if isinstance(focused, Input):
            return LEVEL_BAR, ()
        in_form = focused is not None and lab.form in focused.ancestors_with_self
        panel = "fields" if in_form else "experiments"
        if lab.size.width < WIDE:
            return NARROW_BARS[panel if self.tab == "setup" else self.tab], ENDS
        panels: dict[Widget | None, str] = {lab.loss: "training", lab.denoising: "denoising"}
        return WIDE_BARS[panels.get(focused, panel)], ENDS
