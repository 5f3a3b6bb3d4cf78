"""The pictures of a film that were drawn last: to go back to one of them draws nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .glyphs import Glyphs
from .palette import Palette

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.strip import Strip

    from .film import Film
    from .pictures import Look

_KEPT = 2**18
"""Cells of pictures that are kept, some 100 bytes each; those made first give way."""


class Gallery:
    """Draws pictures, each once."""

    def __init__(self) -> None:
        self._pictures: dict[tuple[object, ...], list[Strip]] = {}

    def __len__(self) -> int:
        return len(self._pictures)

    def clear(self) -> None:
        """Another film is shown, or in another size."""
        self._pictures.clear()

    def picture(
        self, film: Film, look: Look, size: Size, palette: Palette, glyphs: Glyphs
    ) -> list[Strip]:
        """The film in this view, as lines of this size."""
        from .pictures import picture

        key = (film, look, size, palette, glyphs)
        if key not in self._pictures:
            if len(self._pictures) >= max(1, _KEPT // size.area):
                del self._pictures[next(iter(self._pictures))]
            self._pictures[key] = picture(film, look, *size, palette, glyphs)
        return self._pictures[key]
