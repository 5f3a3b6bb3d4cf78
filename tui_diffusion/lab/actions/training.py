"""Actions on the training: start, pause, resume or stop it, and change its view."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment
from ...core.parts.registries import part_files
from ...core.text import shown
from ..panels.training import view_by
from ..workspace import reread

if TYPE_CHECKING:
    from ...core.parts.loading import Loaded
    from ..guide.guidance import Guidance
    from ..live_updates import LiveUpdates
    from ..main_screen import MainScreen
    from ..model import Model
    from ..output.terminal_app import TerminalApp
    from ..session.records import Training
    from ..workspace import Workspace


class TrainingActions:
    """Controls the training of the current experiment and shows its panel."""

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
        """Train the current experiment from the start, with its part files as they are now."""
        if part_files:
            from ...core.parts.loading import run_changed

            self._updates.read("loading the parts …", run_changed, self._take_parts)
        else:
            self._train()

    def _take_parts(self, outcome: Future[list[Loaded]]) -> None:
        """Take part files that have changed, then train; the former parts stay if one fails."""
        try:
            for loaded in outcome.result():
                self._model.take_parts(loaded)
                self._updates.show_workspace()
                self._app.notify(
                    f"{shown(loaded.file.name)} has changed and is loaded anew.",
                    title="Parts",
                    markup=False,
                )
        except ConfigError as error:
            self._app.refuse("Not trained", str(error))
        else:
            self._train()

    def _train(self) -> None:
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
        from ...core.runs.naming import with_exact_guide

        workspace = self._model.workspace
        try:
            experiment = with_exact_guide(workspace.experiment)
        except ConfigError as error:
            self._app.refuse("Not trained", str(error))
            return
        if experiment is not workspace.experiment:
            workspace.experiment = experiment
            self._updates.show_workspace()
        training = workspace.training
        same = training is not None and training.experiment == experiment
        if same and self._only_watched("Not trained", "a changed setting makes t train another"):
            return
        if experiment.data.points is None:
            self._begin()
            return
        done = partial(self._reread, workspace, experiment)
        what = f"reading {experiment.data.source} …"
        self._updates.read(what, partial(reread, experiment), done)

    def form_read(self, taken: bool) -> None:
        """Start the training that waited for the form to read a file."""
        awaited, self._awaits_form = self._awaits_form, False
        if awaited and taken:
            self.action_train()

    def _reread(
        self, workspace: Workspace, before: Experiment, outcome: Future[Experiment]
    ) -> None:
        """Train with the points that were read, unless the experiment has changed since."""
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
            self._updates.show_workspace()
        self._begin()

    def _cancel(self) -> None:
        """Cancel a training that waits for a file."""
        self._awaits_form = False
        self._updates.cancel_reading()

    def action_pause(self) -> None:
        """Pause or resume the training, also after its end."""
        workspace = self._model.workspace
        if self._only_watched("Not paused", "once that has ended, p goes on here"):
            return
        if workspace.training is not None and workspace.can_go_on:
            self._begin(workspace.training)
        else:
            self._model.session.pause()

    def _begin(self, before: Training | None = None) -> None:
        """Train the current experiment from the start, or go on with a training that has ended."""
        self._cancel()
        workspace = self._model.workspace
        workspace.forget()
        resume = str(before.run) if before is not None and before.run is not None else before
        workspace.training = self._model.session.start(
            workspace.experiment, resume=resume, parts=workspace.parts
        )
        workspace.ideal_of = None
        self._guidance.did("choose")  # training implies a choice
        if self._main.tab == "setup":
            self._updates.show_tab("training")
        self._updates.refresh()

    def action_stop(self) -> None:
        """Stop the training."""
        self._cancel()
        if self._only_watched("Not stopped", "end that process to stop it"):
            return
        if self._model.session.state.active:
            self._model.session.stop()

    def _only_watched(self, refused: str, instead: str) -> bool:
        """Return whether another process trains the run that shows, and then say so."""
        training = self._model.workspace.training
        if training is None or not training.watched:
            return False
        who = training.watched
        self._app.refuse(refused, f"{who} trains this run, the lab only watches; {instead}.")
        return True

    def action_loss_view(self, by: int = 1) -> None:
        """Show the next view of the loss panel, or the one before."""
        experiment = self._model.workspace.experiment
        self.choose_loss_view(view_by(self._main.loss.view, by, experiment))

    def choose_loss_view(self, view: str) -> None:
        """Show a view of the loss panel by its name."""
        loss = self._main.loss
        loss.choose(view)
        loss.at(self._main.denoising.level)
        if loss.view != "loss":
            self._updates.ask_diagnosis()
