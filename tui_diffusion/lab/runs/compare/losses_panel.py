"""The panel with the losses of all compared trainings."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from ....interface.glyphs import Glyphs
from ...drawing.figure import PlotFigure
from ...drawing.palette import Palette
from ...drawing.plot import draw_plot, legend_of
from ...views.loss_overlay import LossCurve, can_be_relative, overlay_plot
from ...widgets.canvas import Canvas
from ...widgets.panel import Panel
from .subjects import LETTERS, Subject


class LossesPanel(Panel, can_focus=False):
    """Smoothed losses over the same steps, as they are or as multiples of their floor."""

    def __init__(self) -> None:
        super().__init__(id="losses")
        self.logarithmic = self.relative = True
        self._losses: list[LossCurve] = []
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Canvas()

    def show(self, subjects: Sequence[Subject]) -> None:
        """Show these trainings."""
        self._losses = [(subject.losses, subject.floors) for subject in subjects]
        self._drawn = ()

    @property
    def can_be_relative(self) -> bool:
        """Whether every training has a floor."""
        return can_be_relative(self._losses)

    def samples(self, glyphs: Glyphs) -> list[str]:
        """Return the legend sample of each training's curve."""
        entries = legend_of(self._figure(80), glyphs)
        return [sample for sample, _, _ in entries[: len(self._losses)]]

    def redraw(self, palette: Palette, glyphs: Glyphs) -> None:
        """Redraw if the panel is visible and anything has changed."""
        canvas = self.query_one(Canvas)
        view_state = (canvas.size, palette, self.logarithmic, self.relative)
        if not canvas.is_on_screen or view_state == self._drawn:
            return
        self._drawn = view_state
        self.entitle("Losses, smoothed", "log" if self.logarithmic else "linear")
        canvas.show(draw_plot(self._figure(canvas.size.width), *canvas.size, palette, glyphs))

    def _figure(self, width: int) -> PlotFigure:
        return overlay_plot(
            self._losses,
            LETTERS[: len(self._losses)],
            width,
            log=self.logarithmic,
            relative=self.relative and self.can_be_relative,
        )
