"""A canvas for a trajectory; a background thread draws slow pictures and those of nearby levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.message import Message

from ...core.progress import ProgressCallback
from ...interface.glyphs import Glyphs
from ..drawing.palette import Palette
from ..sampling.worker import Worker
from ..views.cache import PictureCache
from .canvas import Canvas

if TYPE_CHECKING:
    from ..sampling.measured_trajectory import MeasuredTrajectory
    from ..views.render import ViewState

_AHEAD = ("scatter", "density", "histogram", "close-up")
"""Views with an exact background, which takes longer to draw than the points."""

_READY = 64
"""Number of levels that are drawn in advance, nearest first."""

_NEAR = 5
"""The same number for a trajectory with slow pictures."""

_MANY = 100_000
"""Number of points that take longer to draw than the exact background.

Every trajectory with so many points is drawn in advance.
"""


@dataclass(frozen=True, eq=False)
class PrefetchRequest:
    """A request for pictures of a trajectory in a view state, at its level and at other ``levels``.

    ``awaited`` means that the user waits for the picture at the view state's own level.
    """

    trajectory: MeasuredTrajectory
    view_state: ViewState
    size: Size
    palette: Palette
    glyphs: Glyphs
    cache: PictureCache
    levels: int
    awaited: bool
    drawn: Callable[[PrefetchRequest], None]
    """Callback from the thread: the awaited picture is in the cache."""
    outdated: Callable[[PrefetchRequest], bool]
    """Callback that returns whether another view, size or experiment has been requested since."""

    @property
    def seen(self) -> tuple[MeasuredTrajectory, ViewState, Size, Palette, Glyphs]:
        """The cache key of the picture at the view state's own level."""
        return self.trajectory, self.view_state, self.size, self.palette, self.glyphs

    def likeness(self) -> tuple[object, ...]:
        """Return the part of the cache key that pictures at different levels share."""
        view_state = replace(self.view_state, position=0.0)
        return self.trajectory.request.experiment, view_state, self.size, self.palette, self.glyphs


def prefetch(ahead: PrefetchRequest, progress: ProgressCallback) -> None:
    """Draw the awaited picture, then those of the levels around it, nearest first.

    A newer request always cancels the second part. It cancels the first part only if it differs in
    more than the level, so that pictures appear during playback.
    """
    from ...core.mixtures import between_parts
    from ..views.render import picture

    trajectory, view_state, size = ahead.trajectory, ahead.view_state, ahead.size
    palette, glyphs, room = ahead.palette, ahead.glyphs, ahead.cache.room(size)
    if ahead.awaited:
        between_parts.set(lambda: progress(0, 1) if ahead.outdated(ahead) else None)
        ahead.cache.picture(*ahead.seen)
        ahead.drawn(ahead)
    slow = trajectory.is_slow(view_state.view)
    by_distance = sorted(range(trajectory.levels + 1), key=lambda k: abs(k - view_state.position))
    nearest = by_distance[: min(ahead.levels, room) if slow else ahead.levels]
    between_parts.set(lambda: progress(0, 1))
    for done, level in enumerate(nearest):
        progress(done, len(nearest))
        at = replace(view_state, position=float(level))
        if done < room:
            ahead.cache.picture(trajectory, at, size, palette, glyphs)
        else:  # other views have caches of their own for the exact part
            picture(trajectory, at, *size, palette, glyphs)


class TrajectoryCanvas(Canvas):
    """A canvas that shows a trajectory at a level; a slow picture appears once it is ready.

    ``ahead`` enables drawing nearby levels in advance, so that key presses need not wait.
    """

    class Drawn(Message):
        """A slow picture is ready or has failed; the owner must redraw."""

        def __init__(self, ahead: PrefetchRequest, error: Exception | None = None) -> None:
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
        """Whether the picture of the latest request is still being drawn."""
        self.cache = PictureCache()
        self.scout = Worker(prefetch, lambda _: None, self._failed, patience=0.0)
        self._looks_ahead = ahead
        self._latest: PrefetchRequest | None = None
        self._ready: tuple[object, ...] = ()

    def on_mount(self) -> None:
        self.scout.start()

    def on_unmount(self) -> None:
        self.scout.close(0)

    def on_resize(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start a new cache for another trajectory or another size."""
        self.cache = PictureCache()
        self.drawing = False

    def draw(
        self,
        trajectory: MeasuredTrajectory,
        view_state: ViewState,
        palette: Palette,
        glyphs: Glyphs,
    ) -> None:
        """Show the trajectory, at once or as soon as its picture is ready."""
        key = (trajectory, view_state, self.size, palette, glyphs)
        lines, slow = self.cache.find(*key), trajectory.is_slow(view_state.view)
        self.drawing = slow and lines is None
        if not self.drawing:
            self.show(lines or self.cache.picture(*key))
        many = trajectory.x.shape[1] >= _MANY
        # The exact part at a level is the same for all trajectories of an experiment, and cached.
        whose = (
            trajectory if many or slow else (trajectory.request.experiment, trajectory.request.seed)
        )
        ready = (whose, view_state if slow else replace(view_state, position=0.0), self.size)
        wanted = self._looks_ahead and (many or slow or view_state.view in _AHEAD)
        if self.drawing or (wanted and ready != self._ready):
            self._ready = ready
            levels = (_NEAR if slow else _READY) if self._looks_ahead else 0
            if slow and trajectory.request.live:
                levels = 0  # the next network replaces it, and the training needs the time
            self._latest = PrefetchRequest(
                *key, self.cache, levels, self.drawing, self._tell_drawn, self._outdated
            )
            self.scout.ask(self._latest)

    def _outdated(self, ahead: PrefetchRequest) -> bool:
        return self._latest is not None and self._latest.likeness() != ahead.likeness()

    def _tell_drawn(self, ahead: PrefetchRequest) -> None:
        self.post_message(self.Drawn(ahead))

    def _failed(self, ahead: PrefetchRequest, error: Exception) -> None:
        if ahead.awaited:
            self.post_message(self.Drawn(ahead, error))

    def on_trajectory_canvas_drawn(self, event: Drawn) -> None:
        """Show a slow picture, which may lag by some levels while others are drawn."""
        ahead = event.ahead
        lines = ahead.cache.find(*ahead.seen)
        if event.error is not None:
            self.drawing = False
        elif self.drawing and lines is not None and not self._outdated(ahead):
            self.show(lines)
