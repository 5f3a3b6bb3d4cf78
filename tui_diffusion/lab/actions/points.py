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
        self._model.bench.noise += 1
        self._updates.ask()

    def action_ideal(self) -> None:
        """The exact denoiser in the network's place, and back."""
        bench = self._model.bench
        bench.source_ideal = not bench.source_ideal
        self._updates.ask()

    def action_start(self) -> None:
        """The exact start of sampling, or the usual one."""
        bench, preset = self._model.bench, self._model.preset.experiment
        usual = preset.sampling.start
        if usual == "exact":
            usual = "data-mean"
        other = usual if bench.experiment.sampling.start == "exact" else "exact"
        bench.experiment = bench.experiment.with_settings({"sampling.start": other})
        self._form.show(bench.experiment, preset)
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
        from ...core.config.command_line import command_line
        from ..clipboard import keep, level_text

        film, experiment = self._denoising.film, self._model.bench.experiment
        level = self._denoising.level
        text = level_text(film, level) if film is not None else command_line(experiment)
        self._app.copy_to_clipboard(text)
        try:
            where = f"also in {keep(text)}"
        except OSError as error:
            where = f"but to no file ({error.strerror})"
        self._app.notify(f"Copied, where the terminal allows it; {where}", markup=False)
