"""Records of a training session: its state and its progress."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...core.config.experiment import Experiment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ...core.memorisation_rows import Rows
    from ...core.methods import Denoiser

_LATEST = 100
"""Smallest number of losses in the mean of the latest loss; after the end, `report.LAST`."""


class SessionState(StrEnum):
    """The state of the session, in the words of the status line."""

    IDLE = "idle"
    LOADING = "loading"
    TRAINING = "training"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def mark(self) -> str:
        """A single character for a list."""
        return {"training": "●", "paused": "‖", "finished": "✓", "stopped": "■"}.get(
            self.value, "✗" if self in (SessionState.DIVERGED, SessionState.FAILED) else "…"
        )

    @property
    def active(self) -> bool:
        """Whether a training is in progress."""
        return self in (SessionState.LOADING, SessionState.TRAINING, SessionState.PAUSED)


class TrainerLike(Protocol):
    """The part of `Trainer` that the session uses; tests substitute a trivial trainer."""

    losses: NDArray[np.float32]

    @property
    def denoiser(self) -> Any:
        """The denoiser with the current weights."""
        ...

    def run(self, *, interval: float) -> Iterator[Any]:
        """Train, and yield the progress about every ``interval`` seconds."""
        ...

    def overflowed(self) -> bool:
        """Return whether the training has diverged."""
        ...


class RunKeeper(Protocol):
    """A writer of a training to disk; see `Checkpointer`."""

    folder: Path
    fault: str

    def offer(self) -> None:
        """Take a checkpoint if one is due."""
        ...

    def finish(self, state: Any, metrics: Mapping[str, Any] | None = None) -> Any:
        """Write the final state, and wait for it. Raise `RunError`."""
        ...

    def close(self) -> None:
        """Release the run for other processes."""
        ...

    def hurry(self) -> None:
        """Make a checkpoint due at the next offer."""
        ...


@dataclass
class Training:
    """A training as the screen shows it; only the worker thread writes to it.

    ``losses[:step]`` are final, because the buffer only grows. ``snapshot`` holds the step and a
    frozen copy of the network, and is replaced as a whole. ``floors`` are the smallest losses that
    any network can reach, each with its first step. ``memorisation`` are rows of `MemorisationLog`,
    if there is a training set. ``run`` is the run folder, ``unsaved`` the reason why it does not
    hold the latest state, and ``metrics`` the evaluation, once complete.
    ``watched`` names the other process that trains, while one does; see `runs.watch`. ``parts`` are
    arguments of the trainer beside the experiment. ``checkpoint`` is the trainer's state after a
    training that no run keeps, from which it can go on.
    """

    experiment: Experiment
    state: SessionState = SessionState.LOADING
    step: int = 0
    seconds: float = 0.0
    lr: float = 0.0
    level: int | None = None
    device: str = ""
    threads: int = 0
    reason: str = ""
    error: str = ""
    run: Path | None = None
    unsaved: str = ""
    watched: str = ""
    metrics: Mapping[str, Any] | None = None
    parts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    checkpoint: Mapping[str, Tensor] | None = field(default=None, repr=False)
    floors: tuple[tuple[int, float], ...] = ()
    losses: NDArray[np.float32] | None = None
    memorisation: Rows | None = None
    snapshot: tuple[int, Denoiser] | None = None
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    running: threading.Event = field(default_factory=threading.Event, repr=False)
    wanted: threading.Event = field(default_factory=threading.Event, repr=False)
    saving: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def steps(self) -> int:
        """The total number of gradient steps."""
        return self.experiment.training.steps

    @property
    def floor(self) -> float | None:
        """The smallest loss that the network now in training can reach on fresh points.

        On a training set it can be smaller: a network that memorises is below this floor.
        """
        passed = [floor for start, floor in self.floors if start < max(self.step, 1)]
        return passed[-1] if passed else None

    @property
    def latest(self) -> float | None:
        """The mean of the latest losses of the network now in training; at the end, the final loss.

        During a long training the mean covers more losses, so the number is steadier.
        """
        from ...core.analysis.loss_curve import averaged_losses

        begun = max((start for start, _ in self.floors if start < self.step), default=0)
        count = averaged_losses(self.steps) if self.state.active else _LATEST
        first = max(begun, self.step - count)
        if self.losses is None or self.step <= first:
            return None
        return float(self.losses[first : self.step].mean(dtype=float))

    @property
    def times_floor(self) -> float | None:
        """The latest loss as a multiple of its floor."""
        floor, latest = self.floor, self.latest
        if not floor or latest is None or not isfinite(latest):
            return None
        return latest / floor

    @property
    def rate(self) -> float:
        """The training rate, in gradient steps per second."""
        return self.step / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """The remaining seconds at the current rate; None before it is known."""
        return (self.steps - self.step) / self.rate if self.rate else None
