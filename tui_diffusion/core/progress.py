"""The type of progress callbacks. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[int, int], None]
"""Receives the number of parts done and their total, as ``progress(3, 20)``."""
