"""The training session: one worker thread, one state machine, no widget in sight.

    idle → loading → training ⇄ paused → finished | stopped | diverged | failed

The thread writes what it has reached into a `Training` record and calls ``notify``, which must only
post a message. A stop is an event that is looked at between chunks of training; a new training
starts only after the old thread has ended.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from ..core.experiment import ConfigError, Experiment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..core.methods import Denoiser

_CHUNK = 0.03
"""Seconds of training between two looks at the stop event."""


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


@dataclass
class Training:
    """One training as the screen sees it; written by the worker thread alone.

    ``losses[:step]`` are final: the buffer is only ever appended to. ``snapshot`` is the step and
    a frozen copy of the network, replaced as a whole. ``floor`` is the least loss that any network
    can come to, where it is known.
    """

    experiment: Experiment
    state: State = State.LOADING
    step: int = 0
    seconds: float = 0.0
    lr: float = 0.0
    level: int | None = None
    device: str = ""
    reason: str = ""
    error: str = ""
    floor: float | None = None
    losses: NDArray[np.float32] | None = None
    snapshot: tuple[int, Denoiser] | None = None
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    running: threading.Event = field(default_factory=threading.Event, repr=False)
    wanted: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def steps(self) -> int:
        """Gradient steps in all."""
        return self.experiment.training.steps

    @property
    def rate(self) -> float:
        """Gradient steps a second of training."""
        return self.step / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the rate so far; None before there is one."""
        return (self.steps - self.step) / self.rate if self.rate else None


def _make_trainer(experiment: Experiment) -> TrainerLike:
    from ..core.training import Trainer

    return Trainer(experiment)


def _find_floor(experiment: Experiment) -> float | None:
    from ..core.floor import training_floor

    return training_floor(experiment)


class Session:
    """Starts, pauses and stops trainings, one at a time.

    ``notify`` is called from the worker thread after every chunk and every change of state.
    """

    def __init__(
        self,
        notify: Callable[[], None],
        make_trainer: Callable[[Experiment], TrainerLike] = _make_trainer,
        find_floor: Callable[[Experiment], float | None] = _find_floor,
    ) -> None:
        self._notify = notify
        self._make_trainer = make_trainer
        self._find_floor = find_floor
        self._thread: threading.Thread | None = None
        self.training: Training | None = None

    @property
    def state(self) -> State:
        """The state of the latest training, or idle."""
        return self.training.state if self.training else State.IDLE

    def start(self, experiment: Experiment) -> Training:
        """Stop whatever runs and train this; returns the record that will be written."""
        previous = self._thread
        if self.training is not None:
            self.training.stop.set()
        training = Training(experiment)
        training.running.set()
        self.training = training
        self._thread = threading.Thread(
            target=self._work, args=(training, previous), name="training", daemon=True
        )
        self._thread.start()
        return training

    def pause(self) -> None:
        """Pause, or go on."""
        training = self.training
        if training is None or training.state not in (State.TRAINING, State.PAUSED):
            return
        if training.running.is_set():
            training.running.clear()
        else:
            training.running.set()

    def stop(self) -> None:
        """Ask the training to end; its state says when it has."""
        if self.training is not None:
            self.training.stop.set()

    def close(self, timeout: float = 0.8) -> bool:
        """Stop and wait for the thread; whether it has ended."""
        self.stop()
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    # --- the worker thread -------------------------------------------------------------------

    def _work(self, training: Training, previous: threading.Thread | None) -> None:
        if previous is not None:
            previous.join()
        try:
            self._train(training)
        except ConfigError as error:
            self._end(training, State.FAILED, str(error))
        except Exception as error:  # a fault of the training must not take the lab with it
            self._end(training, State.FAILED, f"{type(error).__name__}: {error}")

    def _train(self, training: Training) -> None:
        if training.stop.is_set():
            self._end(training, State.STOPPED)
            return
        trainer = self._make_trainer(training.experiment)
        training.losses = trainer.losses
        training.floor = self._find_floor(training.experiment)
        choice = getattr(trainer, "choice", None)
        if choice is not None:
            training.device, training.reason = choice.label, choice.reason
        training.snapshot = (0, copy.deepcopy(trainer.denoiser))
        self._enter(training, State.TRAINING)
        for progress in trainer.run(interval=_CHUNK):
            training.lr, training.level = progress.lr, progress.level
            training.seconds = progress.seconds
            training.step = progress.step
            if progress.status != "training":
                training.snapshot = (progress.step, copy.deepcopy(trainer.denoiser))
                self._end(training, State(progress.status))
                return
            if training.wanted.is_set():
                training.wanted.clear()
                training.snapshot = (progress.step, copy.deepcopy(trainer.denoiser))
            if not training.running.is_set() and not training.stop.is_set():
                self._hold(training, trainer)
            if training.stop.is_set():
                training.snapshot = (training.step, copy.deepcopy(trainer.denoiser))
                self._end(training, State.STOPPED)
                return
            self._notify()

    def _hold(self, training: Training, trainer: TrainerLike) -> None:
        """Wait while paused."""
        training.snapshot = (training.step, copy.deepcopy(trainer.denoiser))
        self._enter(training, State.PAUSED)
        while not training.running.wait(0.05) and not training.stop.is_set():
            pass
        if not training.stop.is_set():
            self._enter(training, State.TRAINING)

    def _enter(self, training: Training, state: State) -> None:
        training.state = state
        self._notify()

    def _end(self, training: Training, state: State, error: str = "") -> None:
        training.error = " ".join(error.split())
        self._enter(training, state)


class Clock:
    """Says when to draw: at most ``rate`` times a second, and taking at most ``share`` of the time.

    ``took`` tells it how long the last drawing took, in seconds.
    """

    def __init__(self, rate: float, share: float) -> None:
        self._least = 1 / rate
        self._share = share
        self.period = self._least
        self._last = -self.period

    def took(self, seconds: float) -> None:
        """The last one took this long: the next may come that much later."""
        self.period = max(self._least, min(seconds / self._share, 2.0))

    def due(self) -> bool:
        """Whether a period has passed since this last said yes."""
        now = monotonic()
        if now - self._last < self.period:
            return False
        self._last = now
        return True
