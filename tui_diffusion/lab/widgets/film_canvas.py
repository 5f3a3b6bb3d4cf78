"""A canvas that draws a film; slow pictures, and those of near levels, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.message import Message

from ..drawing.palette import Palette
from ..sampling.request import Progress
from ..sampling.worker import Worker
from ..terminal.glyphs import Glyphs
from ..views.cache import Gallery
from .canvas import Canvas

if TYPE_CHECKING:
    from ..sampling.measured_trajectory import Film
    from ..views.render import Look

_AHEAD = ("scatter", "density", "histogram", "close-up")
"""Views with something exact behind the points, which takes longer than these."""

_READY = 64
"""Levels that are made ready, the nearest first."""

_NEAR = 5
"""The same of a film whose pictures are slow."""

_MANY = 100_000
"""Points that take longer to draw than what is exact behind them: each film is made ready anew."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """A request for pictures of a film: at this look's level, and at ``levels`` around it.

    ``awaited`` says that the look's own picture is waited for.
    """

    film: Film
    look: Look
    size: Size
    palette: Palette
    glyphs: Glyphs
    gallery: Gallery
    levels: int
    awaited: bool
    drawn: Callable[[Ahead], None]
    """Called from the thread when the awaited picture is in the gallery."""
    outdated: Callable[[Ahead], bool]
    """Tells whether another view, size or experiment has been asked for since."""

    @property
    def seen(self) -> tuple[Film, Look, Size, Palette, Glyphs]:
        """By what a gallery knows the picture at the look's own level."""
        return self.film, self.look, self.size, self.palette, self.glyphs

    def likeness(self) -> tuple[object, ...]:
        """What two pictures at different levels have in common."""
        look = replace(self.look, place=0.0)
        return self.film.wish.experiment, look, self.size, self.palette, self.glyphs


def make_ready(ahead: Ahead, progress: Progress) -> None:
    """Draw the awaited picture, then those of the levels around it, the nearest first.

    A newer request ends the second; the first, only where it asks for more than another level, so
    that something is seen while levels are played.
    """
    from ...core.mixtures import between_parts
    from ..views.render import picture

    film, look, size = ahead.film, ahead.look, ahead.size
    palette, glyphs, room = ahead.palette, ahead.glyphs, ahead.gallery.room(size)
    if ahead.awaited:
        between_parts.set(lambda: progress(0, 1) if ahead.outdated(ahead) else None)
        ahead.gallery.picture(*ahead.seen)
        ahead.drawn(ahead)
    slow = film.is_slow(look.view)
    by_distance = sorted(range(film.levels + 1), key=lambda k: abs(k - look.place))
    nearest = by_distance[: min(ahead.levels, room) if slow else ahead.levels]
    between_parts.set(lambda: progress(0, 1))
    for done, level in enumerate(nearest):
        progress(done, len(nearest))
        at = replace(look, place=float(level))
        if done < room:
            ahead.gallery.picture(film, at, size, palette, glyphs)
        else:  # what is exact is kept elsewhere
            picture(film, at, *size, palette, glyphs)


class FilmCanvas(Canvas):
    """Shows a film at a level; a slow picture replaces the one before it once it is ready.

    ``ahead``: near levels are drawn in advance, so that no key waits for them.
    """

    class Drawn(Message):
        """A slow picture is ready, or cannot be drawn: the owner draws anew."""

        def __init__(self, ahead: Ahead, error: Exception | None = None) -> None:
            super().__init__()
            self.ahead = ahead
            self.error = error

    def __init__(
        self,
        *,
        ahead: bool,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.drawing = False
        """Whether the picture of what was asked for last is still being drawn."""
        self.gallery = Gallery()
        self.scout = Worker(make_ready, lambda _: None, self._failed, patience=0.0)
        self._looks_ahead = ahead
        self._latest: Ahead | None = None
        self._ready: tuple[object, ...] = ()

    def on_mount(self) -> None:
        self.scout.start()

    def on_unmount(self) -> None:
        self.scout.close(0)

    def on_resize(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin a gallery for another film or another size."""
        self.gallery = Gallery()
        self.drawing = False

    def draw(self, film: Film, look: Look, palette: Palette, glyphs: Glyphs) -> None:
        """Show the film, at once or as soon as its picture is ready."""
        seen = (film, look, self.size, palette, glyphs)
        lines, slow = self.gallery.find(*seen), film.is_slow(look.view)
        self.drawing = slow and lines is None
        if not self.drawing:
            self.show(lines or self.gallery.picture(*seen))
        many = film.x.shape[1] >= _MANY
        # What is exact at a level is the same for every film of an experiment, and kept.
        whose = film if many or slow else (film.wish.experiment, film.wish.seed)
        ready = (whose, look if slow else replace(look, place=0.0), self.size)
        wanted = self._looks_ahead and (many or slow or look.view in _AHEAD)
        if self.drawing or (wanted and ready != self._ready):
            self._ready = ready
            levels = (_NEAR if slow else _READY) if self._looks_ahead else 0
            self._latest = Ahead(
                *seen, self.gallery, levels, self.drawing, self._tell_drawn, self._outdated
            )
            self.scout.ask(self._latest)

    def _outdated(self, ahead: Ahead) -> bool:
        return self._latest is not None and self._latest.likeness() != ahead.likeness()

    def _tell_drawn(self, ahead: Ahead) -> None:
        self.post_message(self.Drawn(ahead))

    def _failed(self, ahead: Ahead, error: Exception) -> None:
        if ahead.awaited:
            self.post_message(self.Drawn(ahead, error))

    def on_film_canvas_drawn(self, event: Drawn) -> None:
        """Show a slow picture, which may be late by some levels while more is drawn."""
        ahead = event.ahead
        lines = ahead.gallery.find(*ahead.seen)
        if event.error is not None:
            self.drawing = False
        elif self.drawing and lines is not None and not self._outdated(ahead):
            self.show(lines)
