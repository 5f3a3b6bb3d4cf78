"""Composition of pictures, and of text lines below them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip

from ...core.numbered_text import NumberedText, text_of
from ...interface.glyphs import Glyphs
from ..drawing.palette import Palette
from ..drawing.strips import one_cell_text
from ..readings import named


def beside(left: Sequence[Strip], right: Sequence[Strip]) -> list[Strip]:
    """Join two pictures of the same height."""
    return [Strip.join([one, other]) for one, other in zip(left, right, strict=True)]


def text_line(text: NumberedText, width: int, palette: Palette, role: str, glyphs: Glyphs) -> Strip:
    """Return one line of text in a role's colour, cut or padded to a width."""
    style = named(palette.style(role), text)
    return Strip([Segment(one_cell_text(text_of(text), glyphs), style)]).adjust_cell_length(width)
