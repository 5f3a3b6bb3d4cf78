"""An experiment with other settings, written short."""

from __future__ import annotations

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.experiment import Experiment


def changed(of: str | Experiment, **settings: object) -> Experiment:
    """An experiment, or that of a preset, changed; ``data__std="0.1"`` sets ``data.std``."""
    experiment = get_preset(of).experiment if isinstance(of, str) else of
    return experiment.with_settings(
        {path.replace("__", "."): value for path, value in settings.items()}
    )
