"""The parts of installed packages, loaded in a thread after the first paint."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from ..core.parts.registries import find_more, problems
from .messages import PartsFound


def ask_for_parts(post: Callable[[PartsFound], None]) -> None:
    """Load the parts of installed packages in a background thread, and post what went wrong."""

    def work() -> None:
        find_more()
        post(PartsFound(tuple(problems)))

    Thread(target=work, name="parts", daemon=True).start()
