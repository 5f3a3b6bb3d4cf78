"""The library: diffusion on Gaussian mixtures, with the exact truth at every noise level.

It imports torch and numpy and knows no front end. Names are loaded when first used, so that the
configuration (`experiment`, `presets`) can be had without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .amplification import Amplification
    from .attribution import Attribution, attribute
    from .changes import Changes, changes_of
    from .checkpoints import Checkpointer
    from .datasets import make_mixture, scaling_of
    from .exact import densities, density, goal_moments
    from .experiment import ConfigError, Experiment
    from .floor import LevelLoss, level_losses, training_floor
    from .methods import METHODS, IdealDenoiser, NetworkDenoiser, make_method
    from .metrics import evaluate
    from .mismatch import StartMismatch, start_mismatch
    from .mixtures import GaussianMixture
    from .naming import all_runs
    from .nudging import nudge
    from .own_presets import own_presets, remove_preset, rename_preset, save_preset
    from .presets import PRESETS, Preset, get_preset
    from .resuming import continued, resume
    from .runs import Run, RunError, open_run, save_run
    from .schedules import Schedule, make_schedule
    from .store import Summary, delete_run, list_runs, rename_run
    from .training import Progress, Trainer, train
    from .trajectory import Trajectory, denoise, forward_process

_HOME = {
    "amplification": ("Amplification",),
    "attribution": (
        "Attribution",
        "attribute",
    ),
    "datasets": (
        "make_mixture",
        "scaling_of",
    ),
    "floor": (
        "LevelLoss",
        "level_losses",
        "training_floor",
    ),
    "mismatch": (
        "StartMismatch",
        "start_mismatch",
    ),
    "changes": ("Changes", "changes_of"),
    "checkpoints": ("Checkpointer",),
    "exact": ("densities", "density", "goal_moments"),
    "experiment": ("ConfigError", "Experiment"),
    "methods": ("METHODS", "IdealDenoiser", "NetworkDenoiser", "make_method"),
    "metrics": ("evaluate",),
    "mixtures": ("GaussianMixture",),
    "naming": ("all_runs",),
    "nudging": ("nudge",),
    "own_presets": ("own_presets", "remove_preset", "rename_preset", "save_preset"),
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
    "Amplification",
    "Attribution",
    "Changes",
    "Checkpointer",
    "ConfigError",
    "Experiment",
    "GaussianMixture",
    "IdealDenoiser",
    "LevelLoss",
    "NetworkDenoiser",
    "Preset",
    "Progress",
    "Run",
    "RunError",
    "Schedule",
    "StartMismatch",
    "Summary",
    "Trainer",
    "Trajectory",
    "all_runs",
    "attribute",
    "changes_of",
    "continued",
    "delete_run",
    "denoise",
    "densities",
    "density",
    "evaluate",
    "forward_process",
    "get_preset",
    "goal_moments",
    "level_losses",
    "list_runs",
    "make_method",
    "make_mixture",
    "make_schedule",
    "nudge",
    "open_run",
    "own_presets",
    "remove_preset",
    "rename_preset",
    "rename_run",
    "resume",
    "save_preset",
    "save_run",
    "scaling_of",
    "start_mismatch",
    "train",
    "training_floor",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value
