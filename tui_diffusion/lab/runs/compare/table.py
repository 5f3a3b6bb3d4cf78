"""The table of a comparison: differing settings, and results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from ...widgets.row_list import Piece, RowList
from .differences import ComparisonRow, result_rows, same_loss, settings_that_differ
from .subjects import LETTERS, Subject

_LEAST = 9
"""Minimum number of cells of a column of values."""
_LABEL = 21
"""Cells of a label, if the values leave enough room."""


class ComparisonTable(RowList, can_focus=False):
    """A table with one setting or result per row and one training per column.

    A mark shows the best result. There is no cursor, as rows have no actions.
    """

    def __init__(self, *, plain: bool) -> None:
        super().__init__(plain=plain, id="rows")
        self.columns: tuple[str, ...] = ()
        self.rows: list[ComparisonRow] = []

    def show(self, subjects: Sequence[Subject]) -> None:
        """Show these trainings."""
        self.columns = tuple(LETTERS[k] for k in range(len(subjects)))
        differ = settings_that_differ(subjects)
        same = [] if differ else [ComparisonRow("none: all are the same", ())]
        self.rows = [ComparisonRow("Differences", ()), *differ, *same, ComparisonRow("", ())]
        self.rows += [ComparisonRow("Results", ()), *result_rows(subjects)]
        if not same_loss(subjects):
            # Two rows, because the table may take two fifths of a narrow terminal.
            for text in ("These losses measure different things,", "so no winner is marked."):
                self.rows.append(ComparisonRow(text, ()))
        self.recount()

    @property
    def full_width(self) -> int:
        """Number of columns that show everything uncut."""
        return self._label + self._value * len(self.columns) + 1

    @property
    def _label(self) -> int:
        return max((cell_len(r.label) for r in self.rows if r.values), default=0) + 2

    @property
    def _value(self) -> int:
        widest = max((cell_len(v) for r in self.rows for v in r.values), default=0)
        return max(widest + 3, _LEAST)

    def count(self) -> int:
        return len(self.rows)

    def selectable(self, row: int) -> bool:
        return False

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        line, columns = self.rows[row], len(self.columns)
        heading = not line.values
        if heading and not line.label.startswith(("Differing", "Results")):
            return [(self.fit(f" {line.label}", width), "dim")]
        # Labels are cut first, because a value that is cut reads as another value.
        room = max(width - min(self._value, (width - _LABEL) // max(columns, 1)) * columns, 12)
        label = min(self._label, room)
        each = (width - label) // max(columns, 1)
        pieces = [(self.fit(f" {line.label}", label), "heading" if heading else "dim")]
        if heading:
            return [*pieces, *((self.fit(name, each), "title") for name in self.columns)]
        mark = "*" if self.plain else "✓"
        for k, value in enumerate(line.values):
            best = line.best == k
            text = self.fit(f"{value} {mark}" if best else value, each - 1) + " "
            pieces.append((text, "changed" if best else ""))
        return pieces
