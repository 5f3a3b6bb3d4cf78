"""The rate of screen updates: limited by the options and by the terminal."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App


class FrameLimiter:
    """A rate limit for drawing the screen.

    Textual writes from a thread with a short queue. On a slow line, the queue fills up and blocks
    the main thread, which also handles the keys. Therefore nothing is drawn while the queue has
    entries: the next drawing shows the latest state, and at most two drawings are in transit.
    """

    def __init__(self, app: App[int], least: float = 0.0) -> None:
        """Create the limit; ``least`` is the minimum number of seconds between two drawings."""
        self.app = app
        self.least = least
        self._drawn = -least

    @property
    def clogged(self) -> bool:
        """Whether the terminal has not accepted the previous drawing yet."""
        driver = self.app._driver
        writer = getattr(driver, "_writer_thread", None)
        queue = getattr(writer, "_queue", None)
        return queue is not None and queue.qsize() > 0

    def ready(self) -> bool:
        """Return whether to draw now; call it immediately before drawing."""
        now = monotonic()
        if self.clogged or now - self._drawn < self.least:
            return False
        self._drawn = now
        return True
