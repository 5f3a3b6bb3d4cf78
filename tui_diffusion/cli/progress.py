"""Progress of long work on standard error: a bar on a terminal, otherwise lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from ..core.progress import ProgressCallback
from .progress_lines import ProgressLines, progress_text

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from ..core.training.trainer import Progress, Trainer

T = TypeVar("T")

_LONG = 0.3
"""Seconds from which work is long enough for a bar."""


def with_bar(name: str, work: Callable[[ProgressCallback], T]) -> T:
    """Return the result of ``work``, which receives a callback for the work done and the total.

    The work continues if the terminal disappears.
    """
    if not sys.stderr.isatty():
        return work(ProgressLines(name).update)
    bar = _bar()
    task, began = bar.add_task(name, total=None, rate="", loss=""), monotonic()

    def update(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if monotonic() - began > _LONG:
            with suppress(OSError):
                bar.start()

    try:
        return work(update)
    finally:
        with suppress(OSError):
            bar.stop()


class TrainingBar:
    """The progress of a training: rate, time left and loss. Use it in a `with` statement."""

    def __init__(self, trainer: Trainer) -> None:
        self._bar: Bar | None = None
        self._lines: ProgressLines | None = None
        self._total = trainer.steps
        if sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task(
                trainer.experiment.name, total=trainer.steps, rate="", loss=""
            )
        else:
            self._lines = ProgressLines(f"{trainer.experiment.name}: step")

    def __enter__(self) -> TrainingBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.hide()

    def show(self, progress: Progress) -> None:
        """Draw the current progress."""
        loss = f"loss {float(progress.losses.mean()):.3g}"
        if self._lines is not None:
            rate = progress_text(progress.step, self._total, progress.seconds)
            self._lines.update(progress.step, self._total, f"{rate}, {loss}")
        if self._bar is None:
            return
        self._bar.update(
            self._task,
            completed=progress.step,
            rate=f"{progress.step / max(progress.seconds, 1e-9):,.0f} steps/s",
            loss=loss,
        )
        try:
            self._bar.start()
        except OSError:  # the terminal has gone; the training continues
            self._bar = None

    def hide(self) -> None:
        """Clear the line and restore the cursor until the next `show`."""
        if self._bar is not None:
            with suppress(OSError):
                self._bar.stop()


def _bar() -> Bar:
    """Return a bar whose tasks may have a rate and a loss."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
    )
    return Bar(*columns, console=Console(stderr=True), transient=True)
