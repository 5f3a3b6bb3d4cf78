"""Steps a second of the trainer and of a plain loop, taking turns in one process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from statistics import median
from time import perf_counter
from typing import NamedTuple
from unittest.mock import patch

import torch

from tests.bench.plain import plain_loop
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.training.trainer import Trainer

SLICE = 0.3
"""Seconds of a turn."""

WARM_UP = 3
"""Least steps that each takes before it is timed."""


class Rates(NamedTuple):
    """Medians over the rounds: steps a second of both, and the ratio of a round."""

    plain: float
    ours: float
    ratio: float


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads of torch, for the trainer too, which lets a person's wish be."""
    before = torch.get_num_threads()
    with patch.dict(os.environ, OMP_NUM_THREADS=str(count)):
        torch.set_num_threads(count)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def against_plain(rounds: int, experiment: Experiment) -> Rates:
    """The trainer against the plain loop, both on the experiment's device."""
    steps, trainings = plain_loop(experiment), Trainings(experiment)
    for _ in range(WARM_UP):
        next(steps)
    plain, ours = [], []
    for _ in range(rounds):
        plain.append(loop_rate(steps))
        ours.append(trainings.rate())
    ratio = median(b / a for a, b in zip(plain, ours, strict=True))
    return Rates(median(plain), median(ours), ratio)


def loop_rate(steps: Iterator[float]) -> float:
    """Steps a second of a loop over a slice of time; every loss read waits for the device."""
    count, begin = 0, perf_counter()
    while perf_counter() - begin < SLICE:
        next(steps)
        count += 1
    return count / (perf_counter() - begin)


class Trainings:
    """Trainings of an experiment, one after another where one is over sooner than a slice."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._trainer = self._begun()

    def rate(self) -> float:
        """Steps a second over a slice of time; how a training begins is left out."""
        count, seconds = 0, 0.0
        while seconds < SLICE:
            if self._trainer.status != "training":
                self._trainer = self._begun()
            before, begin = self._trainer.step, perf_counter()
            with closing(self._trainer.run(interval=SLICE - seconds)) as progress:
                next(progress)
            if self._trainer.device.type == "cuda":
                torch.cuda.synchronize()
            seconds += perf_counter() - begin
            count += self._trainer.step - before
        return count / seconds

    def _begun(self) -> Trainer:
        """A fresh one after whole blocks of batches, so that none is drawn before it is timed."""
        trainer = Trainer(self._experiment)
        with closing(trainer.run(every=trainer.batches.steps)) as progress:
            while trainer.step < WARM_UP:
                next(progress)
        return trainer
