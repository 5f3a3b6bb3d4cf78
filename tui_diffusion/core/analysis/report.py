"""The results of a training as one plain mapping: the JSON of ``train`` and ``metrics.json``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..arguments import check_type
from ..assemble import mixture_of, sampling_schedule, scaling_of
from ..conditioning import label_asked, truth_of
from ..config.experiment import Experiment
from ..config.presets import Preset, experiment_of
from ..datasets import Scaling
from ..methods import Denoiser
from ..mixtures import GaussianMixture
from ..progress import ProgressCallback
from ..training.trainer import Trainer
from ..training_set import TrainingSet, make_training_set
from ..trajectory import Trajectory, denoise
from .attribution import attribute, verdict
from .error_growth import amplification
from .evaluations import best_samplers, errors_by_evaluations
from .guidance.effect import guided_distances
from .guidance.vectors import guidance_by_level
from .likelihood.estimate import likelihood
from .likelihood.probability_flow import NoFieldError
from .loss_floor import level_losses, training_excess, training_floor
from .memorisation.copies import clean_points
from .memorisation.measures import memorisation_report
from .metrics import Quality, evaluate
from .start_mismatch import start_mismatch

LAST = 100
"""Number of last steps whose mean is the final loss: the loss of one batch is too noisy."""


def json_values(value: Any) -> Any:
    """Replace every number that JSON cannot hold by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: json_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_values(item) for item in value]
    return value


_ALWAYS = frozenset(
    ("mean", "std", "energy_distance", "sliced_wasserstein", "loss", "excess", "total")
)
"""Keys that always have a number in a report; other numbers may not apply."""


def unknown(report: Any) -> str:
    """Return which number of a report (from `json_values`) is not finite but should be, or ''."""
    if not isinstance(report, dict):
        return next(filter(None, map(unknown, report)), "") if isinstance(report, list) else ""
    name: str
    for name, value in report.items():
        if name == "not_finite" and value:
            return not_finite(value, report["points"])
        no_excess = name == "excess" and report.get("floor", 0.0) is None  # unknown population
        known = name in _ALWAYS and not no_excess
        if known and None in (value if isinstance(value, list) else [value]):
            return f"{name.replace('_', ' ')} is not finite"
        fault = unknown(value)
        if fault:
            return fault
    return ""


def not_finite(lost: int, points: int) -> str:
    """Return "3 of 4,096 points are not finite", or '' if all are."""
    return f"{lost:,} of {points:,} points are not finite" if lost else ""


def target_of(trajectory: Trajectory, mixture: GaussianMixture) -> GaussianMixture:
    """Return the exact distribution that a trajectory's result should follow."""
    k, schedule = trajectory.result_level, trajectory.schedule
    return mixture.noised(float(schedule.alphas[k]), float(schedule.sigmas[k]))


def quality(trajectory: Trajectory, mixture: GaussianMixture | Experiment | Preset) -> Quality:
    """Return the quality of a trajectory's result against its target, at unit size.

    The target of an experiment or a preset is what its samples should follow.
    """
    check_type("trajectory", trajectory, Trajectory)
    if isinstance(mixture, Experiment | Preset):
        mixture = truth_of(experiment_of(mixture))
    return evaluate(trajectory.result, target_of(trajectory, mixture_of(mixture)))


def sample_report(
    experiment: Experiment,
    trajectory: Trajectory,
    progress: ProgressCallback | None = None,
) -> dict[str, Any]:
    """Return ``{"sample": …, "target": …}``: the quality of a sample and the exact moments.

    Means and stds are in the data's own units; distances are at unit size, where each column of
    points from a file has std 1. ``progress`` is that of `evaluate`.
    """
    scaling = scaling_of(experiment.data)
    target = target_of(trajectory, truth_of(experiment))
    scores = evaluate(trajectory.result, target, progress=progress)
    measured = torch.tensor([scores.mean, scores.std], dtype=torch.float64)
    mean, std = _own_moments(scaling, *measured)
    goal_mean, goal_std = _own_moments(scaling, target.mean(), target.std())
    return {
        "sample": json_values(asdict(replace(scores, mean=mean, std=std))),
        "target": {"mean": goal_mean, "std": goal_std},
    }


def _own_moments(scaling: Scaling, mean: Tensor, std: Tensor) -> tuple[list[float], list[float]]:
    """Convert means and stds of unit size to the data's own units."""
    return scaling.inverse(mean).tolist(), scaling.inverse_lengths(std).tolist()


def loss_report(
    experiment: Experiment, losses: NDArray[np.float32] | None, denoiser: Denoiser
) -> dict[str, Any]:
    """Return the final loss, the floor and the excess of a training.

    ``final`` is the mean of the last losses, ``floor`` the lowest possible loss.
    ``excess`` is the difference between the expected loss of the sampling weights and the floor. It
    is never below 0 and, unlike ``final`` − ``floor``, hardly random. ``losses`` are None if the
    training diverged; ``final`` and ``excess`` are then None too. Where the population is unknown,
    ``floor`` and ``excess`` are None.
    """
    known = not experiment.data.population_unknown
    floor = training_floor(experiment) if known else None
    if losses is None or not len(losses):
        return {"final": None, "floor": floor, "excess": None}
    return {
        "final": float(np.mean(losses[-LAST:], dtype=float)),
        "floor": floor,
        "excess": training_excess(experiment, denoiser) if known else None,
    }


def results(
    experiment: Experiment,
    losses: NDArray[np.float32] | None,
    denoiser: Denoiser,
    *,
    points: int | None = None,
    device: torch.device | str = "cpu",
    progress: ProgressCallback | None = None,
) -> dict[str, Any]:
    """Return ``{"loss": …, "sample": …, "target": …}`` of a training."""
    trajectory = denoise(experiment, denoiser, points=points, device=device, progress=progress)
    return {
        "loss": json_values(loss_report(experiment, losses, denoiser)),
        **sample_report(experiment, trajectory),
        **memorised(experiment, denoiser, trajectory),
    }


def memorised(
    experiment: Experiment,
    denoiser: Denoiser,
    trajectory: Trajectory,
    finite: TrainingSet | None = None,
) -> dict[str, Any]:
    """Return ``{"memorisation": …}`` of a denoiser and its sample; nothing for fresh draws.

    ``finite`` is the training set, if it is not the experiment's: another seed has another one.
    """
    finite = finite or make_training_set(experiment)
    if finite is None:
        return {}
    report = memorisation_report(experiment, denoiser, clean_points(trajectory), finite)
    return {"memorisation": json_values(report)}


def evaluation(
    experiment: Experiment,
    denoiser: Denoiser,
    *,
    device: torch.device | str = "cpu",
    progress: ProgressCallback | None = None,
    finite: TrainingSet | None = None,
) -> dict[str, Any]:
    """Return the report on a denoiser: its metrics, levels, attribution and start.

    ``levels`` holds, for each sampling level, the network's loss, floor, excess and nats, by which
    factor an error in eps_hat grows after one step and in the sample (`amplification`), and the
    angle and lengths of guidance. ``guidance`` is None without guidance. ``finite`` is as of
    `memorised`, which is None where training draws fresh points.
    """
    trajectory = denoise(experiment, denoiser, device=device, progress=progress)
    sampled = sample_report(experiment, trajectory)
    levels = [
        {**asdict(at), "amplification": by.step, "amplification_out": by.out, "guidance": guidance}
        for at, by, guidance in zip(
            level_losses(experiment, denoiser),
            amplification(experiment),
            guidance_levels(experiment, denoiser),
            strict=True,
        )
    ]
    nats = [at["nats"] for at in levels if at["nats"] is not None]
    split = attribute(experiment, denoiser, device=device)
    start = start_mismatch(experiment)
    report: dict[str, Any] = json_values(
        {
            "metrics": sampled["sample"],
            "target": sampled["target"],
            "levels": levels,
            "attribution": {
                **asdict(split),
                "main": split.main,
                "verdict": verdict(split, start),
            },
            "start": asdict(start),
            "likelihood": likelihood_report(experiment, denoiser, sum(nats)),
            "guidance": guidance_report(experiment, trajectory),
            "memorisation": None,
            **memorised(experiment, denoiser, trajectory, finite),
        }
    )
    return report


def likelihood_report(experiment: Experiment, denoiser: Denoiser, levels: float) -> dict[str, Any]:
    """Return the likelihood of the data, with the bound on kl.

    ``levels`` is the sum of the nats of all levels. ``reason`` says why a denoiser has no
    likelihood; the numbers are then None.
    """
    names = ("nll", "entropy", "kl", "error", "start", "bound", "sigma", "points")
    try:
        found = likelihood(experiment, denoiser)
    except NoFieldError as error:
        return {**dict.fromkeys(names), "reason": str(error)}
    return asdict(found) | {"bound": found.start + levels, "reason": ""}


def guidance_report(experiment: Experiment, trajectory: Trajectory) -> dict[str, Any] | None:
    """Return the distances of a sample from the exact distributions of its guidance.

    None without guidance. ``reason`` says why there is no tilted density.
    """
    found, sampling = guided_distances(experiment, trajectory), experiment.sampling
    if found is None:
        return None
    return {
        "weight": sampling.guidance,
        "from": sampling.guidance_from,
        "to": sampling.guidance_to,
        "guide": sampling.guide,
        "label": label_asked(experiment),
        **asdict(found),
    }


def guidance_levels(
    experiment: Experiment, denoiser: Denoiser
) -> list[dict[str, float | None] | None]:
    """Return angle, ratio, length and exact length of guidance at every level; None without it."""
    found = guidance_by_level(experiment, denoiser)
    names = ("angle", "ratio", "length", "exact")
    if not found:
        return [None] * sampling_schedule(experiment).levels
    return [None if at is None else {name: getattr(at, name) for name in names} for at in found]


def evaluations(
    experiment: Experiment,
    denoiser: Denoiser,
    counts: Sequence[int],
    samplers: Sequence[str] | None = None,
    *,
    progress: ProgressCallback | None = None,
) -> dict[str, Any]:
    """Return ``{"nfe": …, "nfe_best": …}``: the errors of samplers against evaluations.

    ``nfe_best`` names the sampler of least error within 5, 10 and 20 evaluations.
    """
    rows = errors_by_evaluations(experiment, denoiser, counts, samplers, progress=progress)
    best = best_samplers(rows)
    return {
        "nfe": json_values([asdict(row) for row in rows]),
        "nfe_best": [{"within": most, "sampler": row.sampler, "levels": row.levels,
                      "evaluations": row.evaluations} for most, row in best.items()],
    }  # fmt: skip


def training_report(
    trainer: Trainer,
    *,
    points: int | None = None,
    progress: ProgressCallback | None = None,
) -> dict[str, Any]:
    """Return the results of a training and of a sample from its network.

    ``progress`` is that of `denoise`.
    """
    if trainer.own_parts:
        raise ValueError(
            f"a report describes an experiment, not a training with its own "
            f"{' and '.join(trainer.own_parts)}"
        )
    experiment = trainer.experiment
    losses = None if trainer.status == "diverged" else trainer.losses[: trainer.step]
    body = results(
        experiment,
        losses,
        trainer.denoiser,
        points=points,
        device=trainer.device,
        progress=progress,
    )
    return {
        "experiment": experiment.name,
        "seed": experiment.seed,
        "device": str(trainer.device),
        "device_reason": trainer.choice.reason,
        "threads": trainer.threads,
        "status": trainer.status,
        "steps": trainer.step,
        "seconds": trainer.seconds,
        "steps_per_second": json_values(trainer.step / max(trainer.seconds, 1e-9)),
        **body,
    }
