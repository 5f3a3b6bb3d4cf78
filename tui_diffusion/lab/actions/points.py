"""What is done to the points where more than their panel is needed: other ones, and a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..live_updates import LiveUpdates
    from ..model import Model
    from ..output.terminal_app import TerminalApp
    from ..panels.denoising import DenoisingPanel
    from ..panels.form.form import Form


class PointActions:
    """Has the points come from elsewhere, and copies what is measured of them."""

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
        """Other noise to start from."""
        self._model.workspace.noise += 1
        self._updates.ask()

    def action_ideal(self) -> None:
        """The exact denoiser in the network's place, and back."""
        workspace = self._model.workspace
        workspace.source_ideal = not workspace.source_ideal
        self._updates.ask()

    def action_start(self) -> None:
        """The exact start of sampling, or the usual one."""
        workspace, preset = self._model.workspace, self._model.preset.experiment
        usual = preset.sampling.start
        if usual == "exact":
            usual = "data-mean"
        other = usual if workspace.experiment.sampling.start == "exact" else "exact"
        workspace.experiment = workspace.experiment.with_settings({"sampling.start": other})
        self._form.show(workspace.experiment, preset)
        self._updates.ask()

    def action_jump(self) -> None:
        """Ask for a level by its number, where it is seen."""
        if self._denoising.is_on_screen:
            self._denoising.action_jump()
        else:
            self._updates.turn_to("denoising")
            self._app.call_after_refresh(self._denoising.action_jump)

    def action_copy(self) -> None:
        """What is measured, and how to have it again, to the clipboard and to a file."""
        from ...interface.command_line import command_line
        from ..clipboard import keep, level_text

        trajectory, experiment = self._denoising.trajectory, self._model.workspace.experiment
        level = self._denoising.level
        text = level_text(trajectory, level) if trajectory is not None else command_line(experiment)
        self._app.copy_to_clipboard(text)
        try:
            where = f"also in {keep(text)}"
        except OSError as error:
            where = f"but to no file ({error.strerror})"
        self._app.notify(f"Copied, where the terminal allows it; {where}", markup=False)
