"""The numbers of a comparison that the key ``a`` explains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...screens.numbers import DENOISING, Place, Reading, of_trajectory, read
from ...widgets.canvas import Canvas
from .differences import ComparisonRow
from .losses_panel import LossesPanel
from .subjects import LETTERS, Subject
from .table import ComparisonTable
from .trajectory_pane import TrajectoryPane


def places(
    subjects: Sequence[Subject],
    panes: Iterable[TrajectoryPane],
    losses: LossesPanel,
    table: ComparisonTable,
) -> list[Place]:
    """Return the numbers on the screen: of each trajectory, the losses and the table."""
    trajectories = [
        (f"{LETTERS[pane.index]}  {subjects[pane.index].name}", pane, _of_pane(pane))
        for pane in panes
    ]
    axes = (Reading("loss", ""), Reading("floor", ""))
    rows = tuple(_of_row(row) for row in table.rows if row.values)
    parts = [*trajectories, ("Losses", losses, axes), ("Settings and results", table, rows)]
    return [(name, readings) for name, widget, readings in parts if widget.is_on_screen]


def _of_pane(pane: TrajectoryPane) -> tuple[Reading, ...]:
    titles = read(f"{pane.border_title}  {pane.border_subtitle}", DENOISING)
    here, exact, trajectory = (
        pane.query_one(name, Canvas) for name in (".here", ".exact", ".trajectory")
    )
    return of_trajectory(titles, here, exact, trajectory)


def _of_row(row: ComparisonRow) -> Reading:
    """Return a row's first value as the reading, with the other values below it."""
    first, *rest = (f"{LETTERS[k]} {value}" for k, value in enumerate(row.values))
    return Reading(row.label.strip(), first, "  ".join(rest), row.about)
