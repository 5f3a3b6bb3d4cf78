"""The library: diffusion on Gaussian mixtures, with exact results at every noise level.

It imports torch and numpy and knows no front end. Names are imported on first use, so that the
configuration (`experiment`, `presets`) is available without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import notebook

if TYPE_CHECKING:
    from .analysis.attribution import Attribution, attribute
    from .analysis.densities import densities, density, goal_moments
    from .analysis.error_growth import Amplification
    from .analysis.evaluations import SamplerError, best_samplers, errors_by_evaluations
    from .analysis.guidance.guided_flow import generated_mixture, guided_flow
    from .analysis.guidance.guided_truth import GuidedTruth, guided_truth
    from .analysis.guidance.tilted_density import TiltedDensity
    from .analysis.guidance.vectors import LevelGuidance, guidance_by_level
    from .analysis.likelihood.estimate import Likelihood, likelihood
    from .analysis.loss_floor import LevelLoss, level_losses, training_floor
    from .analysis.memorisation.copies import copied
    from .analysis.memorisation.measures import (
        FiniteLosses,
        OptimumDistance,
        finite_losses,
        memorisation_report,
        optimum_distances,
    )
    from .analysis.metrics import Quality, evaluate
    from .analysis.report import quality
    from .analysis.start_mismatch import StartMismatch, start_mismatch
    from .assemble import make_method, make_mixture, make_schedule, scaling_of
    from .conditioning import conditioned, guided, truth_of
    from .config.catalog import get_preset
    from .config.errors import ConfigError
    from .config.experiment import Experiment
    from .config.presets import PRESETS, Preset
    from .config.stepping import nudge
    from .config.user_presets import own_presets, remove_preset, rename_preset, save_preset
    from .conformance.check import Check, Conformance, Verdict
    from .conformance.dataset import check_dataset
    from .conformance.method import check_method
    from .conformance.network import check_network
    from .conformance.report import check_part
    from .conformance.sampler import check_sampler
    from .conformance.schedule import check_schedule
    from .guidance import ClassDenoiser, GuidedDenoiser
    from .methods import METHODS, Denoiser, IdealDenoiser, Method, NetworkDenoiser, Prediction
    from .mixtures import GaussianMixture
    from .runs.changes import Changes, changes_of
    from .runs.checkpointer import Checkpointer
    from .runs.naming import all_runs
    from .runs.resume import resume, resumed_experiment
    from .runs.run import Run, RunError, open_run, save_run
    from .runs.store import Summary, delete_run, list_runs, rename_run
    from .samplers import Sampler, Step
    from .schedules import Level, Schedule
    from .sweeps.naming import open_sweep
    from .sweeps.results import SweepResults, sweep_results
    from .sweeps.run import SweepProgress, run_sweep
    from .sweeps.store import StoredSweep, delete_sweep, list_sweeps, rename_sweep
    from .sweeps.sweep import Axis, Cell, Sweep
    from .training.trainer import Progress, Trainer, train
    from .training_set import TrainingSet, ideal_denoiser, make_training_set
    from .trajectory import Trajectory, denoise, forward_process

_HOME = {
    "analysis.attribution": (
        "Attribution",
        "attribute",
    ),
    "analysis.densities": (
        "densities",
        "density",
        "goal_moments",
    ),
    "analysis.error_growth": ("Amplification",),
    "analysis.evaluations": (
        "SamplerError",
        "best_samplers",
        "errors_by_evaluations",
    ),
    "analysis.guidance.vectors": (
        "LevelGuidance",
        "guidance_by_level",
    ),
    "analysis.guidance.guided_flow": (
        "generated_mixture",
        "guided_flow",
    ),
    "analysis.guidance.guided_truth": (
        "GuidedTruth",
        "guided_truth",
    ),
    "analysis.likelihood.estimate": (
        "Likelihood",
        "likelihood",
    ),
    "analysis.memorisation.copies": ("copied",),
    "analysis.loss_floor": (
        "LevelLoss",
        "level_losses",
        "training_floor",
    ),
    "analysis.memorisation.measures": (
        "FiniteLosses",
        "OptimumDistance",
        "finite_losses",
        "memorisation_report",
        "optimum_distances",
    ),
    "analysis.metrics": (
        "Quality",
        "evaluate",
    ),
    "analysis.report": ("quality",),
    "analysis.start_mismatch": (
        "StartMismatch",
        "start_mismatch",
    ),
    "analysis.guidance.tilted_density": ("TiltedDensity",),
    "assemble": (
        "make_method",
        "make_mixture",
        "make_schedule",
        "scaling_of",
    ),
    "conditioning": (
        "conditioned",
        "guided",
        "truth_of",
    ),
    "config.catalog": ("get_preset",),
    "config.errors": ("ConfigError",),
    "config.experiment": ("Experiment",),
    "config.presets": (
        "PRESETS",
        "Preset",
    ),
    "config.stepping": ("nudge",),
    "config.user_presets": (
        "own_presets",
        "remove_preset",
        "rename_preset",
        "save_preset",
    ),
    "conformance.check": (
        "Check",
        "Conformance",
        "Verdict",
    ),
    "conformance.dataset": ("check_dataset",),
    "conformance.method": ("check_method",),
    "conformance.network": ("check_network",),
    "conformance.report": ("check_part",),
    "conformance.sampler": ("check_sampler",),
    "conformance.schedule": ("check_schedule",),
    "guidance": (
        "ClassDenoiser",
        "GuidedDenoiser",
    ),
    "methods": (
        "Denoiser",
        "IdealDenoiser",
        "METHODS",
        "Method",
        "NetworkDenoiser",
        "Prediction",
    ),
    "mixtures": ("GaussianMixture",),
    "runs.changes": (
        "Changes",
        "changes_of",
    ),
    "runs.checkpointer": ("Checkpointer",),
    "runs.naming": ("all_runs",),
    "runs.resume": (
        "resumed_experiment",
        "resume",
    ),
    "runs.run": (
        "Run",
        "RunError",
        "open_run",
        "save_run",
    ),
    "runs.store": (
        "Summary",
        "delete_run",
        "list_runs",
        "rename_run",
    ),
    "samplers": (
        "Sampler",
        "Step",
    ),
    "schedules": (
        "Level",
        "Schedule",
    ),
    "sweeps.naming": ("open_sweep",),
    "sweeps.results": (
        "SweepResults",
        "sweep_results",
    ),
    "sweeps.run": (
        "SweepProgress",
        "run_sweep",
    ),
    "sweeps.store": (
        "StoredSweep",
        "delete_sweep",
        "list_sweeps",
        "rename_sweep",
    ),
    "sweeps.sweep": (
        "Axis",
        "Cell",
        "Sweep",
    ),
    "training_set": (
        "TrainingSet",
        "ideal_denoiser",
        "make_training_set",
    ),
    "training.trainer": (
        "Progress",
        "Trainer",
        "train",
    ),
    "trajectory": (
        "Trajectory",
        "denoise",
        "forward_process",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
_PICTURES = dict.fromkeys(("data_picture", "mixture_picture"), "data_pictures")
"""Functions that notebooks find by name: what they draw must not import them."""

__all__ = [
    "METHODS",
    "PRESETS",
    "Amplification",
    "Attribution",
    "Axis",
    "Cell",
    "Changes",
    "Check",
    "Checkpointer",
    "ClassDenoiser",
    "ConfigError",
    "Conformance",
    "Denoiser",
    "Experiment",
    "FiniteLosses",
    "GaussianMixture",
    "GuidedDenoiser",
    "GuidedTruth",
    "IdealDenoiser",
    "Level",
    "LevelGuidance",
    "LevelLoss",
    "Likelihood",
    "Method",
    "NetworkDenoiser",
    "OptimumDistance",
    "Prediction",
    "Preset",
    "Progress",
    "Quality",
    "Run",
    "RunError",
    "Sampler",
    "SamplerError",
    "Schedule",
    "StartMismatch",
    "Step",
    "StoredSweep",
    "Summary",
    "Sweep",
    "SweepProgress",
    "SweepResults",
    "TiltedDensity",
    "Trainer",
    "TrainingSet",
    "Trajectory",
    "Verdict",
    "all_runs",
    "attribute",
    "best_samplers",
    "changes_of",
    "check_dataset",
    "check_method",
    "check_network",
    "check_part",
    "check_sampler",
    "check_schedule",
    "conditioned",
    "copied",
    "delete_run",
    "delete_sweep",
    "denoise",
    "densities",
    "density",
    "errors_by_evaluations",
    "evaluate",
    "finite_losses",
    "forward_process",
    "generated_mixture",
    "get_preset",
    "goal_moments",
    "guidance_by_level",
    "guided",
    "guided_flow",
    "guided_truth",
    "ideal_denoiser",
    "level_losses",
    "likelihood",
    "list_runs",
    "list_sweeps",
    "make_method",
    "make_mixture",
    "make_schedule",
    "make_training_set",
    "memorisation_report",
    "nudge",
    "open_run",
    "open_sweep",
    "optimum_distances",
    "own_presets",
    "quality",
    "remove_preset",
    "rename_preset",
    "rename_run",
    "rename_sweep",
    "resume",
    "resumed_experiment",
    "run_sweep",
    "save_preset",
    "save_run",
    "scaling_of",
    "start_mismatch",
    "sweep_results",
    "train",
    "training_floor",
    "truth_of",
]


def __getattr__(name: str) -> Any:
    module = {**_MODULE_OF, **_PICTURES}.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


notebook.find_with(__getattr__)
