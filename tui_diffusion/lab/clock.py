"""A clock that limits how often, and in what share of the time, something is done."""

from __future__ import annotations

from time import monotonic


class Clock:
    """Says when to draw: at most ``rate`` times a second, and taking at most ``share`` of the time.

    ``took`` tells it what the last drawing cost, in seconds; however much that was, it waits no
    longer than ``longest``.
    """

    def __init__(self, rate: float, share: float, longest: float = 2.0) -> None:
        self._least = 1 / rate
        self._share = share
        self._longest = max(longest, self._least)
        self.period = self._least
        self._last = -self._longest

    def took(self, seconds: float) -> None:
        """The last one took this long: the next may come that much later."""
        self.period = max(self._least, min(seconds / self._share, self._longest))

    @property
    def near(self) -> bool:
        """Whether a period has passed; any thread may ask."""
        return monotonic() - self._last >= self.period

    def due(self) -> bool:
        """Whether a period has passed since this last said yes."""
        if not self.near:
            return False
        self._last = monotonic()
        return True
