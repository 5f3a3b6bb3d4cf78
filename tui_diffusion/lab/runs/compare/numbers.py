"""The numbers of a comparison that the key ``a`` explains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...readings import Reading, Section, once
from .differences import ComparisonRow
from .losses_panel import LossesPanel
from .subjects import LETTERS, Subject
from .table import ComparisonTable
from .trajectory_pane import TrajectoryPane


def comparison_sections(
    subjects: Sequence[Subject],
    panes: Iterable[TrajectoryPane],
    losses: LossesPanel,
    table: ComparisonTable,
) -> list[Section]:
    """Return the numbers on the screen: of each trajectory, the losses and the table."""
    trajectories = [
        (f"{LETTERS[pane.index]}  {subjects[pane.index].name}", pane, once(pane.readings()))
        for pane in panes
    ]
    axes = (Reading("loss", ""), Reading("floor", ""))
    rows = tuple(_of_row(row) for row in table.rows if row.values)
    parts = [*trajectories, ("Losses", losses, axes), ("Settings and results", table, rows)]
    return [(name, readings) for name, widget, readings in parts if widget.is_on_screen]


def _of_row(row: ComparisonRow) -> Reading:
    """Return a row's first value as the reading, with the other values below it."""
    first, *rest = (f"{LETTERS[k]} {value}" for k, value in enumerate(row.values))
    return Reading(row.label.strip(), first, "  ".join(rest), row.about)
