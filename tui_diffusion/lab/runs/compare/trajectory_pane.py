"""One trajectory of a comparison at a level, with its measured and exact numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from ....core.numbered_text import NamedNumber, NumberedText, joined, text_of
from ....interface.glyphs import Glyphs
from ....interface.playback import Playback
from ...drawing.palette import Palette
from ...formatting import number, vector
from ...readings import Reading
from ...sampling.measures import Measurement, energy
from ...views.render import ViewState
from ...widgets.canvas import Canvas
from ...widgets.measured_lines import head_of, measured_lines
from ...widgets.panel import Panel
from ...widgets.text_line import TextLine
from ...widgets.trajectory_canvas import TrajectoryCanvas
from .subjects import LETTERS

if TYPE_CHECKING:
    from ...sampling.measured_trajectory import MeasuredTrajectory


_ROOMY = 62
"""Minimum number of columns at which the statistical error fits."""


class TrajectoryPane(Panel, can_focus=False):
    """A letter, a picture and two lines of numbers."""

    DEFAULT_CSS = """
    TrajectoryPane { width: 1fr; height: 1fr; }
    """

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index
        self._canvas = TrajectoryCanvas(classes="trajectory", ahead=False)

    def compose(self) -> ComposeResult:
        yield self._canvas
        yield TextLine(classes="here")
        yield TextLine(classes="exact")

    def forget(self) -> None:
        """Drop the cached pictures, which show another trajectory."""
        self._canvas.forget()

    @property
    def drawing(self) -> bool:
        """Whether the picture is still being drawn."""
        return self._canvas.drawing

    def say(self, text: str) -> None:
        """Show a message in place of the trajectory."""
        self.entitle(f"{LETTERS[self.index]}  {text}")
        for canvas in self.query(Canvas):
            canvas.show([])

    def draw(
        self,
        trajectory: MeasuredTrajectory,
        playback: Playback,
        view_state: ViewState,
        palette: Palette,
        glyphs: Glyphs,
    ) -> None:
        """Show a trajectory at the level of ``playback``."""
        width = self.size.width
        title = joined([f"{LETTERS[self.index]}  ", playback.text])
        ratio = trajectory.sigma(playback.position) / trajectory.alpha(playback.position)
        noisy = "  sigma/alpha ", NamedNumber("sigma/alpha", number(ratio))
        noise: NumberedText = "  clean" if playback.at_end else noisy
        self._canvas.draw(trajectory, view_state, palette, glyphs)
        # A narrow pane drops the view first: the picture shows it, but not the play mode.
        words = [view_state.view, *["drawing …"] * self.drawing, *playback.manner]
        while len(text_of(joined(words, " · "))) + 4 > width and len(words) > 1:
            del words[0]
        whole = joined([title, noise])
        fits = len(text_of(whole)) + 4 <= width
        self.entitle(whole if fits else title, joined(words, " · "))
        self._write_numbers(trajectory, playback, palette)

    def _write_numbers(
        self, trajectory: MeasuredTrajectory, playback: Playback, palette: Palette
    ) -> None:
        mean, std, goal_mean, goal_std = trajectory.moments_at(playback.level)
        digits = 3 if trajectory.dim == 1 else 2  # panes side by side are narrow
        scales = trajectory.scaling.scale.tolist()
        true_mean, true_std = (vector(goal, digits, scales) for goal in (goal_mean, goal_std))
        items = (
            energy(trajectory, playback.level, chance=self.size.width >= _ROOMY),
            Measurement("std", vector(std, digits, scales), "std", true_std),
            Measurement("mean", vector(mean, digits, scales), "mean", true_mean),
        )
        heads, width = (head_of(playback), "exact"), self._canvas.size.width
        here, exact = measured_lines(heads, items, _cells, 2, width, palette)
        self.query_one(".here", TextLine).write(here)
        self.query_one(".exact", TextLine).write(exact)

    def readings(self) -> Iterator[Reading]:
        """Yield the numbers in the titles, on the two lines and in the picture."""
        yield from super().readings()
        here, exact = (self.query_one(name, Canvas) for name in (".here", ".exact"))
        yield from here.readings(exact)
        yield from self._canvas.readings()


def _cells(item: Measurement) -> int:
    return max(len(text_of(item.text)), len(item.value_below), 6)
