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

    from ...core.methods import Denoiser

_LATEST = 100
"""Least number of losses whose mean is the latest loss; when it has ended, `report.LAST`."""


class State(StrEnum):
    """What the session does, in the words of the status line."""

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
            self.value, "✗" if self in (State.DIVERGED, State.FAILED) else "…"
        )

    @property
    def active(self) -> bool:
        """Whether a training is under way."""
        return self in (State.LOADING, State.TRAINING, State.PAUSED)


class TrainerLike(Protocol):
    """What the session needs of a `Trainer`; tests hand in one that computes nothing."""

    losses: NDArray[np.float32]

    @property
    def denoiser(self) -> Any: ...

    def run(self, *, interval: float) -> Iterator[Any]: ...

    def overflowed(self) -> bool: ...


class Keeper(Protocol):
    """Writes a training to disk; see `Checkpointer`."""

    folder: Path
    fault: str

    def offer(self) -> None: ...

    def finish(self, state: Any, metrics: Mapping[str, Any] | None = None) -> Any: ...

    def close(self) -> None: ...

    def hurry(self) -> None: ...


@dataclass
class Training:
    """One training as the screen sees it; written by the worker thread alone.

    ``losses[:step]`` are final: the buffer is only ever appended to. ``snapshot`` is the step and
    a frozen copy of the network, replaced as a whole. ``floors`` are the least losses that any
    network can come to, each with the step from which it holds. ``run`` is the folder it is
    written to, ``unsaved`` why the last writing failed, ``metrics`` what it came to, once measured.
    """

    experiment: Experiment
    state: State = State.LOADING
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
    metrics: Mapping[str, Any] | None = None
    floors: tuple[tuple[int, float], ...] = ()
    losses: NDArray[np.float32] | None = None
    snapshot: tuple[int, Denoiser] | None = None
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    running: threading.Event = field(default_factory=threading.Event, repr=False)
    wanted: threading.Event = field(default_factory=threading.Event, repr=False)
    saving: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def steps(self) -> int:
        """Gradient steps in all."""
        return self.experiment.training.steps

    @property
    def floor(self) -> float | None:
        """The least loss that the network now in training can come to."""
        passed = [floor for start, floor in self.floors if start < max(self.step, 1)]
        return passed[-1] if passed else None

    @property
    def latest(self) -> float | None:
        """The mean of the latest losses, of the network now in training; in the end the final loss.

        Of a long training that goes on more losses count, and the number is steadier.
        """
        begun = max((start for start, _ in self.floors if start < self.step), default=0)
        count = max(_LATEST, self.steps // 50) if self.state.active else _LATEST
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
        """Gradient steps a second of training."""
        return self.step / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the rate so far; None before there is one."""
        return (self.steps - self.step) / self.rate if self.rate else None
