"""A cache of a trajectory's most recent pictures.

Another trajectory or another size gets a new cache; a thread that still draws for the old one
fills the old one.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from ...interface.glyphs import Glyphs
from ..drawing.palette import Palette

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.strip import Strip

    from ..sampling.measured_trajectory import MeasuredTrajectory
    from .render import ViewState

_KEPT = 2**18
"""Capacity in cells of pictures, about 100 bytes each; the oldest pictures are evicted first."""


class PictureCache:
    """A cache that draws each picture once; safe for use by several threads."""

    def __init__(self) -> None:
        self._pictures: dict[tuple[object, ...], list[Strip]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._pictures)

    def room(self, size: Size) -> int:
        """Return the number of pictures of this size that the cache holds."""
        return max(1, _KEPT // size.area)

    def find(
        self,
        trajectory: MeasuredTrajectory,
        view_state: ViewState,
        size: Size,
        palette: Palette,
        glyphs: Glyphs,
    ) -> list[Strip] | None:
        """Return the cached picture, or None."""
        return self._pictures.get((trajectory, view_state, size, palette, glyphs))

    def picture(
        self,
        trajectory: MeasuredTrajectory,
        view_state: ViewState,
        size: Size,
        palette: Palette,
        glyphs: Glyphs,
    ) -> list[Strip]:
        """Return the trajectory in this view, as lines of this size; draw it unless cached."""
        from .render import picture

        key = (trajectory, view_state, size, palette, glyphs)
        lines = self.find(*key)
        if lines is None:
            lines = picture(trajectory, view_state, *size, palette, glyphs)
            with self._lock:
                if len(self._pictures) >= self.room(size):
                    del self._pictures[next(iter(self._pictures))]
                self._pictures[key] = lines
        return lines
