"""A bar on standard error for work that takes a while, where a person watches."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

_LONG = 0.3
"""Seconds from which work is long enough for a bar."""


def with_bar(name: str, work: Callable[[Callable[[int, int], None]], T]) -> T:
    """What ``work`` returns; it is handed what to tell how much is done, and of how much."""
    if not sys.stderr.isatty():
        return work(lambda done, total: None)
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task, began = bar.add_task(name, total=None), monotonic()

    def tell(done: int, total: int) -> None:
        if monotonic() - began > _LONG:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        return work(tell)
    finally:
        bar.stop()
