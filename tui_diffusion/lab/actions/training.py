"""What is done to the training: begin it, hold it, end it, and look at it."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment
from ..going_on import can_go_on
from ..workspace import reread

if TYPE_CHECKING:
    from ..guide.guidance import Guidance
    from ..live_updates import LiveUpdates
    from ..main_screen import MainScreen
    from ..model import Model
    from ..output.terminal_app import TerminalApp
    from ..workspace import Workspace


class TrainingActions:
    """Trains what is set, and turns to where that is seen."""

    def __init__(
        self,
        app: TerminalApp,
        model: Model,
        main: MainScreen,
        updates: LiveUpdates,
        guidance: Guidance,
    ) -> None:
        self._app = app
        self._model = model
        self._main = main
        self._updates = updates
        self._guidance = guidance
        self._awaits_form = False

    def action_train(self) -> None:
        """Train what is set, anew; points of a file as they stand there now."""
        form = self._main.form
        if form.reading:
            self._awaits_form = True
            return
        if form.problems:
            path, error = next(iter(form.problems.items()))
            form.select(path)
            self._updates.show_tab("setup")
            self._app.refuse("Not trained", str(error))
            return
        workspace = self._model.workspace
        experiment = workspace.experiment
        if experiment.data.points is None:
            self._begin()
            return
        done = partial(self._reread, workspace, experiment)
        what = f"reading {experiment.data.source} …"
        self._updates.read(what, partial(reread, experiment), done)

    def form_read(self, taken: bool) -> None:
        """Train what waited for the form to read a file."""
        awaited, self._awaits_form = self._awaits_form, False
        if awaited and taken:
            self.action_train()

    def _reread(
        self, workspace: Workspace, before: Experiment, outcome: Future[Experiment]
    ) -> None:
        """Train the points that were read, if they are still those of what is set."""
        if workspace is not self._model.workspace:
            return
        if workspace.experiment is not before:
            self.action_train()
            return
        try:
            now = outcome.result()
        except ConfigError as error:
            self._app.refuse("Not trained", str(error))
            return
        if now != before:
            workspace.experiment = now
            self._updates.show_bench()
        self._begin()

    def _cancel(self) -> None:
        """Train nothing that is still to be read."""
        self._awaits_form = False
        self._updates.cancel_reading()

    def action_pause(self) -> None:
        """Hold the training, or go on with it, also after its end."""
        training = self._model.workspace.training
        if training is not None and can_go_on(training, self._model.workspace.experiment):
            self._begin(training.run)
        else:
            self._model.session.pause()

    def _begin(self, run: Path | None = None) -> None:
        """Train what is set: anew, or on from where a run ended."""
        self._cancel()
        workspace = self._model.workspace
        resume = str(run) if run else None
        workspace.training = self._model.session.start(workspace.experiment, resume=resume)
        workspace.source_ideal = False
        self._guidance.did("choose")  # who trains has chosen
        if self._main.tab == "setup":
            self._updates.show_tab("training")
        self._updates.refresh()

    def action_stop(self) -> None:
        """End the training."""
        self._cancel()
        if self._model.session.state.active:
            self._model.session.stop()

    def action_study(self) -> None:
        """The next view of the loss."""
        loss = self._main.loss
        loss.next_view()
        loss.at(self._main.denoising.level)
        if loss.view != "loss":
            self._updates.ask_study()
