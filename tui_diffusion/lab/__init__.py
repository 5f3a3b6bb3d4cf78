"""The lab: a Textual app over the core. `open` shows it from a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from ..core.config.experiment import Experiment
    from ..core.config.presets import Preset
    from ..core.methods import Denoiser
    from ..core.mixtures import GaussianMixture
    from ..core.runs.run import Run
    from ..core.training.trainer import Progress, Trainer
    from ..core.trajectory import Trajectory
    from .live.result import LabResult

__all__ = ["open"]


def open(  # noqa: A001
    experiment: Experiment | Preset | str | None = None,
    *,
    trajectory: Trajectory | None = None,
    network: nn.Module | Denoiser | Trainer | Progress | Run | None = None,
    mixture: GaussianMixture | None = None,
) -> LabResult:
    """Open the lab on objects of a script; return what it holds once the person leaves.

    ``experiment`` is one, a preset, or a preset's name; by default that of the network or the
    trajectory, else that of the last session. ``trajectory`` is shown at once. ``network`` is
    sampled with at once: a module is then trained from its weights, as `train` does, and a
    `Trainer`, `Progress` or `Run` can go on. ``mixture`` takes the place of the experiment's data.
    All of them are copied, so that they are the same afterwards.

    Raise TypeError, ValueError or `ConfigError` for wrong arguments, and RuntimeError without a
    terminal, outside the main thread, in a running asyncio loop, or if the lab fails.
    """
    from .live.opening import open_live

    return open_live(experiment, trajectory, network, mixture)
