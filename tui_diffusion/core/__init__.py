"""The library: diffusion on Gaussian mixtures, with the exact truth at every noise level.

It imports torch and numpy and knows no front end. Names are loaded when first used, so that the
configuration (`experiment`, `presets`) can be had without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoints import Checkpointer
    from .exact import densities, density, goal_moments
    from .experiment import ConfigError, Experiment
    from .methods import METHODS, IdealDenoiser, NetworkDenoiser
    from .metrics import evaluate
    from .mixtures import GaussianMixture
    from .presets import PRESETS, Preset, get_preset
    from .resuming import continued, resume
    from .runs import Run, RunError, open_run, save_run
    from .schedules import Schedule, make_schedule
    from .store import Summary, delete_run, list_runs, rename_run
    from .training import Progress, Trainer, train
    from .trajectory import Trajectory, denoise, forward_process

_HOME = {
    "checkpoints": ("Checkpointer",),
    "exact": ("densities", "density", "goal_moments"),
    "experiment": ("ConfigError", "Experiment"),
    "methods": ("METHODS", "IdealDenoiser", "NetworkDenoiser"),
    "metrics": ("evaluate",),
    "mixtures": ("GaussianMixture",),
    "presets": ("PRESETS", "Preset", "get_preset"),
    "resuming": ("continued", "resume"),
    "runs": ("Run", "RunError", "open_run", "save_run"),
    "schedules": ("Schedule", "make_schedule"),
    "store": ("Summary", "delete_run", "list_runs", "rename_run"),
    "training": ("Progress", "Trainer", "train"),
    "trajectory": ("Trajectory", "denoise", "forward_process"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "METHODS",
    "PRESETS",
    "Checkpointer",
    "ConfigError",
    "Experiment",
    "GaussianMixture",
    "IdealDenoiser",
    "NetworkDenoiser",
    "Preset",
    "Progress",
    "Run",
    "RunError",
    "Schedule",
    "Summary",
    "Trainer",
    "Trajectory",
    "continued",
    "delete_run",
    "denoise",
    "densities",
    "density",
    "evaluate",
    "forward_process",
    "get_preset",
    "goal_moments",
    "list_runs",
    "make_schedule",
    "open_run",
    "rename_run",
    "resume",
    "save_run",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value
