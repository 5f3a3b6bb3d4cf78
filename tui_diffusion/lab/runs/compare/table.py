"""A table of trainings: where their settings differ, and what they came to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from ...widgets.row_list import Piece, RowList
from .differences import ComparisonRow, outcomes, same_loss, settings_that_differ
from .subjects import LETTERS, Subject

_LEAST = 9
"""Cells of a value's column, at least."""
_LABEL = 21
"""Cells of a label, as far as the values leave them room."""


class ComparisonTable(RowList, can_focus=False):
    """A row a setting or result, a column a training; the better result has a mark.

    It has no cursor: nothing can be done to a row.
    """

    def __init__(self, *, plain: bool) -> None:
        super().__init__(plain=plain, id="rows")
        self.columns: tuple[str, ...] = ()
        self.rows: list[ComparisonRow] = []

    def show(self, subjects: Sequence[Subject]) -> None:
        """Show these."""
        self.columns = tuple(LETTERS[k] for k in range(len(subjects)))
        differ = settings_that_differ(subjects)
        same = [] if differ else [ComparisonRow("the same in all", ())]
        self.rows = [ComparisonRow("Differing settings", ()), *differ, *same, ComparisonRow("", ())]
        self.rows += [ComparisonRow("What they came to", ()), *outcomes(subjects)]
        if not same_loss(subjects):
            # Two rows, because the table may take two fifths of a narrow terminal.
            for text in ("These losses measure different things,", "so no winner is marked."):
                self.rows.append(ComparisonRow(text, ()))
        self.recount()

    @property
    def wanted(self) -> int:
        """Columns that show everything uncut."""
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
        found, columns = self.rows[row], len(self.columns)
        heading = not found.values
        if heading and not found.label.startswith(("Differing", "What")):
            return [(self.fit(f" {found.label}", width), "dim")]
        # Labels are cut before values are: a value cut is another value.
        room = max(width - min(self._value, (width - _LABEL) // max(columns, 1)) * columns, 12)
        label = min(self._label, room)
        each = (width - label) // max(columns, 1)
        pieces = [(self.fit(f" {found.label}", label), "heading" if heading else "dim")]
        if heading:
            return [*pieces, *((self.fit(name, each), "title") for name in self.columns)]
        mark = "*" if self.plain else "✓"
        for k, value in enumerate(found.values):
            best = found.best == k
            text = self.fit(f"{value} {mark}" if best else value, each - 1) + " "
            pieces.append((text, "changed" if best else ""))
        return pieces
