"""What is shown follows what is trained: the loss, the film and the study, each in its own time."""

from __future__ import annotations

from dataclasses import replace
from time import thread_time
from typing import TYPE_CHECKING, Any, TypeVar

from .clock import Clock
from .panels.status_bars import status
from .reader import Reader
from .runs.stored import ask_for_counts, mark_of
from .session.records import SessionState, Training

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from .guide.guidance import Guidance
    from .main_screen import MainScreen
    from .model import Model
    from .output.terminal_app import TerminalApp
    from .sampling.diagnosis import RequestedDiagnosis
    from .sampling.measured_trajectory import MeasuredTrajectory

T = TypeVar("T")

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


class LiveUpdates:
    """Shows in the panels what the model has come to, and asks for films and studies of it.

    ``fps``: most drawings of the loss in a second.
    """

    def __init__(
        self, app: TerminalApp, model: Model, main: MainScreen, guidance: Guidance, fps: float
    ) -> None:
        self._app = app
        self._model = model
        self._main = main
        self._guidance = guidance
        self.frames = Clock(fps, _SHARE, _SLOWEST)
        self.trajectories = Clock(_FILMS, _SHARE)
        self._studies = Clock(_STUDIES, _SHARE)
        self._drawn_at = thread_time()
        self.seen = SessionState.IDLE
        self._told_unsaved = ""
        self.counts: Mapping[str, int] = {}
        self._reader: Reader[Any] = Reader(app)
        self._reading = ""

    def start(self) -> None:
        """Begin, when the lab is mounted."""
        # Draws what came when no drawing was due, should nothing follow it.
        self._pulse = self._app.set_interval(_SLOWEST / 2, self.tick, pause=True)

    # --- the bench ---------------------------------------------------------------------------

    def choose(self, name: str) -> None:
        """Put another experiment on the bench."""
        self._main.experiments.chosen = self._model.chosen = name
        self.show_bench()

    def show_bench(self) -> None:
        """Put the chosen experiment into every panel."""
        workspace, main = self._model.workspace, self._main
        main.form.show(workspace.experiment, self._model.preset.experiment)
        main.denoising.expect(workspace.experiment.sampling_levels)
        main.loss.show(workspace.training)
        main.loss.tell(None)
        self.write_hints()
        self.ask()
        self.refresh()
        self._guidance.write()

    def write_hints(self) -> None:
        """Say in the empty panels what is awaited there."""
        model = self._model
        self._main.denoising.hint("sampling …" if model.loaded else "loading torch …")
        plan = model.workspace.experiment.training
        self._main.loss.hint(
            f"{model.preset.about}\n\nt trains it: {plan.steps:,} steps of {plan.batch:,} points"
        )

    # --- the lines around the panels ---------------------------------------------------------

    def show_tab(self, tab: str) -> None:
        """Turn to this tab."""
        self._main.tab = tab
        self.write()

    def turn_to(self, tab: str) -> None:
        """Turn to this tab, and give its panel the focus."""
        self.show_tab(tab)
        self._main.focus_tab()

    def write(self) -> None:
        """Write the lines around the panels."""
        self._main.write_tabs()
        self.write_status()
        self._guidance.write()

    # --- the latest weights ------------------------------------------------------------------

    @property
    def awaited(self) -> bool:
        """Whether anything would come of a tick now; any thread may ask."""
        return self._model.session.state is not self.seen or self.frames.near

    def tick(self) -> None:
        """The session has something new."""
        # All that this thread has done since the last drawing counts: while it runs Python, the
        # training stands still.
        self.frames.took(thread_time() - self._drawn_at)
        due = self.frames.due() and not self._app.pace.clogged
        if self._model.session.state is not self.seen or due:
            self._drawn_at = thread_time()
            self.refresh()

    def refresh(self) -> None:
        """Pull what the session has reached and show it."""
        model, loss = self._model, self._main.loss
        if not self._app.is_running:
            return  # the widgets are being taken down
        state = model.session.state
        changed = state is not self.seen
        self.seen = state
        if changed:
            (self._pulse.resume if state is SessionState.TRAINING else self._pulse.pause)()
        training = model.workspace.training
        if training is not None:
            if training.unsaved and training.unsaved != self._told_unsaved:
                self._app.refuse("Not saved", training.unsaved)
            self._told_unsaved = training.unsaved
            if training is not loss.training or (changed and training.losses is not None):
                loss.show(training)
            else:
                loss.redraw()
            self._follow(training, changed)
            if changed and state is SessionState.FAILED and not loss.is_on_screen:
                self._app.refuse("Training failed", training.error)
        if changed:
            self.mark()
        self.write_status()
        self._guidance.view_state()

    def _follow(self, training: Training, changed: bool) -> None:
        """Keep the film close to the latest weights."""
        model, denoising, snapshot = self._model, self._main.denoising, training.snapshot
        trajectory = denoising.trajectory
        if snapshot is not None and model.workspace.trained() is training:
            request = trajectory.request if trajectory is not None else None
            newer = request is None or request.denoiser is not snapshot[1]
            complete = request is not None and (request.live and not training.state.active)
            seen = denoising.is_on_screen
            wanted = seen and (newer or complete) and not model.workspace.source_ideal
            now = changed or not training.state.active
            if wanted and not model.sampling.busy and (now or self.trajectories.due()):
                self.ask()
        if training.state is SessionState.TRAINING:
            training.wanted.set()

    def mark(self) -> None:
        """Mark in the list what has been trained: since the start, or in a run on disk."""
        here = {
            key: workspace.training.state.mark
            for key, workspace in self._model.workspaces.items()
            if workspace.training is not None
        }
        on_disk = {key: mark_of(count) for key, count in self.counts.items() if key not in here}
        self._main.experiments.marks = here | on_disk

    def count_runs(self) -> None:
        """Have the experiments marked that have runs on disk."""
        ask_for_counts(self._app.post_while_running)

    def read(self, what: str, job: Callable[[], T], done: Callable[[Future[T]], None]) -> None:
        """Read for the bench on another thread; the status line says ``what``.

        A newer reading replaces an older one.
        """

        def handed_over(outcome: Future[T]) -> None:
            self._tell_reading("")
            done(outcome)

        self._reader.start(job, handed_over)
        self._tell_reading(what)

    def cancel_reading(self) -> None:
        """Drop what is being read: the bench is used otherwise."""
        self._reader.cancel()
        self._tell_reading("")

    def _tell_reading(self, what: str) -> None:
        if what != self._reading:
            self._reading = what
            self.write_status()

    def write_status(self) -> None:
        """Say in the status line where the session stands."""
        model = self._model
        training = model.workspace.training
        if training is None and model.session.state.active:
            training = model.session.training
        waiting = "idle" if model.loaded else "loading"
        left, right = status(
            model.chosen,
            training,
            waiting,
            self._app.size.width,
            self._main.palette,
            model.sampling.reached,
            self._reading,
        )
        self._main.status.write(left, right)

    # --- films and studies -------------------------------------------------------------------

    def ask(self) -> None:
        """Ask for the film that should be seen, and for the study that goes with it."""
        model = self._model
        request = model.workspace.request(
            live=model.workspace.active, level=self._main.denoising.level
        )
        model.sampling.ask(request)
        if self._main.loss.view != "loss" and (not request.live or self._studies.due()):
            model.diagnoses.ask(request)

    def ask_study(self) -> None:
        """Ask for the study alone, and at once; without a network, of what is being typed."""
        model, trial = self._model, self._main.form.trial
        self._studies.took(0.0)
        request = model.workspace.request(live=model.workspace.active)
        if trial != model.workspace.experiment:
            request = replace(request, experiment=trial, source="forward", denoiser=None)
        model.diagnoses.ask(request)

    def filmed(self, trajectory: MeasuredTrajectory) -> None:
        """A film is ready."""
        model, began = self._model, thread_time()
        if trajectory.request.experiment == model.workspace.experiment:
            self._main.denoising.show(trajectory)
        self.trajectories.took(trajectory.seconds + thread_time() - began)
        if model.session.state is not SessionState.TRAINING:
            self.refresh()  # else the next tick does

    def studied(self, diagnosis: RequestedDiagnosis) -> None:
        """A study is ready."""
        self._studies.took(diagnosis.seconds)
        if diagnosis.request.experiment in (
            self._model.workspace.experiment,
            self._main.form.trial,
        ):
            self._main.loss.tell(diagnosis)
