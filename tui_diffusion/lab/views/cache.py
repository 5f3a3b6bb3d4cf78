"""The pictures of a film that were drawn last: to go back to one of them draws nothing.

Another film, or another size, gets another gallery: a thread that is still at work for the old one
fills the old one.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from ..drawing.palette import Palette
from ..terminal.glyphs import Glyphs

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.strip import Strip

    from ..sampling.measured_trajectory import Film
    from .render import Look

_KEPT = 2**18
"""Cells of pictures that are kept, some 100 bytes each; those made first give way."""


class Gallery:
    """Draws pictures, each once, for more threads than one."""

    def __init__(self) -> None:
        self._pictures: dict[tuple[object, ...], list[Strip]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._pictures)

    def room(self, size: Size) -> int:
        """How many pictures of this size are kept."""
        return max(1, _KEPT // size.area)

    def find(
        self, film: Film, look: Look, size: Size, palette: Palette, glyphs: Glyphs
    ) -> list[Strip] | None:
        """The same picture if it is kept; None where it would have to be drawn."""
        return self._pictures.get((film, look, size, palette, glyphs))

    def picture(
        self, film: Film, look: Look, size: Size, palette: Palette, glyphs: Glyphs
    ) -> list[Strip]:
        """The film in this view, as lines of this size."""
        from .render import picture

        key = (film, look, size, palette, glyphs)
        lines = self.find(*key)
        if lines is None:
            lines = picture(film, look, *size, palette, glyphs)
            with self._lock:
                if len(self._pictures) >= self.room(size):
                    del self._pictures[next(iter(self._pictures))]
                self._pictures[key] = lines
        return lines
