"""Any `concurrent.futures.Executor` as an engine: runs travel back as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from pathlib import Path

from ...faults import fault_of
from ...files import reason_of
from ..packing import RunFiles, train_to_files
from ..sweep import Training, part_files_of
from .protocol import TICK, Event, Events


class ExecutorEngine:
    """An engine that submits every training to an executor, which stays open.

    A few trainings more than there are workers wait in the executor, so that closing the engine
    leaves little to be done there. Steps are not reported while a training runs.
    """

    def __init__(self, executor: Executor, workers: int = 0) -> None:
        self._executor = executor
        self._workers = workers or int(getattr(executor, "_max_workers", 0) or 0)

    @property
    def name(self) -> str:
        """The name of the executor's class."""
        return type(self._executor).__name__

    @property
    def workers(self) -> int:
        """Number of workers of the executor, if it says so."""
        return self._workers

    def run(self, trainings: Sequence[Training], folder: Path) -> Events:
        """Carry out trainings; see `Engine`."""
        waiting = list(enumerate(trainings))
        at_once = 2 * self._workers if self._workers else len(waiting)
        futures: dict[Future[RunFiles], int] = {}
        parts = part_files_of(trainings)
        try:
            while waiting or futures:
                while waiting and len(futures) < at_once:
                    index, training = waiting.pop(0)
                    try:
                        future = self._executor.submit(train_to_files, training, parts=parts)
                    except RuntimeError as error:  # it is broken, or was shut down
                        yield Event("failed", index, reason=f"not begun: {reason_of(error)}")
                        continue
                    futures[future] = index
                    yield Event("began", index)
                done, _ = wait(futures, TICK, FIRST_COMPLETED)
                for future in done:
                    yield _event(future, futures.pop(future))
                yield None
        finally:
            for future in futures:
                future.cancel()


def _event(future: Future[RunFiles], index: int) -> Event:
    try:
        return Event("done", index, files=future.result())
    except BrokenExecutor as error:
        return Event("failed", index, reason=f"its worker died ({reason_of(error)})")
    except Exception as error:
        return Event("failed", index, reason=reason_for(error))


def reason_for(error: Exception) -> str:
    """Return one line on an error of a training."""
    return fault_of(error, training=True) or f"{type(error).__name__}: {reason_of(error)}"
