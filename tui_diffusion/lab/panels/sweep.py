"""The panel of a sweep: a measure of all cells, and the trainings of the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from ...core.sweeps.measures import DEFAULT, MEASURES
from ...core.sweeps.results import Ranking, SweepResults
from ...interface.glyphs import Glyphs
from ...interface.keymap import SWEEP_ACTIONS
from ..drawing.palette import Palette
from ..drawing.plot import draw_plot
from ..sweeps.details import CellDetails, CellRequest
from ..sweeps.grid import Grid
from ..sweeps.words import Line, cell_line, hint_text, plan_line, progress_line
from ..views.render import picture
from ..views.sweep_curve import sweep_curve
from ..views.sweep_losses import seed_losses
from ..views.sweep_map import MapLayout, SweepView, sweep_map
from ..views.view_state import ViewState
from ..widgets.canvas import Canvas
from ..widgets.panel import Panel
from ..widgets.text_line import TextLine

if TYPE_CHECKING:
    from textual.strip import Strip

    from ..sweeps.plan import Plan
    from ..sweeps.runner import SweepRunner

MOST_MARKED = 4
"""Maximum number of marked cells; a comparison can show no more."""

_BESIDE = 60
"""Minimum number of columns at which losses and points stand side by side."""


class SweepPanel(Panel):
    """A sweep, or what one would cost; holds cursor, marks, measure and seed.

    `Requested` names what only the lab can do.
    """

    DEFAULT_CSS = """
    SweepPanel { height: 1fr; }
    SweepPanel .hint {
        width: 1fr; height: 1fr; padding: 0 2; content-align: center middle; text-align: center;
        color: $text-muted;
    }
    SweepPanel #results { height: 5fr; }
    SweepPanel #of-cell { height: 4fr; }
    SweepPanel #results, SweepPanel #cell, SweepPanel #of-cell { display: none; }
    SweepPanel.drawn .hint { display: none; }
    SweepPanel.drawn #results, SweepPanel.drawn #cell { display: block; }
    SweepPanel.drawn #of-cell { display: block; }
    """
    BINDINGS = [
        Binding(action.keys, action.name, action.label, show=False) for action in SWEEP_ACTIONS
    ]

    class Requested(Message):
        """The user asked for something that needs more than the panel, by the action's name."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    class Chosen(Message):
        """Another cell, seed, measure or sweep shows."""

    def __init__(self, palette: Palette, glyphs: Glyphs) -> None:
        super().__init__(id="sweep")
        self.palette = palette
        self.glyphs = glyphs
        self.measure = DEFAULT
        self.results: SweepResults | None = None
        self.ranking: Ranking | None = None
        self.grid: Grid | None = None
        self.cursor = 0
        self.seed = 0
        self.marked: list[int] = []
        self.details: CellDetails | None = None
        self.runner: SweepRunner | None = None
        self.plan: Plan | None = None
        self.level: Callable[[], float] = lambda: 1.0
        """Returns the level being looked at, as a share of all levels."""
        self._drawn: dict[str, tuple[object, ...]] = {}

    def compose(self) -> ComposeResult:
        yield TextLine(id="progress")
        yield Static("", classes="hint", markup=False)
        yield Canvas(id="results")
        yield TextLine(id="cell")
        with Horizontal(id="of-cell"):
            yield Canvas(id="seed-losses")
            yield Canvas(id="cell-points")
        yield TextLine(id="plan")

    # --- contents ----------------------------------------------------------------------------

    def show(self, results: SweepResults | None, runner: SweepRunner | None = None) -> None:
        """Show a sweep, new or with newer results; ``runner`` carries it out."""
        before = self.results
        self.runner = runner
        self.results = results
        if results is not None and (before is None or before.sweep is not results.sweep):
            self.grid = Grid(results.sweep)
            self.cursor, self.seed, self.marked = 0, 0, []
            self.ranking = self.details = None
        self.redraw()

    def rank(self, ranking: Ranking | None) -> None:
        """Set which cells are the best by the measure."""
        if ranking is None or ranking.measure == self.measure:
            self.ranking = ranking
            self.redraw()

    def explain(self, details: CellDetails) -> None:
        """Set the trainings of a cell, unless another one shows by now."""
        wanted = self.request
        if wanted is not None and wanted.key == details.request.key:
            self.details = details
            self.redraw()

    def propose(self, plan: Plan | None) -> None:
        """Set the sweep that the form describes."""
        self.plan = plan
        self.redraw()

    @property
    def request(self) -> CellRequest | None:
        """The runs of the cell under the cursor that are done."""
        if self.results is None:
            return None
        result = self.results.cells[self.cursor]
        done = [
            (one, experiment)
            for one, experiment in zip(result.seeds, result.cell.experiments, strict=True)
            if one.report is not None
        ]
        if not done:
            return None
        stored = self.results.stored
        return CellRequest(
            self.cursor,
            tuple(stored.run_folder(one.training) for one, _ in done),
            tuple(experiment for _, experiment in done),
            self.seed % len(done),
        )

    # --- keys --------------------------------------------------------------------------------

    def action_move(self, right: int, up: int) -> None:
        """Move the cursor to the next cell in a direction."""
        if self.grid is not None:
            self.go_to(self.grid.beside(self.cursor, right, up))

    def go_to(self, cell: int) -> None:
        """Move the cursor to a cell."""
        if cell != self.cursor:
            self.cursor = cell
            self._choose()

    def action_mark(self) -> None:
        """Mark the cell under the cursor, or unmark it; the oldest mark gives way."""
        if self.results is None:
            return
        if self.cursor in self.marked:
            self.marked.remove(self.cursor)
        else:
            self.marked = [*self.marked, self.cursor][-MOST_MARKED:]
        self.redraw()

    def action_measure(self, by: int) -> None:
        """Show the next measure that any cell has, or the one before."""
        if self.results is not None:
            known = self.results.measures or tuple(MEASURES)
            at = known.index(self.measure) if self.measure in known else -by
            self.measure = known[(at + by) % len(known)]
            self.ranking = None
            self._choose()

    def action_seed(self) -> None:
        """Show the points of the next seed."""
        self.seed += 1
        self._choose()

    def _choose(self) -> None:
        self.redraw()
        self.post_message(self.Chosen())

    def _request(self, action: str) -> None:
        self.post_message(self.Requested(action))

    def action_sweep(self) -> None:
        self._request("begin")

    def action_halt(self) -> None:
        self._request("halt")

    def action_resume(self) -> None:
        self._request("resume")

    def action_open_cell(self) -> None:
        self._request("open_cell")

    def action_compare_cells(self) -> None:
        self._request("compare")

    def action_sweeps(self) -> None:
        self._request("list")

    def action_export_sweep(self) -> None:
        self._request("export")

    def on_canvas_clicked(self, event: Canvas.Clicked) -> None:
        if event.canvas.id == "results" and self.view is not None and self.view.grid.axes > 1:
            event.stop()
            layout = MapLayout.of(self.view, *event.canvas.size)
            cell = layout.cell(self.view, event.x, event.y)
            if cell is not None:
                self.go_to(cell)

    # --- drawing -----------------------------------------------------------------------------

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        event.stop()
        self.redraw()

    def on_show(self, event: events.Show) -> None:
        self.redraw()

    @property
    def view(self) -> SweepView | None:
        """What is drawn of the sweep."""
        if self.results is None or self.grid is None:
            return None
        return SweepView(
            self.results, self.grid, self.measure, self.ranking, self.cursor, tuple(self.marked)
        )

    def redraw(self) -> None:
        """Redraw what is visible and has changed."""
        if not self.is_mounted:
            return
        view = self.view
        self.set_class(view is not None, "drawn")
        self._write(view)
        if view is None:
            return
        draw = sweep_map if view.grid.axes > 1 else sweep_curve
        self._draw(
            "results",
            (id(view.results), self.measure, id(self.ranking), self.cursor, tuple(self.marked)),
            lambda width, height: draw(view, width, height, self.palette, self.glyphs),
        )
        details, wanted = self.details, self.request
        if details is None or wanted is None or details.request.cell != self.cursor:
            for name in ("seed-losses", "cell-points"):
                self._draw(name, (None,), lambda width, height: [])
            return
        self._draw("seed-losses", (id(details),), lambda *size: self._losses(details, *size))
        trajectory = details.trajectory
        position = 0.0 if trajectory is None else self.level() * trajectory.levels
        self._draw(
            "cell-points", (id(details), position),
            lambda *size: self._points(details, position, *size),
        )  # fmt: skip

    def _draw(
        self, name: str, key: tuple[object, ...], draw: Callable[[int, int], list[Strip]]
    ) -> None:
        """Draw a canvas that is visible, if its content has changed."""
        canvas = self.query_one(f"#{name}", Canvas)
        if not canvas.is_on_screen or canvas.size.width < 2:
            return
        key = (*key, canvas.size, id(self.palette))
        if self._drawn.get(name) != key:
            self._drawn[name] = key
            canvas.show(draw(*canvas.size))

    def _losses(self, details: CellDetails, width: int, height: int) -> list[Strip]:
        if not details.losses:
            return []
        shown = details.request.experiments[details.request.shown].seed
        figure = seed_losses(details.losses, details.seeds, shown, width)
        return draw_plot(figure, width, height, self.palette, self.glyphs)

    def _points(
        self, details: CellDetails, position: float, width: int, height: int
    ) -> list[Strip]:
        trajectory = details.trajectory
        if trajectory is None:
            return []
        view = "histogram" if trajectory.dim == 1 else "scatter"
        return picture(
            trajectory, ViewState(position, view), width, height, self.palette, self.glyphs
        )

    def _write(self, view: SweepView | None) -> None:
        """Write the titles and the lines of text."""
        styles: dict[str, Style] = {
            role: self.palette.style(role) for role in ("text", "axis", "alert", "goal", "mark")
        }

        def write(name: str, line: Sequence[Line]) -> None:
            text = [(text, styles[role]) for text, role in line]
            self.query_one(f"#{name}", TextLine).write(text)

        name = view.results.stored.name if view is not None else ""
        self.entitle(
            f"Sweep  {name}".rstrip(), MEASURES[self.measure].name if view is not None else ""
        )
        write("progress", progress_line(self.results, self.runner))
        write("plan", plan_line(self.plan) if view is not None else [])
        if view is not None:
            write("cell", cell_line(view))
            return
        hint = self.query_one(".hint", Static)
        text = hint_text(self.plan, self.runner)
        if str(hint.content) != text:
            hint.update(text)
