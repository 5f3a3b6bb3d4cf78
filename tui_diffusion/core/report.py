"""What a training came to, as one plain mapping: the JSON of ``train`` and ``metrics.json``."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from .metrics import Quality, evaluate
from .mixtures import GaussianMixture
from .training import Trainer
from .trajectory import Trajectory, denoise

LAST = 100
"""The final loss is the mean over this many last steps: one batch says little of a network."""


def plain(value: Any) -> Any:
    """The same value with every number that JSON cannot hold as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def target_of(trajectory: Trajectory, mixture: GaussianMixture) -> GaussianMixture:
    """The exact distribution that a trajectory's result should follow."""
    k, schedule = trajectory.result_level, trajectory.schedule
    return mixture.noised(float(schedule.alphas[k]), float(schedule.sigmas[k]))


def quality(trajectory: Trajectory, mixture: GaussianMixture) -> Quality:
    """The quality of a trajectory's result against what it should follow."""
    return evaluate(trajectory.result, target_of(trajectory, mixture))


def sample_report(trajectory: Trajectory, mixture: GaussianMixture) -> dict[str, Any]:
    """``{"sample": …, "target": …}``: the quality of a sample and the moments it should have."""
    target = target_of(trajectory, mixture)
    moments = {"mean": target.mean().tolist(), "std": target.std().tolist()}
    return {"sample": plain(asdict(quality(trajectory, mixture))), "target": moments}


def training_report(trainer: Trainer, *, points: int | None = None) -> dict[str, Any]:
    """The results of a training and of a sample from its network; the body of ``train --json``."""
    experiment = trainer.experiment
    trajectory = denoise(experiment, trainer.denoiser, points=points, device=trainer.device)
    losses = trainer.losses[: trainer.step]
    diverged = trainer.status == "diverged"
    final = None if diverged or not len(losses) else float(np.mean(losses[-LAST:], dtype=float))
    return {
        "experiment": experiment.name,
        "seed": experiment.seed,
        "device": str(trainer.device),
        "device_reason": trainer.choice.reason,
        "status": trainer.status,
        "steps": trainer.step,
        "seconds": trainer.seconds,
        "steps_per_second": plain(trainer.step / max(trainer.seconds, 1e-9)),
        "loss": {"final": final, "floor": None, "excess": None},
        **sample_report(trajectory, trainer.mixture),
    }
