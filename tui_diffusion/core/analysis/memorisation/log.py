"""Measurement of what a network learns of its training set, again and again while it trains."""

from __future__ import annotations

from copy import deepcopy
from threading import Thread
from time import thread_time
from typing import TYPE_CHECKING, Any

from ...assemble import make_schedule
from ...memorisation_rows import NUMBERS, Rows, with_report
from ...methods import NetworkDenoiser
from ...mixtures import between_parts
from ...training.stages import stages
from .measures import finite_losses, optimum_distances, overall

if TYPE_CHECKING:
    from ...training.trainer import Trainer

SHARE = 0.03
"""Maximum share of the training's time for measurements."""

BEFORE = 0.3
"""Seconds of measurements beyond that share: most changes at the beginning."""

_SECONDS, _SPACING = 0.1, 100
"""Minimum seconds between two measurements, and per second of the training so far."""


def measured(trainer: Trainer, network: Any, step: int) -> dict[str, float | None]:
    """Return the numbers of a row for a copy of a training's network at a step.

    A network that has its level alone is measured there: its losses are those in training.
    """
    experiment, finite = trainer.experiment, trainer.training_set
    denoiser, levels = NetworkDenoiser(network, trainer.method), None
    if experiment.network.per_level:
        stage = next(s for s in reversed(stages(experiment)) if s.start < max(step, 1))
        assert stage.level is not None
        levels = [(make_schedule(experiment.schedule)[stage.level], 1.0)]
    losses = finite_losses(experiment, denoiser, finite, levels=levels)
    distances = overall(optimum_distances(experiment, denoiser, finite))
    values = (losses.train, losses.train_floor, losses.heldout, losses.heldout_floor, *distances)
    return dict(zip(NUMBERS, values, strict=True))


class _ClosedError(Exception):
    """The log was closed during a measurement."""


class MemorisationLog:
    """The measurements of one training, whose rows it adds to ``trainer.memorisation``.

    The training thread calls `offer` between two steps, which copies the network if a measurement
    is due; a background thread measures the copy. Without a training set nothing is measured.
    ``spent`` is what that took so far, in seconds; a fault ends it, but not the training.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.spent = 0.0
        self._trainer = trainer
        self._due = self._begun = trainer.seconds
        self._prepared = False
        self._closed = trainer.training_set is None
        self._thread: Thread | None = None

    @property
    def rows(self) -> Rows:
        """The measurements so far."""
        return self._trainer.memorisation

    def offer(self) -> None:
        """Measure the network if that is due and the last measurement has ended."""
        trainer = self._trainer
        if self._closed or trainer.seconds < self._due:
            return
        if self._thread is not None and self._thread.is_alive():
            return
        began = thread_time()
        copy = deepcopy(trainer.average).cpu(), trainer.step, thread_time() - began
        self._thread = Thread(target=self._work, args=copy, name="memorisation", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Measure no more, and break off the current measurement."""
        self._closed = True
        if self._thread is not None:
            self._thread.join()

    def _check(self) -> None:
        if self._closed:
            raise _ClosedError

    def _work(self, network: Any, step: int, copying: float) -> None:
        began, trainer = thread_time(), self._trainer
        between_parts.set(self._check)
        try:
            row = measured(trainer, network, step)
            self._check()
        except Exception:  # such as MemoryError for a very large set
            self._closed = True
            return
        trainer.memorisation = with_report(trainer.memorisation, step, row)
        # The first measurement computes the optima and their floors, once for all.
        self.spent += copying + thread_time() - began if self._prepared else 0.0
        self._prepared = True
        rest = max(_SECONDS, trainer.seconds / _SPACING)
        affordable = self._begun + (self.spent - BEFORE) / SHARE
        self._due = max(trainer.seconds + rest, affordable)
