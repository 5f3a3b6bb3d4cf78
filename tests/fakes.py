"""Trainings that compute nothing, so that tests of the session and of the lab are quick and exact.

A real training in the background keeps a core busy, and Textual's pilot waits for an idle one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tui_diffusion.core.config.experiment import Experiment


def wait_until(condition: Callable[[], object], what: str = "", seconds: float = 120) -> None:
    """Return as soon as this holds; fail after far longer than it should take."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what or condition}"
        time.sleep(0.002)


@dataclass(frozen=True)
class FakeProgress:
    """What a session reads of a `Progress`."""

    step: int
    losses: np.ndarray
    lr: float
    level: int | None
    seconds: float
    status: str


class FakeDenoiser:
    """Exact for data that are one point at the origin; there every sampler ends."""

    def __call__(self, x, level):
        from tui_diffusion.core.methods import Prediction

        eps_hat = x / level.sigma
        return Prediction(x - x * level.sigma_next / level.sigma, eps_hat, x * 0)


class FakeTrainer:
    """Takes ``chunk`` steps at a pull, of ``slow`` seconds each, at 1,000 steps a (told) second.

    ``ends`` says what comes of it: "finished", or at step ``at`` "diverged" or an exception.
    ``limit`` steps are taken at first; `allow` lets it go on, and until then it idles at its limit,
    reporting that nothing has happened.
    """

    def __init__(
        self,
        experiment: Experiment,
        *,
        chunk: int = 10,
        slow: float = 0.0,
        ends: str | Exception = "finished",
        at: int | None = None,
        limit: int | None = None,
    ) -> None:
        self.experiment = experiment
        self.steps = experiment.training.steps
        self.losses = np.empty(self.steps, np.float32)
        self.denoiser = FakeDenoiser()
        self.step = 0
        self.pulls = 0
        self.chunk, self.slow, self.ends = chunk, slow, ends
        self.at = self.steps if at is None else at
        self.limit = self.steps if limit is None else limit

    def allow(self, steps: int | None = None) -> None:
        """Go on to this step, or to the end."""
        self.limit = self.steps if steps is None else steps

    def overflowed(self) -> bool:
        """Whether the next loss is to be "diverged"."""
        return self.ends == "diverged" and self.step == self.at - 1

    FLOOR = 0.1

    @classmethod
    def loss(cls, step: int) -> float:
        """What step ``step`` (from 0) is said to have lost."""
        return cls.FLOOR + 10.0 / (1 + step)

    def run(self, *, interval: float) -> Iterator[FakeProgress]:
        while True:
            self.pulls += 1
            time.sleep(max(self.slow, 0.03 if self.step == self.limit else 0.001))
            first = self.step
            self.step = min(first + self.chunk, self.limit, self.at)
            self.losses[first : self.step] = [self.loss(k) for k in range(first, self.step)]
            status = "training"
            if self.step == self.at:
                if isinstance(self.ends, Exception):
                    raise self.ends
                if self.ends == "diverged":
                    self.losses[self.step - 1] = np.nan
                status = self.ends
            yield FakeProgress(
                self.step,
                self.losses[first : self.step],
                self.experiment.training.lr,
                None,
                self.step / 1000,
                status,
            )
            if status != "training":
                return


class FakeTrainers:
    """Makes a `FakeTrainer` for each training that a session starts, and keeps them."""

    def __init__(self, **options) -> None:
        self.options = options
        self.made: list[FakeTrainer] = []

    def __call__(self, experiment: Experiment) -> FakeTrainer:
        self.made.append(FakeTrainer(experiment, **self.options))
        return self.made[-1]

    @property
    def last(self) -> FakeTrainer:
        return self.made[-1]
