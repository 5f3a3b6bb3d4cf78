"""The picture of the noise levels in the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip

from ..core.config.experiment import Experiment
from ..core.parts.schedules import SCHEDULE_PARTS
from .output.terminal_app import TerminalApp
from .panels.denoising import DenoisingPanel
from .views.noise_levels import noise_levels

if TYPE_CHECKING:
    from .panels.form.form import Picture


def level_picture(app: TerminalApp, panel: DenoisingPanel) -> Picture:
    """Return the function that draws the levels of a trial and its preset.

    A schedule of a part file may fail or never end, so its levels are drawn only once a worker has
    computed them for the points on ``panel``.
    """

    def computed(experiment: Experiment) -> bool:
        if SCHEDULE_PARTS[experiment.schedule.kind].file is None:
            return True
        trajectory = panel.trajectory
        known = trajectory.request.experiment if trajectory is not None else None
        return known is not None and (
            (known.schedule, known.sampling.levels)
            == (experiment.schedule, experiment.sampling.levels)
        )

    def picture(
        trial: Experiment, preset: Experiment, path: str, width: int, height: int
    ) -> list[Strip]:
        if not computed(trial):
            return []
        before, size = preset if computed(preset) else trial, (width, height)
        sampled = path == "sampling.levels"
        return noise_levels(trial, before, *size, app.palette, app.glyphs, sampled=sampled)

    return picture
