"""The cells of a sweep as a grid: the first axis across, all others up."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from ...core.config.value_types import format_value
from ...core.sweeps.sweep import Cell, Sweep, short_names
from ...core.text import shortened

Place = tuple[int, int]
"""Column and row of a cell; row 0 is the lowest."""

_LONGEST = 16
"""Characters of a value of an axis."""


class Grid:
    """Columns, rows and cells of a sweep; a combination that cannot be is a gap.

    `across` and `up` name the axes, `columns` and `rows` their values.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.axes = len(sweep.axes)
        first, others = sweep.axes[:1], sweep.axes[1:]
        names = short_names([axis.field for axis in sweep.axes])
        self.across = first[0].field if first else ""
        self.up = ", ".join(axis.field for axis in others)
        self.columns = [_text(v) for v in first[0].values] if first else ["all seeds"]
        combinations = list(product(*(axis.values for axis in others)))
        self.rows = [
            " ".join(_text(v) for v in values)
            if len(others) == 1
            else " ".join(
                f"{names[axis.field]}={_text(v)}" for axis, v in zip(others, values, strict=True)
            )
            for values in combinations
        ]
        self.places: list[Place] = [
            (
                first[0].values.index(cell.settings[first[0].field]) if first else 0,
                combinations.index(tuple(cell.settings[axis.field] for axis in others)),
            )
            for cell in sweep.cells()
        ]
        """Column and row of every cell."""
        self._cells: Mapping[Place, int] = {place: i for i, place in enumerate(self.places)}

    def at(self, column: int, row: int) -> int | None:
        """Return the index of the cell at a place; None where there is none."""
        return self._cells.get((column, row))

    def beside(self, cell: int, right: int, up: int) -> int:
        """Return the next cell in a direction, over gaps; the same one at the edge."""
        column, row = self.places[cell]
        while 0 <= column + right < len(self.columns) and 0 <= row + up < len(self.rows):
            column, row = column + right, row + up
            if (found := self.at(column, row)) is not None:
                return found
        return cell


def cell_text(cell: Cell) -> str:
    """Return the settings of a cell with short names, such as ``lr=0.001 width=16``."""
    names = short_names(list(cell.settings))
    return " ".join(f"{names[name]}={_text(value)}" for name, value in cell.settings.items())


def window(count: int, room: int, at: int) -> range:
    """Return the indices of up to ``room`` of ``count`` items that show, ``at`` among them."""
    room = max(min(room, count), 1)
    first = min(max(at - room // 2, 0), count - room)
    return range(first, first + room)


def _text(value: Any) -> str:
    return shortened(format_value(value), _LONGEST)
