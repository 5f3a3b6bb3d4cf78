"""Lines of characters with styles: compose them, and find the spans that changed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..terminal.ascii import to_ascii
from ..terminal.glyphs import Glyphs

_GAP = 8
"""Unchanged cells between two stretches from which a move of the cursor is shorter."""


def changed_spans(old: Strip, new: Strip, width: int) -> list[tuple[int, int]]:
    """The stretches of cells `[first, end)` within which two lines differ to the eye.

    Two blanks that differ only in the colour of their ink are the same.
    """
    if old is new or old == new:
        return []
    before, after = cells_of(old), cells_of(new)
    if before is None or after is None:
        return [(0, width)]
    blank = [(" ", None)] * width
    return differing((before + blank)[:width], (after + blank)[:width])


def differing(before: Sequence[object], after: Sequence[object]) -> list[tuple[int, int]]:
    """The stretches `[first, end)` within which two rows of cells differ, near ones joined."""
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


def cells_of(strip: Strip) -> list[Cell] | None:
    """The cells of a line; None where a character is not one cell wide."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        blank = (" ", _ground(style))
        cells.extend(blank if character == " " else (character, style) for character in text)
    return cells if len(cells) == strip.cell_length else None


def _ground(style: Style | None) -> Style | None:
    """What a blank shows of `style`: nothing, unless it has a ground or a line."""
    if style is None or not (
        style.bgcolor or style.reverse or style.underline or style.strike or style.underline2
    ):
        return None
    return style


Characters = NDArray[np.str_]


def place(base: Sequence[Strip], inner: Sequence[Strip], x: int, y: int) -> list[Strip]:
    """`base` with `inner` over it, its upper left corner at the cell `(x, y)`."""
    lines = list(base)
    for row, strip in enumerate(inner, start=y):
        if 0 <= row < len(lines):
            line, end = lines[row], x + strip.cell_length
            room = line.cell_length
            after = line.crop(end, room) if end < room else Strip([])
            lines[row] = Strip.join([line.crop(0, x), strip, after]).crop(0, room)
    return lines


def compose(
    characters: Characters, keys: NDArray[np.int64], styles: Sequence[Style]
) -> list[Strip]:
    """Lines of `characters` `(height, width)` in the styles that `keys` (same shape) number.

    A blank takes the style of what stands before it where that leaves no trace: it does not end
    a run, and every run costs some forty bytes on the wire.
    """
    height, width = characters.shape
    grounded = np.array([style.bgcolor is not None for style in styles], dtype=bool)
    inked = (characters != " ") | grounded[keys]
    places = np.where(inked, np.arange(width), -1)
    source = np.maximum.accumulate(places, axis=1)
    first = np.argmax(inked, axis=1)[:, None] if width else source
    keys = np.take_along_axis(keys, np.where(source < 0, first, source), axis=1)
    # A ground must not spread: a blank after a grounded cell goes back to the plain style.
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


def plain(text: str, glyphs: Glyphs = "braille") -> str:
    """`text` with one cell a character, and ASCII alone where `glyphs` says so."""
    shown = "".join(c if c.isprintable() and Segment(c).cell_length == 1 else "?" for c in text)
    if glyphs != "ascii":
        return shown
    return to_ascii(shown.translate(_ASCII_FOR))
