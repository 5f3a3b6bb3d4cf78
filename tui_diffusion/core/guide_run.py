"""Another run as the guide of a sampling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from .config.errors import ConfigError
from .config.experiment import Experiment
from .methods import NetworkDenoiser
from .parts.methods import METHOD_PARTS


@dataclass(frozen=True)
class GuideRun:
    """A run that guides: its experiment, and its network on a device."""

    experiment: Experiment
    denoiser: NetworkDenoiser


def check_guide(experiment: Experiment) -> None:
    """Raise `ConfigError` if the guide of an experiment is a run that cannot be used."""
    if experiment.sampling.guide_run:
        guide_run(experiment, torch.device("cpu"))


def guide_run(experiment: Experiment, device: torch.device) -> GuideRun:
    """Return the run that guides, read once; raise `ConfigError` if it does not fit."""
    from .runs.naming import find
    from .runs.run import RunError

    name = experiment.sampling.guide
    try:
        folder = find(name)
        written = (folder / "run.json").stat().st_mtime_ns
        run = _opened(str(folder.absolute()), written, str(device))
    except (RunError, OSError) as error:
        reason = error if isinstance(error, RunError) else f"{error.strerror}; allowed: a run"
        raise ConfigError(f"sampling.guide: {reason}", "sampling.guide") from None
    if reason := _unfit(experiment, run.experiment):
        raise ConfigError(f"sampling.guide: run {name!r} {reason}", "sampling.guide")
    return run


@lru_cache(maxsize=8)
def _opened(folder: str, written: int, device: str) -> GuideRun:
    from .runs.run import open_run

    run = open_run(folder)
    return GuideRun(run.experiment, run.denoiser(device))


def _unfit(experiment: Experiment, guide: Experiment) -> str:
    """Return why a run cannot guide, or ''."""
    if guide.dim != experiment.dim:
        return f"denoises points of {guide.dim}D; allowed: a run of {experiment.dim}D"
    both = experiment.network.labels and guide.network.labels
    if both and guide.data.classes != experiment.data.classes:
        return (
            f"knows {guide.data.classes} classes; allowed: a run of {experiment.data.classes}, or "
            "one without labels"
        )
    any_level = METHOD_PARTS[guide.method.name].any_level
    if not any_level and guide.schedule != experiment.schedule:
        return (
            "was trained at other noise levels; allowed: a run of the same schedule, or of a "
            "method that covers every level"
        )
    return ""
