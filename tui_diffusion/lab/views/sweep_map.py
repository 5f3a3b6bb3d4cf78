"""The heat map of a sweep over two axes: a measure of every cell, as a number on a shade."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from ...core.sweeps.results import CellResult, Ranking, SweepResults
from ...export.pictures.sweeps import SHADES, MeasureScale
from ...interface.glyphs import Glyphs
from ..drawing.palette import Palette
from ..drawing.strips import one_cell_text
from ..sweeps.grid import Grid, window

_WIDEST, _NARROWEST = 14, 5
"""Cells of a column of the map at most, and where there are many, at least."""
_HIGHEST = 3
"""Lines of a row of the map at most."""
_AROUND = 2
"""Lines outside the map: the axis and the legend above, the values below."""

_WEIGHTS = " ░▒▓█"
_ASCII_WEIGHTS = " .:+#"
"""Characters of increasing weight, for terminals without shades."""


@dataclass(frozen=True)
class SweepView:
    """What the panel shows of a sweep.

    ``measure`` is drawn; ``ranking`` says which cells are the best, once it is known. ``cursor`` is
    the index of a cell, and ``marked`` those of the marked ones.
    """

    results: SweepResults
    grid: Grid
    measure: str
    ranking: Ranking | None
    cursor: int
    marked: Collection[int] = ()

    @property
    def best(self) -> tuple[int, ...]:
        """The best cell and those that it does not beat, of those whose trainings are all done."""
        cells = self.ranking.cells if self.ranking is not None else ()
        every = self.results.cells
        return tuple(i for i in cells if every[i].done == len(every[i].seeds))


@dataclass(frozen=True)
class MapLayout:
    """Where the cells of a map stand: visible columns and rows, and the size of a cell."""

    left: int
    width: int
    height: int
    columns: range
    rows: range

    @classmethod
    def of(cls, view: SweepView, width: int, height: int) -> MapLayout:
        """Lay out a map; around the cursor where not all cells fit."""
        grid = view.grid
        left = min(max(map(len, grid.rows)), max(width // 4, 4)) + 1
        column, row = grid.places[view.cursor]
        room, lines = max(width - left, 1), max(height - _AROUND, 1)
        columns = window(len(grid.columns), room // _NARROWEST, column)
        rows = window(len(grid.rows), lines, row)
        return cls(
            left, min(_WIDEST, room // len(columns)), min(_HIGHEST, lines // len(rows)), columns,
            rows,
        )  # fmt: skip

    def cell(self, view: SweepView, x: int, y: int) -> int | None:
        """Return the cell at a position of the picture."""
        column = (x - self.left) // self.width if x >= self.left else -1
        line = (y - 1) // self.height if y >= 1 else -1
        if 0 <= column < len(self.columns) and 0 <= line < len(self.rows):
            return view.grid.at(self.columns[column], self.rows[len(self.rows) - 1 - line])
        return None


def sweep_map(
    view: SweepView, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Draw the medians of all cells as ``height`` lines of ``width`` cells.

    Best cells carry ``*``, trainings that diverged ``×`` and their number, marked cells a dot; the
    cell under the cursor stands in brackets.
    """
    grid, layout = view.grid, MapLayout.of(view, width, height)
    medians = [s.median for r in view.results.cells if (s := r.spread(view.measure))]
    scale = MeasureScale(medians, SHADES)
    dim, text = palette.style("axis"), palette.style("text")
    lines = [_head(view, width, palette, glyphs)]
    for row in reversed(layout.rows):
        cells = [grid.at(column, row) for column in layout.columns]
        for line in range(layout.height):
            middle = line == (layout.height - 1) // 2
            name = _fitted(grid.rows[row], layout.left - 1) if middle else ""
            segments = [Segment(f"{one_cell_text(name, glyphs):>{layout.left - 1}} ", text)]
            for cell in cells:
                segments += _cell(view, cell, scale, layout.width, line, layout, palette, glyphs)
            lines.append(Strip(segments).adjust_cell_length(width))
    values = " " * layout.left + "".join(
        _fitted(grid.columns[column], layout.width - 1).center(layout.width)
        for column in layout.columns
    )
    lines.append(Strip([Segment(one_cell_text(values, glyphs), text)]).adjust_cell_length(width))
    below = _below(view, layout)
    lines.append(Strip([Segment(one_cell_text(below, glyphs), dim)]).adjust_cell_length(width))
    return [*lines[:height], *[Strip.blank(width)] * (height - len(lines))]


def _head(view: SweepView, width: int, palette: Palette, glyphs: Glyphs) -> Strip:
    """Return the name of the vertical axis, and the legend of the marks."""
    entries = []
    if view.ranking is not None:
        entries.append(("* best, and what it does not beat", "goal"))
    if any(result.diverged for result in view.results.cells):
        entries.append(("× diverged", "alert"))
    dim = palette.style("axis")
    name = one_cell_text(_fitted(view.grid.up, width // 2), glyphs)
    legend = [
        Segment(one_cell_text(f"  {text}", glyphs), palette.style(role)) for text, role in entries
    ]
    while legend and len(name) + sum(len(s.text) for s in legend) > width:
        legend.pop()
    gap = max(width - len(name) - sum(len(s.text) for s in legend), 0)
    return Strip([Segment(name, dim), Segment(" " * gap), *legend]).adjust_cell_length(width)


def _below(view: SweepView, layout: MapLayout) -> str:
    """Return the name of the horizontal axis, and how much of the map shows."""
    grid = view.grid
    hidden = len(layout.columns) < len(grid.columns) or len(layout.rows) < len(grid.rows)
    shown = f"{len(layout.columns)} of {len(grid.columns)} columns, {len(layout.rows)} of " \
            f"{len(grid.rows)} rows" if hidden else ""  # fmt: skip
    return " " * layout.left + "  ".join(filter(None, (grid.across, shown)))


def _cell(
    view: SweepView,
    cell: int | None,
    scale: MeasureScale,
    width: int,
    line: int,
    layout: MapLayout,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Segment]:
    """Return one line of a cell, ``width`` cells wide."""
    if cell is None:
        return [Segment(" " * width)]
    result = view.results.cells[cell]
    spread = result.spread(view.measure)
    share = scale.share(spread.median) if spread else None
    room = width - 2
    words = ""
    if line == (layout.height - 1) // 2:
        words = _words(view, result, room)
    elif line == layout.height - 1 and result.done < len(result.seeds):
        words = f"{result.done}/{len(result.seeds)}"[:room]
    ends = "[]" if cell == view.cursor else "  "
    style, filling = _ground(share, palette, glyphs)
    if share is None:
        style = palette.style("alert" if result.diverged else "axis")
    if cell in view.best or cell == view.cursor:
        style += Style(bold=True)
    body = f" {words} " if words and filling != " " else words
    body = body[:room].center(room, filling)
    return [Segment(one_cell_text(ends[0] + body + ends[1], glyphs), style)]


def _words(view: SweepView, result: CellResult, room: int) -> str:
    """Return the number of a cell with its marks, as far as they fit."""
    spread, index = result.spread(view.measure), result.cell.index
    left = "•" if index in view.marked else ""
    best = "*" if index in view.best else ""
    bad = f"×{result.diverged if len(result.seeds) > 1 else ''}" if result.diverged else ""
    value = brief(spread.median) if spread else ("" if bad else "·")
    for words in (f"{left}{value}{best} {bad}".rstrip(), f"{left}{value}{best}{bad}"):
        if len(words) <= room:
            return words.strip()
    return (left + best + bad[:1])[:room]


def brief(value: float) -> str:
    """Format a number with two digits in few characters: 0.17, 85, 1400, 1.4e5, 2.9e-5."""
    if 10 <= abs(value) < 1e4:
        return f"{value:.0f}" if abs(value) < 1000 else f"{float(f'{value:.2g}'):.0f}"
    mantissa, e, exponent = f"{value:.2g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def _ground(share: float | None, palette: Palette, glyphs: Glyphs) -> tuple[Style, str]:
    """Return the style of a cell and what fills it: a shade, or a character of some weight."""
    if share is None:
        return palette.style("axis"), " "
    if palette.ramp:
        shade = palette.ramp[round(share * (len(palette.ramp) - 1))]
        return _on(shade), " "
    weights = _ASCII_WEIGHTS if glyphs == "ascii" else _WEIGHTS
    return palette.style("text"), weights[round(share * (len(weights) - 1))]


@lru_cache(maxsize=64)
def _on(shade: RichColor) -> Style:
    """Return a style that is legible on a shade."""
    ink = Color.from_rich_color(shade).get_contrast_text(1.0)
    return Style(color=ink.rich_color, bgcolor=shade)


def _fitted(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"
