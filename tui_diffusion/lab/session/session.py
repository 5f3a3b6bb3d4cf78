"""The training session: one worker thread and one state machine, independent of widgets.

idle → loading → training ⇄ paused → finished | stopped | diverged | failed

The thread writes its progress into a `Training` record and calls ``notify``, which must only post a
message. It checks a stop event between chunks of training. A new training starts only after the old
thread has ended. With a keeper, such as `keep_in_store` makes, a training is written to disk during
its course and at its end, and evaluated afterwards.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment
from ...core.faults import fault_of
from ...core.runs.manifest import RunError
from .evaluation import Evaluator, Measure
from .records import RunKeeper, SessionState, TrainerLike, Training

if TYPE_CHECKING:
    from ...core.analysis.memorisation.log import MemorisationLog
    from ...core.runs.run import Run

    Resume = Run | str | Training | None

_CHUNK = 0.03
"""Seconds of training between two checks of the stop event."""

_PATIENCE = 0.3
"""Maximum wait in seconds for a training to pause, so that its clock excludes the pause."""


def _make_trainer(experiment: Experiment, **parts: Any) -> TrainerLike:
    from ...core.training.trainer import Trainer

    return Trainer(experiment, **parts)


def _fault(error: Exception) -> str:
    return fault_of(error, training=True) or f"{type(error).__name__}: {error}"


def _find_floors(experiment: Experiment) -> tuple[tuple[int, float], ...]:
    from ...core.analysis.loss_floor import stage_floors

    return stage_floors(experiment)


def _memorisation_log(trainer: Any) -> MemorisationLog | None:
    """Return the log of a training that draws from a fixed set of points."""
    if getattr(trainer, "training_set", None) is None:
        return None
    from ...core.analysis.memorisation.log import MemorisationLog

    return MemorisationLog(trainer)


def keep_in_store(trainer: Any, folder: Path | None) -> RunKeeper | None:
    """Return a writer to the resumed run's folder, or to a new run of the store.

    Return None for a training that no run can describe.
    """
    if getattr(trainer, "own_parts", ()):
        return None
    from ...core.runs.checkpointer import Checkpointer
    from ...core.runs.run import take_name

    return Checkpointer(trainer, folder or take_name(trainer.experiment))


class Session:
    """Starts, pauses and stops trainings, one at a time.

    The worker thread calls ``notify`` after every chunk and every change of state. ``keep`` returns
    the writer of a training for the folder of the resumed run, or for a new one; without it,
    nothing is written. ``measure`` returns the numbers that are written to a run after its
    training.
    """

    def __init__(
        self,
        notify: Callable[[], None],
        make_trainer: Callable[..., TrainerLike] = _make_trainer,
        find_floors: Callable[[Experiment], tuple[tuple[int, float], ...]] = _find_floors,
        keep: Callable[[TrainerLike, Path | None], RunKeeper | None] | None = None,
        measure: Measure | None = None,
    ) -> None:
        self._notify = notify
        self._make_trainer = make_trainer
        self._find_floors = find_floors
        self._keep = keep
        self._measurer = Evaluator(measure, notify) if measure is not None else None
        self._thread: threading.Thread | None = None
        self.training: Training | None = None

    @property
    def state(self) -> SessionState:
        """The state of the latest training, or idle."""
        return self.training.state if self.training else SessionState.IDLE

    def start(
        self,
        experiment: Experiment,
        resume: Resume = None,
        parts: Mapping[str, Any] | None = None,
    ) -> Training:
        """Stop the current training, start a new one, and return its record.

        ``resume`` is a run to continue, its name, or a training with a checkpoint; ``experiment``
        is then its own, or one that `resumed_experiment` could derive from it. ``parts`` are copied
        and given to the trainer beside the experiment.
        """
        previous = self._thread
        if self.training is not None:
            self.training.stop.set()
        training = Training(experiment, parts=parts or {})
        training.running.set()
        self.training = training
        self._thread = threading.Thread(
            target=self._work, args=(training, previous, resume), name="training", daemon=True
        )
        self._thread.start()
        return training

    def pause(self) -> None:
        """Pause or resume the training."""
        training = self.training
        if training is None or training.state not in (SessionState.TRAINING, SessionState.PAUSED):
            return
        if training.running.is_set():
            training.running.clear()
        else:
            training.running.set()

    def rest(self) -> threading.Event | None:
        """Pause a running training and wait briefly for it.

        Return the event that resumes it, or None if no training was running.
        """
        training = self.training
        if training is None or not training.running.is_set() or not training.state.active:
            return None
        training.running.clear()
        end = monotonic() + _PATIENCE
        while training.state is SessionState.TRAINING and monotonic() < end:
            sleep(0.005)
        return training.running

    def stop(self) -> None:
        """Request the end of the training; its state shows when it has ended."""
        if self.training is not None:
            self.training.stop.set()

    def save(self) -> None:
        """Request a checkpoint now."""
        if self.training is not None:
            self.training.saving.set()

    def close(self, timeout: float = 0.8) -> bool:
        """Stop training and evaluation; return whether the threads ended within ``timeout`` s."""
        self.stop()
        end = monotonic() + timeout
        if self._measurer is not None:
            self._measurer.close()
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                return False
        return self._measurer is None or self._measurer.wait(max(end - monotonic(), 0))

    def wait(self, timeout: float) -> bool:
        """Wait for a training that was told to stop; return whether it ended in time."""
        if self._thread is not None:
            self._thread.join(timeout)
        return self._thread is None or not self._thread.is_alive()

    # --- the worker thread -------------------------------------------------------------------

    def _work(self, training: Training, previous: threading.Thread | None, resume: Resume) -> None:
        if previous is not None:
            previous.join()
        if resume is not None and self._measurer is not None:
            self._measurer.wait()  # its evaluation may still hold this run
        try:
            self._train(training, resume)
        except (ConfigError, RunError) as error:
            self._end(training, SessionState.FAILED, str(error))
        except Exception as error:  # a training error must not end the lab
            self._end(training, SessionState.FAILED, _fault(error))

    def _train(self, training: Training, resume: Resume) -> None:
        if training.stop.is_set():
            self._end(training, SessionState.STOPPED)
            return
        trainer, folder = self._trainer(training, resume)
        keeper = self._keep(trainer, folder) if self._keep is not None else None
        try:
            training.run = keeper.folder if keeper is not None else None
            if keeper is None and (own := getattr(trainer, "own_parts", ())):
                what = f"a run keeps only the settings, not the {' and the '.join(own)}"
                training.unsaved = f"{what} of a script, which gets back what is trained"
            training.losses = trainer.losses
            training.floors = self._find_floors(training.experiment)
            choice = getattr(trainer, "choice", None)
            if choice is not None:
                training.device, training.reason = choice.label, choice.reason
            training.snapshot = (training.step, copy.deepcopy(trainer.denoiser))
            log = _memorisation_log(trainer)
            self._enter(training, SessionState.TRAINING)
            with closing(log) if log is not None else nullcontext():
                self._pull(training, trainer, keeper, log)
        finally:
            if keeper is not None:
                if self._measurer is None or training.state.active:  # the training has failed
                    keeper.close()
                else:
                    self._measurer.take(training, trainer, keeper)

    def _trainer(self, training: Training, resume: Resume) -> tuple[TrainerLike, Path | None]:
        """Return a trainer, new or resumed, and the folder of the resumed run."""
        if resume is None or isinstance(resume, Training):
            trainer = self._make_trainer(training.experiment, **copy.deepcopy(training.parts))
            if resume is not None and resume.checkpoint is not None:
                from ...core.runs.resume import go_on

                restored: Any = trainer
                go_on(restored, resume.checkpoint, resume.experiment)
                training.step, training.seconds = restored.step, restored.seconds
                if resume.memorisation is not None:
                    restored.memorisation = resume.memorisation
            return trainer, None
        from ...core.runs.resume import resume as resumed
        from ...core.runs.run import open_run

        run = open_run(resume) if isinstance(resume, str) else resume
        trainer = resumed(run, training.experiment)
        training.step, training.seconds = trainer.step, trainer.seconds
        return trainer, run.folder

    def _pull(
        self,
        training: Training,
        trainer: TrainerLike,
        keeper: RunKeeper | None,
        log: MemorisationLog | None,
    ) -> None:
        """Train until the end or a stop request."""
        for progress in trainer.run(interval=_CHUNK):
            if log is not None:
                log.offer()
                training.memorisation = log.rows
            training.lr, training.level = progress.lr, progress.level
            training.seconds = progress.seconds
            training.step = progress.step
            training.threads = getattr(trainer, "threads", 0)
            if choice := getattr(trainer, "choice", None):
                training.reason = choice.reason  # the trainer appends to it when a stepper fails
            if progress.status != "training":
                self._keep_last(training, trainer)
                self._finish(training, keeper, SessionState(progress.status))
                return
            if training.wanted.is_set():
                training.wanted.clear()
                training.snapshot = (progress.step, copy.deepcopy(trainer.denoiser))
            if not training.running.is_set() and not training.stop.is_set():
                self._hold(training, trainer, keeper)
            if training.stop.is_set():
                state = SessionState.DIVERGED if trainer.overflowed() else SessionState.STOPPED
                self._keep_last(training, trainer)
                self._finish(training, keeper, state)
                return
            if keeper is not None:
                self._offer(training, keeper)
                training.unsaved = keeper.fault
            self._notify()

    def _keep_last(self, training: Training, trainer: TrainerLike) -> None:
        """Keep the last weights, and the whole state of a training that no run keeps."""
        training.snapshot = (training.step, copy.deepcopy(trainer.denoiser))
        if getattr(trainer, "own_parts", ()):
            training.checkpoint = trainer.state()  # type: ignore[attr-defined]

    def _offer(self, training: Training, keeper: RunKeeper) -> None:
        """Take a checkpoint if one is due or requested."""
        if training.saving.is_set():
            training.saving.clear()
            keeper.hurry()
        keeper.offer()

    def _finish(self, training: Training, keeper: RunKeeper | None, state: SessionState) -> None:
        """Write the final state and end."""
        if keeper is not None:
            try:
                keeper.finish(state.value)
                training.unsaved = ""
            except RunError as error:
                training.unsaved = str(error)
        self._end(training, state)

    def _hold(self, training: Training, trainer: TrainerLike, keeper: RunKeeper | None) -> None:
        """Wait while paused."""
        training.snapshot = (training.step, copy.deepcopy(trainer.denoiser))
        self._enter(training, SessionState.PAUSED)
        while not training.running.wait(0.05) and not training.stop.is_set():
            if keeper is not None:
                self._offer(training, keeper)
        if not training.stop.is_set():
            self._enter(training, SessionState.TRAINING)

    def _enter(self, training: Training, state: SessionState) -> None:
        training.state = state
        self._notify()

    def _end(self, training: Training, state: SessionState, error: str = "") -> None:
        training.error = " ".join(error.split())
        self._enter(training, state)
