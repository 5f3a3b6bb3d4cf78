"""Updates of the panels during training: loss, trajectory and diagnosis, each at its own rate."""

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
"""Maximum number of drawings of the loss per second."""
_SLOWEST = 0.5
"""Longest time, in seconds, between two drawings of the loss."""
_TRAJECTORIES = 1.0
"""Maximum number of trajectories sampled per second while training."""
_DIAGNOSES = 1.0
"""Maximum number of diagnoses per second while training."""
_SHARE = 0.02
"""Maximum share of the time that the screen, or either worker, may take from the training."""


class LiveUpdates:
    """The updates of the panels to the model, and the requests of trajectories and diagnoses.

    ``fps``: maximum number of drawings of the loss per second.
    """

    def __init__(
        self, app: TerminalApp, model: Model, main: MainScreen, guidance: Guidance, fps: float
    ) -> None:
        self._app = app
        self._model = model
        self._main = main
        self._guidance = guidance
        self.frames = Clock(fps, _SHARE, _SLOWEST)
        self.trajectories = Clock(_TRAJECTORIES, _SHARE)
        self._diagnoses = Clock(_DIAGNOSES, _SHARE)
        self._drawn_at = thread_time()
        self._last_states: tuple[SessionState, ...] = (SessionState.IDLE,)
        self._last_unsaved = ""
        self.counts: Mapping[str, int] = {}
        self._reader: Reader[Any] = Reader(app)
        self._reading = ""

    def start(self) -> None:
        """Start the timer; call once the lab is mounted."""
        # An update that comes before its drawing is due would not show if no other followed.
        self._pulse = self._app.set_interval(_SLOWEST / 2, self.tick, pause=True)

    # --- the workspace -----------------------------------------------------------------------

    def choose(self, name: str) -> None:
        """Choose another experiment and show its workspace."""
        self._main.experiments.chosen = self._model.chosen = name
        self.show_workspace()

    def show_workspace(self) -> None:
        """Show the workspace of the chosen experiment in every panel."""
        workspace, main = self._model.workspace, self._main
        main.form.show(workspace.experiment, self._model.preset.experiment, workspace.variation)
        main.denoising.expect(workspace.experiment.sampling_levels)
        main.loss.show(workspace.training)
        main.loss.show_diagnosis(None)
        self.write_hints()
        self.ask()
        self.refresh()
        self._guidance.write()

    def write_hints(self) -> None:
        """Write a hint into each empty panel: the wait, or the key that fills it."""
        model = self._model
        self._main.denoising.hint("sampling …" if model.loaded else "loading torch …")
        workspace, plan = model.workspace, model.workspace.experiment.training
        it = "the network of the script" if workspace.parts else "it"
        about = model.preset.about
        if workspace.given is not None:
            from ..core.config.titles import about_of

            about = about_of(workspace.experiment)
        self._main.loss.hint(
            f"{about}\n\nt trains {it}: {plan.steps:,} steps of {plan.batch:,} points"
        )

    # --- the lines around the panels ---------------------------------------------------------

    def show_tab(self, tab: str) -> None:
        """Show a tab."""
        self._main.tab = tab
        self.write()

    def turn_to(self, tab: str) -> None:
        """Show a tab and focus its panel."""
        self.show_tab(tab)
        self._main.focus_tab()

    def write(self) -> None:
        """Write the tabs, the status line, the key bar and the guide."""
        self._main.write_tabs()
        self.write_status()
        self._guidance.write()

    # --- the latest weights ------------------------------------------------------------------

    @property
    def awaited(self) -> bool:
        """Whether a tick would change anything now. Thread-safe."""
        return self._model.states != self._last_states or self.frames.near

    def tick(self) -> None:
        """Handle an update of the session: refresh the panels if a drawing is due."""
        # All work of this thread since the last drawing counts: while it runs Python, the training
        # waits for the interpreter lock.
        self.frames.took(thread_time() - self._drawn_at)
        due = self.frames.due() and not self._app.pace.clogged
        if self._model.states != self._last_states or due:
            self._drawn_at = thread_time()
            self.refresh()

    def refresh(self) -> None:
        """Read the state of the session and show it."""
        model, loss = self._model, self._main.loss
        if not self._app.is_running:
            return  # the widgets are being removed
        states, state = model.states, model.session.state
        before, self._last_states = self._last_states, states
        changed = states != before
        if changed:
            (self._pulse.resume if SessionState.TRAINING in states else self._pulse.pause)()
        training = model.workspace.training
        if training is not None:
            if training.unsaved and training.unsaved != self._last_unsaved:
                self._app.refuse("Not saved", training.unsaved)
            self._last_unsaved = training.unsaved
            if training is not loss.training or (changed and training.losses is not None):
                loss.show(training)
            else:
                loss.redraw()
            self._follow(training, changed)
            failed = state is SessionState.FAILED and state is not before[0]
            if failed and not loss.is_on_screen:
                self._app.refuse("Training failed", training.error)
        if changed:
            self.mark()
        self.write_status()
        self._guidance.update()

    def _follow(self, training: Training, changed: bool) -> None:
        """Request a trajectory of the latest weights if the panel shows an older one."""
        model, denoising, snapshot = self._model, self._main.denoising, training.snapshot
        trajectory = denoising.trajectory
        if snapshot is not None and model.workspace.trained() is training:
            request = trajectory.request if trajectory is not None else None
            newer = request is None or request.denoiser is not snapshot[1]
            complete = request is not None and (request.live and not training.state.active)
            visible = denoising.is_on_screen
            stale = visible and (newer or complete) and not model.workspace.source_ideal
            urgent = changed or not training.state.active
            if stale and not model.sampling.busy and (urgent or self.trajectories.due()):
                self.ask()
        if training.state is SessionState.TRAINING:
            training.wanted.set()

    def mark(self) -> None:
        """Mark the experiments that are trained, in this session or in a run on disk."""
        session = {
            key: workspace.training.state.mark
            for key, workspace in self._model.workspaces.items()
            if workspace.training is not None
        }
        on_disk = {key: mark_of(count) for key, count in self.counts.items() if key not in session}
        self._main.experiments.marks = session | on_disk

    def count_runs(self) -> None:
        """Count the runs on disk in a thread, to mark their experiments."""
        ask_for_counts(self._app.post_while_running)

    def read(self, what: str, job: Callable[[], T], done: Callable[[Future[T]], None]) -> None:
        """Run a file-reading ``job`` on another thread; the status line shows ``what`` meanwhile.

        A newer job replaces an older one.
        """

        def handed_over(outcome: Future[T]) -> None:
            self._show_reading("")
            done(outcome)

        self._reader.start(job, handed_over)
        self._show_reading(what)

    def cancel_reading(self) -> None:
        """Drop the job in progress, because the workspace has changed."""
        self._reader.cancel()
        self._show_reading("")

    def _show_reading(self, what: str) -> None:
        if what != self._reading:
            self._reading = what
            self.write_status()

    def write_status(self) -> None:
        """Write the state of the session into the status line."""
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

    # --- trajectories and diagnoses ----------------------------------------------------------

    def ask(self) -> None:
        """Request the trajectory of the workspace, and its diagnosis if that view is open."""
        model = self._model
        request = model.workspace.request(
            live=model.workspace.active, level=self._main.denoising.level
        )
        model.sampling.ask(request)
        if self._main.loss.view != "loss" and (not request.live or self._diagnoses.due()):
            model.diagnoses.ask(replace(request, study=self._main.loss.view))

    def ask_diagnosis(self) -> None:
        """Request the diagnosis alone, at once; while a field is edited, for the value typed."""
        model, trial = self._model, self._main.form.trial
        self._diagnoses.took(0.0)
        request = model.workspace.request(live=model.workspace.active)
        if trial != model.workspace.experiment:
            request = replace(request, experiment=trial, source="forward", denoiser=None)
        model.diagnoses.ask(replace(request, study="quick"))

    def show_trajectory(self, trajectory: MeasuredTrajectory) -> None:
        """Show a trajectory, unless the experiment has changed since the request."""
        model, start = self._model, thread_time()
        if trajectory.request.experiment == model.workspace.experiment:
            self._main.denoising.show(trajectory)
        self.trajectories.took(trajectory.seconds + thread_time() - start)
        if model.session.state is not SessionState.TRAINING:
            self.refresh()  # while training, the next tick refreshes

    def show_diagnosis(self, diagnosis: RequestedDiagnosis) -> None:
        """Show a diagnosis, unless the experiment has changed since the request."""
        self._diagnoses.took(diagnosis.seconds)
        if diagnosis.request.experiment in (
            self._model.workspace.experiment,
            self._main.form.trial,
        ):
            loss = self._main.loss
            loss.show_diagnosis(diagnosis)
            if loss.diagnosis is not None and loss.diagnosis.lacks(loss.view):
                # The quick parts show while the slow one is measured.
                request = replace(diagnosis.request, study=loss.view)
                self._model.diagnoses.ask(request)
