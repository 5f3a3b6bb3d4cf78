"""What a training of the lab came to, measured beside it and written to its run as `train` does.

A thread of its own measures, so that the next training need not wait; it holds the run until the
numbers are on disk. Leaving the lab does not wait for it: the training itself is written by then.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...core.runs.manifest import RunError

if TYPE_CHECKING:
    from .records import Keeper, Training

Measure = Callable[[Any], Mapping[str, Any]]
"""The numbers of a trainer that has ended, such as `report`."""


def report(trainer: Any) -> Mapping[str, Any]:
    """What ``train`` writes to ``metrics.json``."""
    from ...core.analysis.report import training_report
    from ...core.training.devices import use_threads

    use_threads(trainer.experiment)
    return training_report(trainer)


class Measurer:
    """Measures trainings that have ended, each in a thread."""

    def __init__(self, measure: Measure, notify: Callable[[], None]) -> None:
        self._measure = measure
        self._notify = notify
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def take(self, training: Training, trainer: Any, keeper: Keeper) -> None:
        """Measure this training, write the numbers, and leave its run to others."""
        thread = threading.Thread(
            target=self._work, args=(training, trainer, keeper), name="measuring", daemon=True
        )
        self._threads = [*(t for t in self._threads if t.is_alive()), thread]
        thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for what is being measured; whether that has ended."""
        threads = list(self._threads)
        for thread in threads:
            thread.join(timeout)
        return not any(thread.is_alive() for thread in threads)

    def close(self) -> None:
        """Measure nothing more than what is being measured already."""
        self._closed.set()

    def _work(self, training: Training, trainer: Any, keeper: Keeper) -> None:
        try:
            if not self._closed.is_set():
                found = {"run": str(keeper.folder), **self._measure(trainer)}
                found["status"] = training.state.value
                keeper.finish(training.state.value, found)
                training.metrics = found
        except RunError as error:
            training.unsaved = str(error)
        except Exception as error:  # a fault of the measuring must not take the lab with it
            training.unsaved = f"quality: {type(error).__name__}: {error}"
        finally:
            keeper.close()
            self._notify()
            _trim()


def _trim() -> None:
    """Hand back what the heap holds free: glibc keeps what every thread once had need of."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # another libc has nothing to trim
            ctypes.CDLL(None).malloc_trim(0)
