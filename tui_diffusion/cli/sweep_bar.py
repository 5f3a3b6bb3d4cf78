"""The progress of a sweep on standard error: a bar on a terminal, otherwise lines."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from .progress_lines import ProgressLines

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from ..core.sweeps.run import SweepProgress


class SweepBar:
    """Trainings and cells done, rate and time left. Use it in a `with` statement."""

    def __init__(self) -> None:
        self._bar: Bar | None = _bar() if sys.stderr.isatty() else None
        self._lines = ProgressLines("sweep: training") if self._bar is None else None
        self._task = self._bar.add_task("", total=None, text="") if self._bar is not None else None

    def __enter__(self) -> SweepBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.hide()

    def show(self, progress: SweepProgress) -> None:
        """Draw the current progress."""
        done = progress.done + progress.failed
        if self._lines is not None:
            self._lines.update(done, progress.trainings, _text(progress))
        if self._bar is None or self._task is None:
            return
        self._bar.update(
            self._task,
            description=f"{done}/{progress.trainings} trainings",
            completed=progress.step,
            total=progress.steps,
            text=_text(progress),
        )
        try:
            self._bar.start()
        except OSError:  # the terminal has gone; the sweep continues
            self._bar = None

    def hide(self) -> None:
        """Clear the line and restore the cursor until the next `show`."""
        if self._bar is not None:
            with suppress(OSError):
                self._bar.stop()


def _text(progress: SweepProgress) -> str:
    """Return ``cells 6/24, 48,000 steps/s, 0:01:20 left, 2 diverged``."""
    parts = [f"cells {progress.cells_done}/{progress.cells}"]
    if progress.rate is None:
        parts.append("workers start")
    else:
        left = timedelta(seconds=round(progress.left or 0))
        parts += [f"{progress.rate:,.0f} steps/s", f"{left} left"]
    for count, what in ((progress.diverged, "diverged"), (progress.failed, "failed")):
        parts += [f"{count} {what}"] if count else []
    return ", ".join(parts)


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[text]}"),
    )
    return Bar(*columns, console=Console(stderr=True), transient=True)
