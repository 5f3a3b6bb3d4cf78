"""A run opened for sampling: its experiment with other sampling settings, and its denoiser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.config.errors import ConfigError
from ..core.config.experiment import Experiment, field_table
from ..interface.command_line import parse_settings
from .options import given
from .signals import complain

if TYPE_CHECKING:
    from torch import device as Device

    from ..core.methods import Denoiser
    from ..core.runs.run import Run
    from ..core.training_set import Optimum


_FREE = ("seed", "device")
"""Fields outside of sampling that may differ from those of the run."""


def resampled(
    run: Run,
    points: str | None,
    sampler: str | None,
    levels: str | None,
    seed: str | None,
    settings: tuple[str, ...] = (),
) -> Experiment:
    """Return the experiment of a run with other sampling settings.

    Say which of its parts have changed since. Raise `ConfigError` for a setting of the training.
    """
    from ..core.guide_run import check_guide
    from ..core.runs.naming import with_exact_guide

    changes = parse_settings(settings)
    for path in changes:
        if path in field_table() and not path.startswith("sampling.") and path not in _FREE:
            raise ConfigError(
                f"{path}: cannot change in a run; allowed: sampling.*, {', '.join(_FREE)}", path
            )
    for change in run.changed_parts:
        complain(change)
    options = {
        "sampling.points": points,
        "sampling.sampler": sampler,
        "sampling.levels": levels,
        "seed": seed,
    }
    experiment = run.experiment.with_settings({**changes, **given(options)})
    check_guide(experiment)
    return with_exact_guide(experiment)


def asked_of(experiment: Experiment) -> dict[str, Any]:
    """Return the class and the guidance of a sampling, for a report; None where there are none."""
    from ..core.conditioning import label_asked

    sampling = experiment.sampling
    return {
        "label": label_asked(experiment),
        "guidance": sampling.guidance if sampling.guided else None,
        "guide": sampling.guide if sampling.guided else None,
    }


def denoiser_of(
    run: Run, experiment: Experiment, ideal_of: Optimum | None = None
) -> tuple[Denoiser, Device]:
    """Return the network of a run, or the exact denoiser of its data, and its device."""
    from ..core.training.devices import choose_device, use_threads
    from ..core.training_set import ideal_denoiser

    device = choose_device(experiment).device
    use_threads(experiment)
    if ideal_of is None:
        return run.denoiser(device), device
    if ideal_of == "training set" and not run.experiment.data.finite:
        raise ConfigError(
            "--ideal-of: training-set needs a run with a training set; allowed: population, or a "
            "run with data.train_points above 0"
        )
    # The set is that of the training's seed.
    return ideal_denoiser(run.experiment, ideal_of, device), device
