"""Evaluation of the lab's finished trainings, written to their runs as `train` does.

A background thread evaluates, so that the next training need not wait. It holds the run's lock
until the numbers are on disk. Leaving the lab does not wait for it, because the training itself is
already written.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...core.config.errors import ConfigError
from ...core.runs.manifest import RunError

if TYPE_CHECKING:
    from .records import RunKeeper, Training

Measure = Callable[[Any], Mapping[str, Any]]
"""A function that returns the numbers of a finished trainer, such as `report`."""


def report(trainer: Any) -> Mapping[str, Any]:
    """Return the content of ``metrics.json``, as ``train`` writes it."""
    from ...core.analysis.report import training_report
    from ...core.training.devices import use_threads

    use_threads(trainer.experiment)
    return training_report(trainer)


class Evaluator:
    """Evaluates finished trainings, each in a thread."""

    def __init__(self, measure: Measure, notify: Callable[[], None]) -> None:
        self._measure = measure
        self._notify = notify
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def take(self, training: Training, trainer: Any, keeper: RunKeeper) -> None:
        """Evaluate a training, write the numbers, and release its run."""
        thread = threading.Thread(
            target=self._work, args=(training, trainer, keeper), name="measuring", daemon=True
        )
        self._threads = [*(t for t in self._threads if t.is_alive()), thread]
        thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the current evaluation; return whether it ended within ``timeout`` seconds."""
        threads = list(self._threads)
        for thread in threads:
            thread.join(timeout)
        return not any(thread.is_alive() for thread in threads)

    def close(self) -> None:
        """Accept no further trainings; the current evaluation continues."""
        self._closed.set()

    def _work(self, training: Training, trainer: Any, keeper: RunKeeper) -> None:
        try:
            if not self._closed.is_set():
                numbers = {"run": str(keeper.folder), **self._measure(trainer)}
                numbers["status"] = training.state.value
                keeper.finish(training.state.value, numbers)
                training.metrics = numbers
                if training.memorisation is not None:
                    from ...core.memorisation_rows import with_report

                    training.memorisation = with_report(
                        training.memorisation, training.step, numbers.get("memorisation")
                    )
        except (RunError, ConfigError) as error:
            training.unsaved = str(error)
        except Exception as error:  # an evaluation error must not end the lab
            training.unsaved = f"quality: {type(error).__name__}: {error}"
        finally:
            keeper.close()
            self._notify()
            _trim()


def _trim() -> None:
    """Return free heap memory to the system; glibc keeps it for every thread."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # other C libraries have no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)
