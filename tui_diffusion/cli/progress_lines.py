"""Progress as occasional lines, for standard error that is not a terminal."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

from .signals import complain

_FIRST = 10.0
"""Seconds until the first line."""
_LONGEST = 300.0
"""Maximum number of seconds between two lines."""


class ProgressLines:
    """Progress lines after ten seconds, then at growing intervals."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._began = monotonic()
        self._next = self._began + _FIRST

    def update(self, done: int, total: int, note: str = "") -> None:
        """Write a line if one is due."""
        now = monotonic()
        if now < self._next:
            return
        # The elapsed time doubles from line to line, so that a long log stays short.
        self._next = now + min(now - self._began, _LONGEST)
        complain(f"{self._name} {done:,}/{total:,}{note and ', '}{note}")


def progress_text(done: int, total: int, seconds: float) -> str:
    """Format a rate and the remaining time: ``4,300 steps/s, 0:00:20 left``."""
    rate = done / max(seconds, 1e-9)
    left = timedelta(seconds=round((total - done) / rate)) if rate else "–"
    return f"{rate:,.0f} steps/s, {left} left"
