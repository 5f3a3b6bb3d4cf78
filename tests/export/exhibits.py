"""What the tests of exports show."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tui_diffusion.core import METHODS, PRESETS, IdealDenoiser, denoise
from tui_diffusion.core.assemble import make_mixture
from tui_diffusion.export import ExportOptions
from tui_diffusion.export.scene import Exhibit

SMALL = ExportOptions(size=(320, 240), fps=10, seconds=1)


def exhibit_of(name: str, points: int = 200) -> Exhibit:
    experiment = PRESETS[name].experiment
    method = METHODS[experiment.method.name]
    ideal = IdealDenoiser(make_mixture(experiment.data), method)
    trajectory = denoise(experiment, ideal, points=points)
    losses = np.linspace(2, 1, 30, dtype=np.float32)
    return Exhibit(experiment, trajectory, losses, "ideal denoiser")


def left_over(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if ".tmp" in path.name]
