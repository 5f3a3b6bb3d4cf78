"""A run opened for sampling: its experiment with other sampling settings, and its denoiser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.config.experiment import Experiment
from .options import given
from .signals import complain

if TYPE_CHECKING:
    from torch import device as Device

    from ..core.methods import Denoiser
    from ..core.runs.run import Run


def resampled(
    run: Run,
    points: str | None,
    sampler: str | None,
    levels: str | None,
    seed: str | None,
) -> Experiment:
    """Return the experiment of a run with other sampling settings.

    Say which of its parts have changed since.
    """
    for change in run.changed_parts:
        complain(change)
    options = {
        "sampling.points": points,
        "sampling.sampler": sampler,
        "sampling.levels": levels,
        "seed": seed,
    }
    return run.experiment.with_settings(given(options))


def denoiser_of(run: Run, experiment: Experiment, ideal: bool) -> tuple[Denoiser, Device]:
    """Return the network of a run, or with ``ideal`` the exact denoiser, and its device."""
    from ..core.assemble import make_ideal, make_mixture
    from ..core.training.devices import choose_device, use_threads

    device = choose_device(experiment).device
    use_threads(experiment)
    if not ideal:
        return run.denoiser(device), device
    mixture = make_mixture(run.experiment.data, device)
    return make_ideal(run.experiment.method, mixture), device
