"""Watching of a training that another process is at, from the files of its run, read-only."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import numpy as np

from ...core.analysis.loss_floor import stage_floors
from ...core.config.errors import ConfigError
from ...core.files import UNREADABLE
from ...core.runs.lock import writer_of
from ...core.runs.manifest import Manifest, RunError, read_about
from ...core.runs.progress_log import Part, ProgressTail
from ...core.runs.run import Run, open_run
from ...core.text import shortened
from ...core.training.stages import learning_rate, stages
from ..session.records import SessionState, Training

_ENDS = {"finished": SessionState.FINISHED, "diverged": SessionState.DIVERGED}

PERIOD = 0.5
"""Seconds between two looks at a training in progress."""

_REST = 1.5
"""Seconds between two looks at a run that nobody trains: somebody may go on with it."""


def state_of(run: Run) -> SessionState:
    """Return the state of a run that nobody trains."""
    return _ENDS.get(run.state, SessionState.STOPPED)


class Watch:
    """Keeps the record of a run's training up to date until it is stopped.

    Each look reads ``run.json``, the lock and the new losses; a new checkpoint's weights are read
    once. While a process trains, the record's ``watched`` names it, and the losses run ahead of the
    checkpoint. When it ends or is killed, the record is what the last checkpoint holds, from which
    the training can go on.
    """

    def __init__(self, training: Training) -> None:
        assert training.run is not None
        self._training = training
        self._folder = training.run
        self._tail = ProgressTail(self._folder)
        self._about: Manifest | None = None
        self._base = 0
        self._stopped = Event()

    def start(self, notify: Callable[[], None]) -> None:
        """Look again and again, in a thread that calls ``notify`` after each look."""
        Thread(target=self._work, args=(notify,), name="watching", daemon=True).start()

    def stop(self) -> None:
        """Look no more; a look that has begun ends in its time."""
        self._stopped.set()

    def _work(self, notify: Callable[[], None]) -> None:
        training = self._training
        while not self._stopped.is_set():
            try:
                self.look()
            except FileNotFoundError:
                self._end()
            except (ConfigError, RunError, *UNREADABLE):
                pass  # it is just being written, or the disk does not answer: look again
            notify()
            self._stopped.wait(PERIOD if training.watched else _REST)

    def look(self) -> None:
        """Bring the record up to date; raise `RunError` or one of `UNREADABLE` if that fails."""
        training = self._training
        about = read_about(self._folder)
        who = writer_of(self._folder) if about.state == "training" else None
        turned = bool(who) != bool(training.watched)
        if turned or about != self._about:
            run = open_run(str(self._folder))
            snapshot = (run.step, run.denoiser())
            if turned or not who or training.experiment != run.experiment:
                self._begin(run)
            training.snapshot, training.metrics, training.device = snapshot, run.metrics, run.device
            training.watched = who or ""
            training.state = SessionState.TRAINING if who else state_of(run)
            self._about = about
        if who:
            self._take(self._tail.read())

    def _begin(self, run: Run) -> None:
        """Set the record to the run's checkpoint; the losses since follow from the file of them."""
        training = self._training
        losses = np.empty(run.experiment.training.steps, np.float32)
        losses[: run.step] = run.losses()
        training.step, training.seconds = min(training.step, run.step), run.seconds
        if training.experiment != run.experiment:
            training.floors = stage_floors(run.experiment)
        training.experiment, training.losses, training.step = run.experiment, losses, run.step
        self._tail, self._base = ProgressTail(self._folder), run.step
        self._set_rate()

    def _take(self, parts: list[Part]) -> None:
        """Append losses to the record; those of a process that resumed may begin before its end."""
        training = self._training
        losses, step, seconds = training.losses, training.step, training.seconds
        if losses is None or not parts:
            return
        if parts[0].first < step:
            losses = losses.copy()  # what has been drawn of the array must not change
        for part in parts:
            end = part.first + len(part.losses)
            if part.first <= step and end <= len(losses):
                losses[part.first : end] = part.losses
                step, seconds = end, part.seconds
        if step >= self._base:  # else the latest checkpoint is newer than the latest record
            training.losses, training.step, training.seconds = losses, step, seconds
            self._set_rate()

    def _set_rate(self) -> None:
        """Set the learning rate and the level of the latest step."""
        training = self._training
        last = max(training.step - 1, 0)
        stage = next(s for s in reversed(stages(training.experiment)) if s.start <= last)
        training.lr, training.level = learning_rate(training.experiment, stage, last), stage.level

    def _end(self) -> None:
        """End because the run has gone; the screen says so, as nothing on disk holds it now."""
        training = self._training
        self.stop()
        training.unsaved = (
            f"the run {shortened(self._folder.name, 40)} was deleted; its losses and its network "
            "stay until the lab closes"
        )
        training.run, training.watched = None, ""
        if training.state.active:
            training.state = SessionState.STOPPED
