"""Measurement of what a network learns of its training set, again and again while it trains."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from threading import Thread
from time import monotonic, thread_time
from typing import TYPE_CHECKING, Any

from ..assemble import make_schedule
from ..memorisation_rows import NUMBERS, Rows, with_report
from ..methods import NetworkDenoiser
from ..mixtures import between_parts
from ..training.stages import stages
from .memorisation import finite_losses, optimum_distances, overall

if TYPE_CHECKING:
    from ..training.trainer import Trainer

SECONDS = 0.5
"""Minimum seconds between two measurements."""

SHARE = 0.02
"""Maximum share of the training's time for measurements."""

_SPACING = 200
"""A long training is measured after each of so many parts of the time that it has taken."""


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
    """

    def __init__(self, trainer: Trainer, *, clock: Callable[[], float] = monotonic) -> None:
        self.cost = 0.0
        self._trainer = trainer
        self._clock = clock
        self._due = clock() if trainer.training_set is not None else math.inf
        self._prepared = self._closed = False
        self._thread: Thread | None = None

    @property
    def rows(self) -> Rows:
        """The measurements so far."""
        return self._trainer.memorisation

    def offer(self) -> None:
        """Measure the network if that is due and the last measurement has ended."""
        if self._clock() < self._due or (self._thread is not None and self._thread.is_alive()):
            return
        began = thread_time()
        copy = deepcopy(self._trainer.average).cpu(), self._trainer.step, thread_time() - began
        self._thread = Thread(target=self._work, args=copy, name="memorisation", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Measure no more, and break off the current measurement."""
        self._closed, self._due = True, math.inf
        if self._thread is not None:
            self._thread.join()

    def _check(self) -> None:
        if self._closed:
            raise _ClosedError

    def _work(self, network: Any, step: int, copying: float) -> None:
        began, trainer = thread_time(), self._trainer
        between_parts.set(self._check)
        with suppress(_ClosedError):
            row = measured(trainer, network, step)
            self._check()
            trainer.memorisation = with_report(trainer.memorisation, step, row)
            # The first measurement computes the optima and their floors, once for all.
            self.cost = copying + thread_time() - began if self._prepared else 0.0
            self._prepared = True
            rest = max(SECONDS, self.cost / SHARE, trainer.seconds / _SPACING)
            self._due = self._clock() + rest
