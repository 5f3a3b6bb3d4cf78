"""The lab's main screen and its layout.

A wide terminal shows all panels together, a narrow one shows them as tabs, and a terminal that is
too small shows only the size it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.geometry import Size
from textual.widgets import Input, Static

from ..core.config.presets import Preset
from ..interface.glyphs import Glyphs
from ..interface.keymap import TABS
from .breakpoints import WIDE, too_small
from .drawing.palette import Palette
from .output.borders import forget_borders
from .output.screens import PacedScreen
from .panels.denoising import DenoisingPanel
from .panels.experiments import ExperimentList
from .panels.form.form import Form
from .panels.status_bars import tabs
from .panels.training import LossPanel
from .widgets.gpu_line import GpuLine
from .widgets.hint_bar import HintBar
from .widgets.key_bar import (
    ENDS,
    FIELD_BAR,
    LEVEL_BAR,
    NARROW_BARS,
    SWEEP_BAR,
    WIDE_BARS,
    WINDOWS,
    Hint,
    bar,
)
from .widgets.level_slider import LevelSlider
from .widgets.text_line import TextLine

if TYPE_CHECKING:
    from textual.widget import Widget

    from .panels.sweep import SweepPanel

_BROAD = 140
"""Minimum number of columns at which the setup is broader."""

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
#sweep { display: none; }
.of-sweep #sweep { display: block; }
.of-sweep #denoising, .of-sweep #training, .of-sweep GpuLine { display: none; }
.narrow.sweep #left { display: none; }
.small #too-small { display: block; }
.small #status, .small #tabs, .small #body, .small #footer { display: none; }
"""


class MainScreen(PacedScreen[None]):
    """The main screen, below all others; `tab` names the panel that a narrow terminal shows.

    ``busy`` returns whether a training is active.
    """

    def __init__(
        self,
        palette: Palette,
        glyphs: Glyphs,
        presets: Sequence[Preset],
        busy: Callable[[], bool],
    ) -> None:
        super().__init__()
        plain = glyphs == "ascii"
        self.palette = palette
        self.glyphs = glyphs
        self.tab = "denoising"
        self._lost_focus: Widget | None = None
        self.status = TextLine(id="status")
        self.experiments = ExperimentList(presets, plain=plain, id="experiments")
        self.experiments.border_title = "Experiment"
        self.experiments.border_subtitle = "tab to the fields"
        self.form = Form(plain=plain, id="form")
        self.form.border_title = "Hyperparameters"
        self.denoising = DenoisingPanel(palette, glyphs, id="denoising")
        self.loss = LossPanel(palette, glyphs, id="training")
        self.gpu = GpuLine(busy, lambda: self.palette.style("axis"))
        self.note = HintBar(palette, glyphs, id="note")
        self.sweep: SweepPanel | None = None

    def add_sweep(self, panel: SweepPanel) -> None:
        """Add the panel of the sweep, which is made only when its tab is first opened."""
        self.sweep = panel
        self.query_one("#right").mount(panel)

    def panels(self) -> ComposeResult:
        """Yield the widgets; the app mounts them, so that they exist in its `on_mount`."""
        yield self.status
        yield TextLine(id="tabs")
        with Container(id="body"):
            with Vertical(id="left"):
                yield self.experiments
                yield self.form
            with Vertical(id="right"):
                yield self.denoising
                yield self.loss
                yield self.gpu
        yield Static(id="too-small")
        yield self.note
        yield TextLine(id="footer")

    def on_screen_resume(self) -> None:
        forget_borders()

    # --- colours and sizes -------------------------------------------------------------------

    def recolour(self, palette: Palette) -> None:
        """Set the colours for all later drawings."""
        self.palette = palette
        for panel in (self.denoising, self.loss, *self.query(LevelSlider), self.note):
            panel.palette = palette
        if self.sweep is not None:
            self.sweep.palette = palette

    def redraw(self) -> None:
        """Redraw the visible panels where anything has changed."""
        self.denoising.redraw()
        self.loss.redraw()
        if self.sweep is not None:
            self.sweep.redraw()

    def fit(self, size: Size) -> None:
        """Lay the panels out for a terminal size, in columns and lines."""
        small = too_small(size)
        focused = self.focused or self._lost_focus
        self.set_class(bool(small), "small")
        self.set_class(size.width < WIDE, "narrow")
        self.set_class(size.width >= _BROAD, "broad")
        self.query_one("#too-small", Static).update(small)
        self.app.call_after_refresh(self._keep_focus, focused)
        self.app.call_after_refresh(self.redraw)

    def _keep_focus(self, focused: Widget | None) -> None:
        """Restore the focus to a widget that a resize had hidden, once it is visible again."""
        if focused is None:
            return  # no widget had the focus, or the first one is about to receive it
        visible = all(node.display for node in focused.ancestors_with_self)
        self.set_focus(focused if visible else None)
        self._lost_focus = None if visible else focused

    # --- tabs and keys -----------------------------------------------------------------------

    def focus_tab(self) -> None:
        """Focus the panel of the tab."""
        panels: dict[str, Widget] = {"setup": self.experiments, "training": self.loss}
        if self.sweep is not None:
            panels["sweep"] = self.sweep
        # `Widget.focus` would defer this, and the next key could arrive before it.
        self.set_focus(panels.get(self.tab, self.denoising))
        self.app.call_after_refresh(self.redraw)

    def write_tabs(self) -> None:
        """Show the tab, and write the lines of tabs and keys."""
        for tab in TABS:
            self.set_class(tab == self.tab, tab)
        # In a wide terminal, the sweep stays beside the setup that describes the next one.
        stays = self.tab == "setup" and self.has_class("of-sweep")
        self.set_class(self.tab == "sweep" or stays, "of-sweep")
        names = tabs(self.tab, self.palette)
        room = self.app.size.width - sum(len(text) for text, _ in names)
        windows, _ = bar(WINDOWS, (), room, self.palette, self.glyphs)
        self.query_one("#tabs", TextLine).write(names, windows)
        self.write_keys()

    def write_keys(self) -> None:
        """Write the key bar of the focused panel or of the open field."""
        hints, ends = self._hints()
        for line in self.query("#footer").results(TextLine):  # empty while the lab closes
            line.write(*bar(hints, ends, self.app.size.width, self.palette, self.glyphs))

    def _hints(self) -> tuple[Sequence[Hint], Sequence[Hint]]:
        focused = self.focused
        if self.form.editing:
            return FIELD_BAR, ()
        if isinstance(focused, Input):
            return LEVEL_BAR, ()
        if focused is not None and focused is self.sweep:
            return SWEEP_BAR, ENDS
        in_form = focused is not None and self.form in focused.ancestors_with_self
        panel = "fields" if in_form else "experiments"
        if self.app.size.width < WIDE:
            bars = {**NARROW_BARS, "setup": NARROW_BARS[panel], "sweep": SWEEP_BAR}
            return bars[self.tab], ENDS
        panels: dict[Widget | None, str] = {self.loss: "training", self.denoising: "denoising"}
        return WIDE_BARS[panels.get(focused, panel)], ENDS
