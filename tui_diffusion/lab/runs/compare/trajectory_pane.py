"""One trajectory of a comparison at a level, with its measured and exact numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from textual.app import ComposeResult

from ....interface.glyphs import Glyphs
from ....interface.playback import Playback
from ...drawing.palette import Palette
from ...formatting import number, vector
from ...sampling.measures import energy
from ...views.render import ViewState
from ...widgets.canvas import Canvas
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
        title = f"{LETTERS[self.index]}  {playback.text}"
        ratio = trajectory.sigma(playback.position) / trajectory.alpha(playback.position)
        noisy = f"sigma/alpha {number(ratio)}"
        noise = "  clean" if playback.at_end else f"  {noisy}"
        self._canvas.draw(trajectory, view_state, palette, glyphs)
        # A narrow pane drops the view first: the picture shows it, but not the play mode.
        words = [
            view_state.view,
            *["drawing …"] * self.drawing,
            *filter(None, playback.manner.split(" · ")),
        ]
        while len(" · ".join(words)) + 4 > width and len(words) > 1:
            del words[0]
        fits = len(title + noise) + 4 <= width
        self.entitle(f"{title}{noise if fits else ''}", " · ".join(words))
        self._write_numbers(trajectory, playback, palette)

    def _write_numbers(
        self, trajectory: MeasuredTrajectory, playback: Playback, palette: Palette
    ) -> None:
        mean, std, goal_mean, goal_std = trajectory.moments_at(playback.level)
        digits = 3 if trajectory.dim == 1 else 2  # panes side by side are narrow
        scales = trajectory.scaling.scale.tolist()
        items = (
            energy(trajectory, playback.level, chance=self.size.width >= _ROOMY),
            ("std", vector(std, digits, scales), "std", vector(goal_std, digits, scales)),
            ("mean", vector(mean, digits, scales), "mean", vector(goal_mean, digits, scales)),
        )
        label, text, goal = (palette.style(role) for role in ("axis", "text", "goal"))
        # Between levels, points are only interpolated; the numbers belong to a level.
        head = " here  " if playback.position == playback.level else f" at {playback.level:<3}"
        here: list[tuple[str, Style]] = [(head, label)]
        exact: list[tuple[str, Style]] = [(" exact ", label)]
        used, room = len(head), self._canvas.size.width
        for name, value, true_name, true in items:
            cells = max(len(value), len(true), 6)
            used += len(name) + cells + 3
            if used - 2 > room:
                break  # a number that is cut reads as another number
            here += [(f"{name} ", label), (f"{value:<{cells}}  ", text)]
            exact += [(f"{true_name} ", label), (f"{true:<{cells}}  ", goal)]
        self.query_one(".here", TextLine).write(here)
        self.query_one(".exact", TextLine).write(exact)
