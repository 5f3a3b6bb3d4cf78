"""A few lines above the footer for passing notes; they take no keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ...interface.glyphs import Glyphs
from ..drawing.palette import Palette
from .canvas import Canvas
from .key_bar import pressing

LEAST_HEIGHT = 22
"""Height of a terminal from which a note fits."""

_NAMES = {"→": "right", "←": "left", "↑ ↓": "down", "?": "question_mark"}
"""Textual's names of keys, where they differ from the printed ones."""

_SPELT = {"↑ ↓": "up down", "→": "right", "←": "left"}
"""ASCII names of keys without an ASCII character."""


class HintBar(Canvas):
    """A headline with a text at its right end, and a body below.

    Backquotes mark keys in the body.
    """

    DEFAULT_CSS = """
    HintBar { height: auto; width: 1fr; background: $panel; display: none; }
    """

    def __init__(self, palette: Palette, glyphs: Glyphs, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.palette = palette
        self.glyphs = glyphs

    def say(self, head: str, text: str, end: str, width: int, rows: int) -> None:
        """Show a note with ``rows`` lines below the headline; with 0 rows, on the headline's
        line.
        """
        strong, dim = self.palette.style("mark") + Style(bold=True), self.palette.style("axis")
        tail = Strip([*self._pieces(end, dim), Segment(" ")])
        first = [Segment(f" {head}", strong)]
        if not rows:
            first += [Segment("  "), *self._pieces(text)]
        room = max(0, width - tail.cell_length)
        lines = [Strip.join([Strip(first).adjust_cell_length(room), tail])]
        wrapped = list(self._wrapped(text, width - 2))
        for row in range(rows):
            pieces = wrapped[row] if row < len(wrapped) else []
            lines.append(Strip([Segment(" "), *pieces]).adjust_cell_length(width))
        self.styles.height = len(lines)
        self.display = True
        self.show(lines)

    def hush(self) -> None:
        """Hide the note and return its space to the panels."""
        self.display = False

    def _pieces(self, text: str, plain: Style | None = None) -> list[Segment]:
        """Return the text with its keys in their own style; a click on a key presses it."""
        key, plain = (
            self.palette.style("truth") + Style(bold=True),
            plain or self.palette.style("text"),
        )
        return [
            Segment(self._spelt(part), key + pressing(_NAMES.get(part, part)))
            if odd
            else Segment(part, plain)
            for index, part in enumerate(text.split("`"))
            if (odd := index % 2) or part
        ]

    def _spelt(self, key: str) -> str:
        return _SPELT.get(key, key) if self.glyphs == "ascii" else key

    def _wrapped(self, text: str, width: int) -> Iterator[list[Segment]]:
        """Yield lines of whole words; a key and adjacent characters form one word."""
        line, used = list[Segment](), 0
        for word in re.findall(r"(?:`[^`]*`|[^\s`])+", text):
            pieces = self._pieces(word)
            size = sum(piece.cell_length for piece in pieces)
            if used and used + 1 + size > width:
                yield line
                line, used = [], 0
            if used:
                line.append(Segment(" "))
                used += 1
            line += pieces
            used += size
        yield line
