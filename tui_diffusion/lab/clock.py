"""A rate limiter: bounds how often work is done, and the share of time that it takes."""

from __future__ import annotations

from time import monotonic


class Clock:
    """Limits work to ``rate`` times a second and to ``share`` of the time (0 to 1).

    Callers report the cost of each piece of work to `took`. The period never exceeds ``longest``
    seconds.
    """

    def __init__(self, rate: float, share: float, longest: float = 2.0) -> None:
        self._least = 1 / rate
        self._share = share
        self._longest = max(longest, self._least)
        self.period = self._least
        self._last = -self._longest

    def took(self, seconds: float) -> None:
        """Adjust the period to the duration of the last piece of work, in seconds."""
        self.period = max(self._least, min(seconds / self._share, self._longest))

    @property
    def near(self) -> bool:
        """Whether a period has passed. Thread-safe."""
        return monotonic() - self._last >= self.period

    def due(self) -> bool:
        """Return whether a period has passed; if it has, begin the next one."""
        if not self.near:
            return False
        self._last = monotonic()
        return True
