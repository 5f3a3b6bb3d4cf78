"""The denoising panel: the points at a level, the level slider and the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Static

from ...core.numbered_text import NamedNumber, NumberedText, joined, text_of
from ...core.text import shortened
from ...interface.glyphs import Glyphs
from ...interface.playback import Playback
from ..drawing.palette import Palette
from ..formatting import number, vector
from ..output.errors import line
from ..readings import Reading
from ..sampling.measures import Measurement, copied, energy, measure, to_mode
from ..sampling.worker import Worker
from ..views.names import view_after, zoomed
from ..widgets.canvas import Canvas
from ..widgets.level_player import LevelPlayer
from ..widgets.level_prompt import LevelPrompt
from ..widgets.level_slider import LevelSlider
from ..widgets.measured_lines import head_of, measured_lines
from ..widgets.panel import Panel
from ..widgets.text_line import TextLine
from ..widgets.trajectory_canvas import TrajectoryCanvas

if TYPE_CHECKING:
    from ..sampling.measured_trajectory import MeasuredTrajectory

_ROOMY = 88
"""Minimum number of columns at which the numbers stand two cells apart."""

TRACKED = 8
"""Number of points that can be followed, one at a time."""


class DenoisingPanel(Panel, LevelPlayer):
    """A trajectory, viewed level by level; holds the playback position, the view and the zoom."""

    DEFAULT_CSS = """
    DenoisingPanel { height: 2fr; }
    DenoisingPanel .hint {
        width: 1fr; height: 1fr; content-align: center middle; color: $text-muted;
    }
    DenoisingPanel #trajectory { display: none; }
    DenoisingPanel.drawn #trajectory { display: block; }
    DenoisingPanel.drawn .hint { display: none; }
    DenoisingPanel.asking LevelSlider { display: none; }
    """

    class Uncovered(Message):
        """The panel became visible."""

    class Measured(Message):
        """A level of a trajectory has been measured."""

        def __init__(self, trajectory: MeasuredTrajectory) -> None:
            super().__init__()
            self.trajectory = trajectory

    class Moved(Message):
        """The panel shows another level."""

        def __init__(self, level: int) -> None:
            super().__init__()
            self.level = level

    def __init__(self, palette: Palette, glyphs: Glyphs, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.palette = palette
        self.glyphs = glyphs
        self.trajectory: MeasuredTrajectory | None = None
        self.truth = True
        self.zoom = 0
        self.tracked: int | None = None
        self.forward = False
        self._view = {1: "histogram", 2: "scatter"}
        self._meter = Worker(measure, self._post_measured, lambda *_: None)
        self._canvas = TrajectoryCanvas(id="trajectory", ahead=True)

    def compose(self) -> ComposeResult:
        yield Static("", classes="hint", markup=False)
        yield self._canvas
        yield LevelSlider(self.palette, self.glyphs)
        yield LevelPrompt()
        yield TextLine(id="numbers")
        yield TextLine(id="goals")

    def on_mount(self) -> None:
        self._meter.start()
        self.redraw()

    def on_unmount(self) -> None:
        self._meter.close(0)

    # --- contents ----------------------------------------------------------------------------

    def hint(self, text: str) -> None:
        """Set the text that shows while there is no trajectory."""
        self.query_one(".hint", Static).update(text)

    def expect(self, levels: int) -> None:
        """Prepare for another experiment, whose number of levels is known before its trajectory."""
        self.trajectory = None
        self.zoom = 0
        self._canvas.forget()
        self.take(self.playback.hold().of(levels).go_to(levels))

    def show(self, trajectory: MeasuredTrajectory) -> None:
        """Show a trajectory at the current level."""
        self.trajectory = trajectory
        self._canvas.forget()
        self.take(self.playback.of(trajectory.levels))

    @property
    def view(self) -> str:
        """The current view."""
        return self._view[self.trajectory.dim if self.trajectory else 1]

    def restore(self, playback: Playback, views: dict[int, str]) -> None:
        """Restore the playback state and the views by dimension."""
        self._view = views
        self.take(playback)

    @property
    def views(self) -> dict[int, str]:
        """The current view for each dimension."""
        return dict(self._view)

    def action_view(self, by: int = 1) -> None:
        """Show the next view, or the one before."""
        if self.trajectory is not None:
            self.choose(view_after(self.view, self.trajectory.dim, by))

    def choose(self, view: str) -> None:
        """Show a view of the current points by its name."""
        if self.trajectory is not None:
            self._view[self.trajectory.dim] = view
            self.zoom = 0
            self.redraw()

    def action_truth(self) -> None:
        """Show or hide the exact density."""
        self.truth = not self.truth
        self.redraw()

    def action_track(self) -> None:
        """Follow the next of the first points; after the last one, none."""
        index = 0 if self.tracked is None else self.tracked + 1
        count = min(TRACKED, self.trajectory.x.shape[1]) if self.trajectory is not None else 0
        self.tracked = index if index < count else None
        self.redraw()

    def action_forward(self) -> None:
        """Draw the forward process beside the points, or the exact density over them."""
        self.forward = not self.forward
        self.redraw()

    def action_zoom(self, change: int) -> None:
        """Zoom in or out by a factor of √2."""
        self.zoom = zoomed(self.zoom, change)
        self.redraw()

    def moved(self) -> None:
        self.post_message(self.Moved(self.level))

    # --- drawing -----------------------------------------------------------------------------

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        event.stop()
        self.redraw()

    def on_show(self, event: events.Show) -> None:
        self.post_message(self.Uncovered())
        self.redraw()

    def redraw(self) -> None:
        """Redraw if the panel is visible and anything has changed."""
        if not self.is_mounted:
            return
        self._titles()
        self.query_one(LevelSlider).point(self.playback.position, self.levels)
        self.set_class(self.trajectory is not None, "drawn")
        canvas, trajectory = self._canvas, self.trajectory
        if trajectory is None or not canvas.is_on_screen or canvas.size.width < 2:
            return
        from ..views.render import ViewState

        view_state = ViewState(
            self.playback.position,
            self.view,
            self.truth,
            self.zoom,
            self.tracked,
            forward=self.forward,
        )
        drawing_before = canvas.drawing
        canvas.draw(trajectory, view_state, self.palette, self.glyphs)
        self._write_numbers(trajectory)
        self._measure(trajectory)
        if drawing_before != canvas.drawing:
            self._titles()

    def on_trajectory_canvas_drawn(self, event: TrajectoryCanvas.Drawn) -> None:
        """Draw the current picture, or show the error of the last one."""
        event.stop()
        if event.error is None:
            self.redraw()
        else:
            self._titles()
            self.app.notify(line(event.error), title="Not drawn", severity="error", markup=False)

    def _measure(self, trajectory: MeasuredTrajectory) -> None:
        """Measure the levels in a thread, the nearest first, so that keys need not wait."""
        level = trajectory.next_to_measure(self.level)
        if level is not None:
            self._meter.ask((trajectory, level))

    def _post_measured(self, trajectory: MeasuredTrajectory) -> None:
        self.post_message(self.Measured(trajectory))

    def on_denoising_panel_measured(self, message: Measured) -> None:
        message.stop()
        trajectory = self.trajectory
        if trajectory is message.trajectory and self._canvas.is_on_screen:
            self._write_numbers(trajectory)
            self._measure(trajectory)

    def _titles(self) -> None:
        parts = [joined(["Denoising  ", self.playback.text])]
        trajectory, spare = self.trajectory, list[int]()
        if trajectory is not None:
            parts += _noise_of(trajectory, self.playback)
            spare = [len(parts), *range(1, len(parts))]  # drop the data set first, then the noise
            data = trajectory.request.experiment.data
            parts.append(shortened(data.source, 24) or data.name)
            if data.population_unknown:
                parts.append("population unknown")
            if self.level == 0 and trajectory.request.source != "forward":
                parts.append(_start(trajectory))
        title = self.joined(parts, spare=spare)
        parts = [self.view]
        if trajectory is not None:
            parts.insert(0, _source(trajectory))
        if trajectory is not None and self._canvas.drawing:
            parts.append("drawing …")
        if self.playback.manner:
            parts.append(joined(self.playback.manner, " · "))
        # Drop the view first: the picture shows it, but not the play mode.
        self.entitle(title, self.joined(parts, " · ", [parts.index(self.view)]))

    def readings(self) -> Iterator[Reading]:
        """Yield the numbers in the titles, on the two lines and in the picture."""
        yield from super().readings()
        if self.has_class("drawn"):
            numbers, goals = self.query_one("#numbers", Canvas), self.query_one("#goals", Canvas)
            yield from numbers.readings(goals)
            yield from goals.readings()
            yield from self._canvas.readings()

    def _write_numbers(self, trajectory: MeasuredTrajectory) -> None:
        """Write two lines: the numbers of the last whole level, and the exact ones."""
        if self.tracked is not None and self.level < trajectory.levels:
            self._write_point(trajectory, self.tracked)
            return
        mean, std, goal_mean, goal_std = trajectory.moments_at(self.level)
        scales = trajectory.scaling.scale.tolist()
        moments = [
            Measurement("mean", vector(mean, 3, scales), "mean", vector(goal_mean, 3, scales)),
            Measurement("std", vector(std, 3, scales), "std", vector(goal_std, 3, scales)),
            *to_mode(trajectory, self.level, "to mode²" if self.size.width >= _ROOMY else "mode²"),
        ]
        copies, head = copied(trajectory), head_of(self.playback)
        width = self.query_one("#numbers").size.width
        items = [*moments, energy(trajectory, self.level, chance=True), *copies]
        if _cells(head, items, 1) > width:
            items = [*moments, energy(trajectory, self.level, chance=False), *copies]
        if _cells(head, items, 1) > width:
            items[2 : len(moments)] = []  # copies say more than the distance to the modes
        unknown = trajectory.request.experiment.data.population_unknown
        self._write(head, "rows" if unknown else "exact", *items)

    def _write_point(self, trajectory: MeasuredTrajectory, index: int) -> None:
        """Write one point's step, and the ideal denoiser's output for the same x."""
        point, scales = trajectory.point(self.level, index), trajectory.scaling.scale.tolist()
        x0_hat, ideal = vector(point.x0_hat, 3, scales), vector(point.ideal_x0, 3, scales)
        x = vector(point.x, 3, scales)
        moves, noise = vector(point.move, 3, scales), vector(point.noise, 3, scales)
        mark = "*" if self.glyphs == "ascii" else "◆"
        self._write(
            (f" {mark} ", NamedNumber("point", f"{index + 1}"), "   "),
            "ideal",
            Measurement("x0_hat", x0_hat, "x0_hat", ideal),
            Measurement("eps_hat", vector(point.eps_hat), "eps_hat", vector(point.ideal_eps)),
            Measurement("x", x, "x", x),
            Measurement("moves", moves, "noise", noise),
        )

    def _write(self, head: NumberedText, head_below: str, *items: Measurement) -> None:
        """Write names and values of the measured numbers above those of the exact ones."""
        width = self.query_one("#numbers").size.width
        gap = 2 if _cells(head, items, 2) <= width else 1
        here, exact = measured_lines((head, head_below), items, _room, gap, width, self.palette)
        self.query_one("#numbers", TextLine).write(here)
        self.query_one("#goals", TextLine).write(exact)


def _room(item: Measurement) -> int:
    """Return the cells for a value and its goal, at least a usual width, to keep columns still."""
    usual = 16 if item.value.startswith("(") else 15 if item.chance else 7
    return max(item.cells or usual, len(text_of(item.text)), len(item.value_below))


def _cells(head: NumberedText, items: Sequence[Measurement], gap: int) -> int:
    """Return the cells of a line of numbers that stand ``gap`` cells apart."""
    cells = sum(len(item.name) + 1 + _room(item) + gap for item in items)
    return len(text_of(head)) + cells - gap


def _noise_of(trajectory: MeasuredTrajectory, playback: Playback) -> list[NumberedText]:
    """Return the noise at the playback position, in terms of the schedule; beta is the step's."""
    if playback.at_end:
        return ["clean"]
    if float(trajectory.schedule.alphas[0]) == 1:
        return [_named("sigma", number(trajectory.sigma(playback.position)))]
    beta = number(float(trajectory.schedule.betas[playback.level]))
    alpha_bar = number(trajectory.alpha(playback.position) ** 2)
    return [_named("beta", beta), _named("alpha_bar", alpha_bar)]


def _named(name: str, value: str) -> NumberedText:
    return f"{name} ", NamedNumber(name, value)


def _start(trajectory: MeasuredTrajectory) -> NumberedText:
    """Return how far the start of sampling is from the exact one."""
    start = trajectory.start
    if start is None or start.negligible:
        return (
            "start exact"
            if trajectory.request.experiment.sampling.start == "exact"
            else "start good"
        )
    return "start off by ", NamedNumber("start off by", f"{start.share:.2g}"), " std"


def _source(trajectory: MeasuredTrajectory) -> NumberedText:
    """Return the source of the points."""
    request = trajectory.request
    if request.source == "forward":
        return "true data, noised"
    if request.source == "ideal":
        finite = request.experiment.data.finite
        return f"ideal: {request.ideal_of}" if finite else "ideal denoiser"
    return "network, step ", NamedNumber("step", f"{request.step:,}")
