"""Comparison of lines of styled characters, without numpy, which would delay the first paint."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual.strip import Strip

_GAP = 8
"""Number of unchanged cells from which a cursor move takes fewer bytes than resending them."""


def changed_spans(old: Strip, new: Strip, width: int) -> list[tuple[int, int]]:
    """Return the cell ranges `[first, end)` within which two lines look different.

    Two blanks that differ only in their ink colour look the same.
    """
    if old is new or old == new:
        return []
    before, after = strip_cells(old), strip_cells(new)
    if before is None or after is None:
        return [(0, width)]
    blank = [(" ", None)] * width
    return differing((before + blank)[:width], (after + blank)[:width])


def differing(before: Sequence[object], after: Sequence[object]) -> list[tuple[int, int]]:
    """Return the ranges `[first, end)` within which two rows differ; near ranges are joined."""
    if before == after:
        return []
    spans: list[tuple[int, int]] = []
    for x, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new:
            continue
        if spans and x - spans[-1][1] < _GAP:
            spans[-1] = (spans[-1][0], x + 1)
        else:
            spans.append((x, x + 1))
    return spans


Cell = tuple[str, Style | None]


def strip_cells(strip: Strip) -> list[Cell] | None:
    """Return the cells of a line, or None if a character is not one cell wide."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        blank = (" ", _ground(style))
        cells.extend(blank if character == " " else (character, style) for character in text)
    return cells if len(cells) == strip.cell_length else None


def _ground(style: Style | None) -> Style | None:
    """Return the visible part of the style of a blank: its background and its lines, if any."""
    if style is None or not (
        style.bgcolor or style.reverse or style.underline or style.strike or style.underline2
    ):
        return None
    return style
