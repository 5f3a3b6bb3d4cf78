"""Actions on the training: start, pause, resume or stop it, and change its view."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...core.config.errors import ConfigError
from ..going_on import can_go_on

if TYPE_CHECKING:
    from ..guide.guidance import Guidance
    from ..live_updates import LiveUpdates
    from ..main_screen import MainScreen
    from ..model import Model
    from ..output.terminal_app import TerminalApp


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

    def action_train(self) -> None:
        """Train the current experiment from the start."""
        form = self._main.form
        if form.problems:
            path, error = next(iter(form.problems.items()))
            form.select(path)
            self._updates.show_tab("setup")
            self._app.refuse("Not trained", str(error))
            return
        try:
            if self._model.workspace.reread():
                self._updates.show_workspace()
        except ConfigError as error:
            self._app.refuse("Not trained", str(error))
            return
        self._begin()

    def action_pause(self) -> None:
        """Pause or resume the training, also after its end."""
        training = self._model.workspace.training
        if training is not None and can_go_on(training, self._model.workspace.experiment):
            self._begin(training.run)
        else:
            self._model.session.pause()

    def _begin(self, run: Path | None = None) -> None:
        """Train the current experiment from the start, or resume the run in a folder."""
        workspace = self._model.workspace
        resume = str(run) if run else None
        workspace.training = self._model.session.start(workspace.experiment, resume=resume)
        workspace.source_ideal = False
        self._guidance.did("choose")  # training implies a choice
        if self._main.tab == "setup":
            self._updates.show_tab("training")
        self._updates.refresh()

    def action_stop(self) -> None:
        """Stop the training."""
        if self._model.session.state.active:
            self._model.session.stop()

    def action_loss_view(self) -> None:
        """Show the next view of the loss panel."""
        loss = self._main.loss
        loss.next_view()
        loss.at(self._main.denoising.level)
        if loss.view != "loss":
            self._updates.ask_diagnosis()
