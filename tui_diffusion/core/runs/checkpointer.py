"""Periodic checkpoints of a training, at a bounded cost.

The training thread copies the state; a background thread writes the copy. The next checkpoint is
due after at least a few seconds, and after 50 times the time that the last one cost the training:
so checkpoints take at most 2 % of its time. Between them, `progress_log` records the losses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import monotonic, thread_time
from typing import Any

import torch

from ..files import UNREADABLE, reason_of
from ..short_repr import short_repr
from ..text import shown
from ..training.trainer import Trainer
from .lock import Lock
from .manifest import RunError, RunState, read_about
from .progress_log import ProgressLog
from .writer import Snapshot, check_described, create, extend, temporary_of

SECONDS = 3.0
"""Minimum seconds between two checkpoints."""

SHARE = 0.02
"""Maximum share of the training's time for checkpoints."""


class Checkpointer:
    """The writer of one training to one folder, under an exclusive lock.

    ``folder`` is a run to resume, or the path of a new one, which exists from the first checkpoint
    on. The training thread calls `offer` between two steps; `finish` writes the final state.
    ``fault`` says why the last checkpoint could not be written; the previous one stays, and the
    training continues. Time is measured by a monotonic clock.
    """

    def __init__(
        self,
        trainer: Trainer,
        folder: Path,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        check_described(trainer)
        self.folder = folder
        self.fault = ""
        self.written = 0
        self.cost = 0.0
        self._trainer = trainer
        self._seconds = seconds
        self._clock = clock
        self._due = clock() + min(seconds, 1.0)
        self._thread: Thread | None = None
        self._taken = -1
        self._hurried = False
        self._log = ProgressLog(trainer, folder, clock=clock)
        self._lock = _take(folder, trainer) if os.path.lexists(folder / "run.json") else None
        if self._lock is not None:
            self._log.offer()  # instead of what a killed process left

    def __repr__(self) -> str:
        return short_repr(self, folder=str(self.folder), written=self.written, fault=self.fault)

    def __enter__(self) -> Checkpointer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def offer(self) -> None:
        """Take a checkpoint if one is due, and record the losses for those who watch."""
        if self._lock is not None:
            self._log.offer()
        due = self._hurried or self._clock() >= self._due
        if not due or self._trainer.step == self._taken:
            return
        if self._thread is not None and self._thread.is_alive():
            return
        self._hurried = False
        began = self._clock()
        weights = self._trainer.network.parameters()
        if not all(bool(torch.isfinite(weight).all()) for weight in weights):
            return  # the next loss ends this training and restores the last finite weights
        snapshot = Snapshot.of(self._trainer, "training")
        self._taken = snapshot.step
        self._spent(self._clock() - began)
        self._thread = Thread(target=self._work, args=(snapshot,), name="checkpoint", daemon=True)
        self._thread.start()

    def hurry(self) -> None:
        """Make a checkpoint due at the next offer."""
        self._hurried = True

    def finish(self, state: RunState, metrics: Mapping[str, Any] | None = None) -> Path:
        """Write the training in its current state, and wait for it; raise `RunError`."""
        self._join()
        self._write(Snapshot.of(self._trainer, state, metrics))
        return self.folder

    def close(self) -> None:
        """Release the run."""
        self._join()
        if self._lock is not None:
            self._log.close()
            self._lock.release()
            self._lock = None
        elif not self.written:
            with suppress(OSError):  # the reserved name was not used
                temporary_of(self.folder).rmdir()

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _spent(self, seconds: float, more: float = 0.0) -> None:
        self.cost = seconds + more
        self._due = self._clock() + max(self._seconds, self.cost / SHARE)

    def _work(self, snapshot: Snapshot) -> None:
        began = thread_time()
        try:
            self._write(snapshot)
        except RunError as error:
            self.fault = str(error)
        except Exception as error:  # such as MemoryError: the training must not end because of it
            self.fault = f"checkpoint: {type(error).__name__}: {error}"
        self._spent(self.cost, thread_time() - began)

    def _write(self, snapshot: Snapshot) -> None:
        if self._lock is None:
            self._lock = create(self.folder, snapshot)
        else:
            extend(self.folder, snapshot)
        self.fault = ""
        self.written += 1


def _take(folder: Path, trainer: Trainer) -> Lock:
    """Lock a run to resume; raise `RunError` if it was written since it was read."""
    lock = Lock.take(folder)
    try:
        if read_about(folder).step == trainer.step:
            return lock
        fault = "it was written meanwhile; try again"
    except UNREADABLE as error:
        fault = f"run.json cannot be read ({reason_of(error)})"
    lock.release()
    raise RunError(f"run {shown(str(folder))}: {fault}")
