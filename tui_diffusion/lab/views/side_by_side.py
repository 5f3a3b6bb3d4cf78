"""Pictures put together, and lines of text under them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip

from ..drawing.palette import Palette
from ..drawing.strips import plain
from ..terminal.glyphs import Glyphs


def beside(left: Sequence[Strip], right: Sequence[Strip]) -> list[Strip]:
    """Two pictures of one height next to each other."""
    return [Strip.join([one, other]) for one, other in zip(left, right, strict=True)]


def text_line(text: str, width: int, palette: Palette, role: str, glyphs: Glyphs) -> Strip:
    """One line of text in a role's colour, cut or filled to a width."""
    return Strip([Segment(plain(text, glyphs), palette.style(role))]).adjust_cell_length(width)
