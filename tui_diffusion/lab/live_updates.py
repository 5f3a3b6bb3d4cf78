"""What is shown follows what is trained: the loss, the film and the study, each in its own time."""

from __future__ import annotations

from dataclasses import replace
from time import thread_time
from typing import TYPE_CHECKING

from .clock import Clock
from .panels.experiments import ExperimentList
from .panels.status_bars import status
from .runs.stored import mark_of
from .session.records import State, Training
from .widgets.text_line import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .app import Lab
    from .sampling.diagnosis import Study
    from .sampling.measured_trajectory import Film

FRAMES = 8.0
"""Most drawings of the loss in a second."""
_SLOWEST = 0.5
"""Longest wait, in seconds, from one drawing of the loss to the next."""
_FILMS = 1.0
"""Most denoisings from the latest weights in a second, while training."""
_STUDIES = 1.0
"""Most studies of the latest weights in a second, while training."""
_SHARE = 0.02
"""Most of the time that the screen, and each of these workers, may take from the training."""


class Following:
    """Shows in a lab what its session has come to, and asks for films and studies of it.

    ``fps``: most drawings of the loss in a second.
    """

    def __init__(self, lab: Lab, fps: float) -> None:
        self._lab = lab
        self.frames = Clock(fps, _SHARE, _SLOWEST)
        self.films = Clock(_FILMS, _SHARE)
        self._studies = Clock(_STUDIES, _SHARE)
        self._drawn_at = thread_time()
        self.seen = State.IDLE
        self._told_unsaved = ""
        self.counts: Mapping[str, int] = {}

    def start(self) -> None:
        """Begin, when the lab is mounted."""
        # Draws what came when no drawing was due, should nothing follow it.
        self._pulse = self._lab.set_interval(_SLOWEST / 2, self.tick, pause=True)

    # --- the latest weights ------------------------------------------------------------------

    @property
    def awaited(self) -> bool:
        """Whether anything would come of a tick now; any thread may ask."""
        return self._lab.session.state is not self.seen or self.frames.near

    def tick(self) -> None:
        """The session has something new."""
        # All that this thread has done since the last drawing counts: while it runs Python, the
        # training stands still.
        self.frames.took(thread_time() - self._drawn_at)
        due = self.frames.due() and not self._lab.pace.clogged
        if self._lab.session.state is not self.seen or due:
            self._drawn_at = thread_time()
            self.refresh()

    def refresh(self) -> None:
        """Pull what the session has reached and show it."""
        lab = self._lab
        if not lab.is_running:
            return  # the widgets are being taken down
        state = lab.session.state
        changed = state is not self.seen
        self.seen = state
        if changed:
            (self._pulse.resume if state is State.TRAINING else self._pulse.pause)()
        training = lab.bench.training
        if training is not None:
            if training.unsaved and training.unsaved != self._told_unsaved:
                lab.refuse("Not saved", training.unsaved)
            self._told_unsaved = training.unsaved
            if training is not lab.loss.training or (changed and training.losses is not None):
                lab.loss.show(training)
            else:
                lab.loss.redraw()
            self._follow(training, changed)
            if changed and state is State.FAILED and not lab.loss.is_on_screen:
                lab.refuse("Training failed", training.error)
        if changed:
            self.mark()
        self.write_status()
        lab.learning.look()

    def _follow(self, training: Training, changed: bool) -> None:
        """Keep the film close to the latest weights."""
        lab, film, snapshot = self._lab, self._lab.denoising.film, training.snapshot
        if snapshot is not None and lab.bench.trained() is training:
            wish = film.wish if film is not None else None
            newer = wish is None or wish.denoiser is not snapshot[1]
            complete = wish is not None and (wish.live and not training.state.active)
            seen = lab.denoising.is_on_screen
            wanted = seen and (newer or complete) and not lab.bench.source_ideal
            now = changed or not training.state.active
            if wanted and not lab.sampling.busy and (now or self.films.due()):
                self.ask()
        if training.state is State.TRAINING:
            training.wanted.set()

    def mark(self) -> None:
        """Mark in the list what has been trained: since the start, or in a run on disk."""
        here = {
            key: bench.training.state.mark
            for key, bench in self._lab.benches.items()
            if bench.training is not None
        }
        on_disk = {key: mark_of(count) for key, count in self.counts.items() if key not in here}
        self._lab.query_one(ExperimentList).marks = here | on_disk

    def write_status(self) -> None:
        """Say in the status line where the session stands."""
        lab = self._lab
        training = lab.bench.training
        if training is None and lab.session.state.active:
            training = lab.session.training
        waiting = "idle" if lab.loaded else "loading"
        left, right = status(
            lab.chosen, training, waiting, lab.size.width, lab.palette, lab.sampling.reached
        )
        lab.query_one("#status", Line).write(left, right)

    # --- films and studies -------------------------------------------------------------------

    def ask(self) -> None:
        """Ask for the film that should be seen, and for the study that goes with it."""
        lab = self._lab
        wish = lab.bench.wish(live=lab.bench.active, level=lab.denoising.level)
        lab.sampling.ask(wish)
        if lab.loss.view != "loss" and (not wish.live or self._studies.due()):
            lab.studies.ask(wish)

    def ask_study(self) -> None:
        """Ask for the study alone, and at once; without a network, of what is being typed."""
        lab, trial = self._lab, self._lab.form.trial
        self._studies.took(0.0)
        wish = lab.bench.wish(live=lab.bench.active)
        if trial != lab.bench.experiment:
            wish = replace(wish, experiment=trial, source="forward", denoiser=None)
        lab.studies.ask(wish)

    def filmed(self, film: Film) -> None:
        """A film is ready."""
        lab, began = self._lab, thread_time()
        if film.wish.experiment == lab.bench.experiment:
            lab.denoising.show(film)
        self.films.took(film.seconds + thread_time() - began)
        if lab.session.state is not State.TRAINING:
            self.refresh()  # else the next tick does

    def studied(self, study: Study) -> None:
        """A study is ready."""
        self._studies.took(study.seconds)
        if study.wish.experiment in (self._lab.bench.experiment, self._lab.form.trial):
            self._lab.loss.tell(study)
