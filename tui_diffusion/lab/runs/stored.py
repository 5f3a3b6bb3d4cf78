"""Which experiments have trained runs on disk, read in a thread for the list of experiments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from threading import Thread

from ...core.runs.manifest import RunError
from ..messages import RunsCounted


def count_runs() -> Mapping[str, int]:
    """How many runs with a trained network each experiment has; none where they are not read."""
    from ...core.runs.changes import changes_of
    from ...core.runs.naming import all_runs

    try:
        runs = all_runs()
    except RunError:
        return {}  # the runs screen says what is wrong with the store
    changes_of(runs)  # it keeps what it reads, and the runs screen need not wait for it
    return Counter(
        run.about.experiment
        for run in runs
        if run.about is not None and run.about.step and run.standing != "diverged"
    )


def ask_for_counts(post: Callable[[RunsCounted], None]) -> None:
    """Read the store in a thread of its own, and post what is there."""
    Thread(target=lambda: post(RunsCounted(count_runs())), daemon=True).start()


def mark_of(count: int) -> str:
    """A mark for the list of experiments: ``✓ 3 runs``."""
    return f"✓ {count} run{'s' if count > 1 else ''}"
