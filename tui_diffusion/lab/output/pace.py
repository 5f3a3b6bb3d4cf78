"""How fast the screen may change: as often as allowed, and as fast as the terminal takes it."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App


class Pace:
    """Says when the screen may be drawn.

    Textual writes from a thread of its own, with a short queue before it. Over a slow line that
    queue fills up, and the one who puts into it, who also answers the keys, stands still. So
    nothing is drawn while anything waits there: what is drawn next is the screen as it then is,
    and at most two drawings are ever under way.
    """

    def __init__(self, app: App[int], least: float = 0.0) -> None:
        """``least``: seconds from one drawing to the next."""
        self.app = app
        self.least = least
        self._drawn = -least

    @property
    def clogged(self) -> bool:
        """Whether the terminal has not yet taken what was drawn before."""
        driver = self.app._driver
        writer = getattr(driver, "_writer_thread", None)
        queue = getattr(writer, "_queue", None)
        return queue is not None and queue.qsize() > 0

    def ready(self) -> bool:
        """Whether to draw now; it is asked right before."""
        now = monotonic()
        if self.clogged or now - self._drawn < self.least:
            return False
        self._drawn = now
        return True
