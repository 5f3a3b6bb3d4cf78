"""Lines of styled characters: composition, and comparison."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ...interface.glyphs import Glyphs
from .ascii import to_ascii

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


Characters = NDArray[np.str_]


def place(base: Sequence[Strip], inner: Sequence[Strip], x: int, y: int) -> list[Strip]:
    """Return `base` with `inner` over it, the upper left corner at the cell `(x, y)`."""
    lines = list(base)
    for row, strip in enumerate(inner, start=y):
        if 0 <= row < len(lines):
            line, end = lines[row], x + strip.cell_length
            room = line.cell_length
            after = line.crop(end, room) if end < room else Strip([])
            lines[row] = Strip.join([line.crop(0, x), strip, after]).crop(0, room)
    return lines


def strips_of(
    characters: Characters, keys: NDArray[np.int64], styles: Sequence[Style]
) -> list[Strip]:
    """Return lines of `characters` `(height, width)` in `styles`, indexed by `keys` (same shape).

    A blank takes the style of the preceding cell if that is invisible: it then continues the run,
    and every run takes about forty bytes.
    """
    height, width = characters.shape
    grounded = np.array([style.bgcolor is not None for style in styles], dtype=bool)
    inked = (characters != " ") | grounded[keys]
    indices = np.where(inked, np.arange(width), -1)
    source = np.maximum.accumulate(indices, axis=1)
    first = np.argmax(inked, axis=1)[:, None] if width else source
    keys = np.take_along_axis(keys, np.where(source < 0, first, source), axis=1)
    # A background must not spread: a blank after a cell with a background returns to the plain
    # style.
    keys = np.where(~inked & grounded[keys], 0, keys)
    lines = []
    for y in range(height):
        row, text = keys[y], "".join(characters[y].tolist())
        bounds = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), width]
        lines.append(
            Strip(
                [
                    Segment(text[start:end], styles[row[start]])
                    for start, end in pairwise(bounds)
                    if end > start
                ],
                width,
            )
        )
    return lines


_ASCII_FOR = str.maketrans("─│┼┤├┬┴└┘┌┐█▇•·×✕○●◆", "-|+++++++++##o.xxO@X")


def one_cell_text(text: str, glyphs: Glyphs = "braille") -> str:
    """Return `text` with one cell per character, in ASCII if `glyphs` requires it."""
    printable = "".join(c if c.isprintable() and Segment(c).cell_length == 1 else "?" for c in text)
    if glyphs != "ascii":
        return printable
    return to_ascii(printable.translate(_ASCII_FOR))
