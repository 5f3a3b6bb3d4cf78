"""Checkpoints of a training as it goes, at next to no cost to it.

The training thread copies the state; a thread of its own writes the copy. The next one comes no
earlier than a few seconds later, nor before the training has run 50 times as long as the last one
took from it: so checkpoints take at most 2 % of its time.
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
from ..text import shown
from ..training.trainer import Trainer
from .lock import Lock
from .manifest import RunError, State, read_about
from .writer import Snapshot, create, extend, temporary_of

SECONDS = 3.0
"""From one checkpoint to the next, at least."""

SHARE = 0.02
"""Most of the training's time that checkpoints may take."""


class Checkpointer:
    """Writes one training to one folder, which nobody else writes meanwhile.

    ``folder`` is a run that goes on, or the place of one that begins: it is there from the first
    checkpoint on. `offer` is for the training's own thread, between two of its steps; `finish`
    writes what is there to stay. ``fault`` says why the last checkpoint could not be written; the
    one before stays, and the training goes on. Time is measured by a clock that is never set back.
    """

    def __init__(
        self,
        trainer: Trainer,
        folder: Path,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
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
        self._lock = _take(folder, trainer) if os.path.lexists(folder / "run.json") else None

    def __enter__(self) -> Checkpointer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def offer(self) -> None:
        """Take a checkpoint if one is due."""
        due = self._hurried or self._clock() >= self._due
        if not due or self._trainer.step == self._taken:
            return
        if self._thread is not None and self._thread.is_alive():
            return
        self._hurried = False
        began = self._clock()
        weights = self._trainer.network.parameters()
        if not all(bool(torch.isfinite(weight).all()) for weight in weights):
            return  # the next loss ends this training, and the last finite weights come back
        snapshot = Snapshot.of(self._trainer, "training")
        self._taken = snapshot.step
        self._spent(self._clock() - began)
        self._thread = Thread(target=self._work, args=(snapshot,), name="checkpoint", daemon=True)
        self._thread.start()

    def hurry(self) -> None:
        """Have the next offer taken, however soon it comes."""
        self._hurried = True

    def finish(self, state: State, metrics: Mapping[str, Any] | None = None) -> Path:
        """Write the training as it is now, and wait for it; raises `RunError`."""
        self._join()
        self._write(Snapshot.of(self._trainer, state, metrics))
        return self.folder

    def close(self) -> None:
        """Leave the run to others."""
        self._join()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        elif not self.written:
            with suppress(OSError):  # the name that was taken for nothing
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
        except Exception as error:  # such as no memory: the training must not end by it
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
    """The lock of a run that goes on, which nobody may have written since it was read."""
    lock = Lock.take(folder)
    try:
        if read_about(folder).step == trainer.step:
            return lock
        fault = "it was written meanwhile; allowed: once more"
    except UNREADABLE as error:
        fault = f"run.json cannot be read ({reason_of(error)})"
    lock.release()
    raise RunError(f"run {shown(str(folder))}: {fault}")
