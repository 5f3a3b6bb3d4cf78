"""The number of trained runs on disk by experiment, counted in a thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from threading import Thread

from ...core.runs.manifest import RunError
from ..messages import RunsCounted


def count_runs() -> Mapping[str, int]:
    """Return the number of runs with a trained network, by experiment.

    Empty if the store cannot be read.
    """
    from ...core.runs.changes import changes_of
    from ...core.runs.naming import all_runs

    try:
        runs = all_runs()
    except RunError:
        return {}  # the runs screen shows the error
    changes_of(runs)  # fills its cache, so that the runs screen opens without delay
    return Counter(
        run.about.experiment
        for run in runs
        if run.about is not None and run.about.step and run.standing != "diverged"
    )


def ask_for_counts(post: Callable[[RunsCounted], None]) -> None:
    """Count the runs in a background thread, and post the result."""
    Thread(target=lambda: post(RunsCounted(count_runs())), daemon=True).start()


def mark_of(count: int) -> str:
    """Return the mark of an experiment with ``count`` runs: ``✓ 3 runs``."""
    return f"✓ {count} run{'s' if count > 1 else ''}"
