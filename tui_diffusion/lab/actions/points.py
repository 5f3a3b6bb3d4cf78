"""Actions on the points that need more than their panel: resample them, or copy their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..live_updates import LiveUpdates
    from ..model import Model
    from ..output.terminal_app import TerminalApp
    from ..panels.denoising import DenoisingPanel
    from ..panels.form.form import Form


class PointActions:
    """Changes the source of the points, and copies their numbers."""

    def __init__(
        self,
        app: TerminalApp,
        model: Model,
        form: Form,
        denoising: DenoisingPanel,
        updates: LiveUpdates,
    ) -> None:
        self._app = app
        self._model = model
        self._form = form
        self._denoising = denoising
        self._updates = updates

    def action_noise(self) -> None:
        """Sample again from fresh noise."""
        self._model.workspace.noise += 1
        self._updates.ask()

    def action_ideal(self) -> None:
        """Switch between the network and the exact denoisers."""
        self._model.workspace.swap()
        self._updates.ask()

    def action_start(self) -> None:
        """Switch between the exact start of sampling and the preset's."""
        workspace, preset = self._model.workspace, self._model.preset.experiment
        default = preset.sampling.start
        if default == "exact":
            default = "data-mean"
        start = default if workspace.experiment.sampling.start == "exact" else "exact"
        workspace.experiment = workspace.experiment.with_settings({"sampling.start": start})
        self._form.show(workspace.experiment, preset)
        self._updates.ask()

    def action_jump(self) -> None:
        """Ask for a level by its number in the denoising panel."""
        if self._denoising.is_on_screen:
            self._denoising.action_jump()
        else:
            self._updates.turn_to("denoising")
            self._app.call_after_refresh(self._denoising.action_jump)

    def action_copy(self) -> None:
        """Copy the level's numbers and the command line to the clipboard and to a file."""
        from ...interface.command_line import command_line
        from ..clipboard import keep, level_text

        trajectory, experiment = self._denoising.trajectory, self._model.workspace.experiment
        level = self._denoising.level
        text = level_text(trajectory, level) if trajectory is not None else command_line(experiment)
        self._app.copy_to_clipboard(text)
        try:
            where = f"also in {keep(text)}"
        except OSError as error:
            where = f"not written to a file ({error.strerror})"
        self._app.notify(f"Copied, if the terminal allows it; {where}", markup=False)
