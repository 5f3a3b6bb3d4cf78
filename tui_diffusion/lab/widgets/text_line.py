"""The status line: the state of the session, on every tab, in one line."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from .canvas import Canvas


def times_text(ratio: float, digits: int = 2) -> str:
    """Format a multiple of the floor: 1.04×, 10.2×, 1,230×."""
    if ratio >= 100:
        return f"{ratio:,.0f}×"
    return f"{ratio:.1f}×" if ratio >= 10 else f"{ratio:.{digits}f}×"


class TextLine(Canvas):
    """A line of text with a left and a right part; the right part keeps its position."""

    DEFAULT_CSS = """
    TextLine { height: 1; width: 1fr; }
    """

    _left: list[tuple[str, Style]] = []
    _right: list[tuple[str, Style]] = []

    def write(
        self, left: list[tuple[str, Style]], right: list[tuple[str, Style]] | None = None
    ) -> None:
        """Show these styled texts.

        The left part is cut at its end, with a blank before the right part.
        """
        self._left, self._right = left, right or []
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.size.width
        right = Strip([Segment(text, style) for text, style in self._right])
        left = Strip([Segment(text, style) for text, style in self._left])
        room = max(0, width - right.cell_length)
        if self._right and left.cell_length > room:
            left = left.crop(0, max(0, room - 1))
        self.show([Strip.join([left.adjust_cell_length(room), right]).crop(0, width)])
