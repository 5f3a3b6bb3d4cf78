"""Composition of pictures, and of text lines below them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip

from ...interface.glyphs import Glyphs
from ..drawing.palette import Palette
from ..drawing.strips import one_cell_text


def beside(left: Sequence[Strip], right: Sequence[Strip]) -> list[Strip]:
    """Join two pictures of the same height."""
    return [Strip.join([one, other]) for one, other in zip(left, right, strict=True)]


def text_line(text: str, width: int, palette: Palette, role: str, glyphs: Glyphs) -> Strip:
    """Return one line of text in a role's colour, cut or padded to a width."""
    return Strip([Segment(one_cell_text(text, glyphs), palette.style(role))]).adjust_cell_length(
        width
    )
