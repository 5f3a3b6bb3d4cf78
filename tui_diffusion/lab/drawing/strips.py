"""Composition of lines of styled characters."""

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
