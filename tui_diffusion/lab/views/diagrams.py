"""The layout of a diagnosis: diagrams over lines of numbers, or a message in their place."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip

from ...core.numbered_text import NumberedText
from ...interface.glyphs import Glyphs
from ..drawing.figure import PlotFigure
from ..drawing.palette import Palette
from ..drawing.plot import draw_plot
from .side_by_side import beside, text_line

PAIR_FROM = 60
"""Number of columns from which two diagrams fit side by side."""


def diagrams(
    figures: Sequence[PlotFigure],
    notes: Sequence[NumberedText],
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw one or two figures, side by side, with lines of text below."""
    rows, left = height - len(notes), width // len(figures)
    picture = draw_plot(figures[0], left, rows, palette, glyphs)
    for figure in figures[1:]:
        picture = beside(picture, draw_plot(figure, width - left, rows, palette, glyphs))
    return [*picture, *(text_line(note, width, palette, "text", glyphs) for note in notes)]


def message(text: str, width: int, height: int, palette: Palette) -> list[Strip]:
    """Return one line of text in the centre."""
    lines = [Strip.blank(width)] * height
    start = max(0, (width - len(text)) // 2)
    line = Strip([Segment(" " * start + text, palette.style("axis"))])
    lines[height // 2] = line.adjust_cell_length(width)
    return lines
