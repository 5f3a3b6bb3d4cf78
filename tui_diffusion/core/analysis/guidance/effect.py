"""The effect of guidance: where it points at every level, and what the sample follows."""

from __future__ import annotations

from dataclasses import dataclass

from ...config.experiment import Experiment
from ...methods import Denoiser
from ...trajectory import Trajectory
from .guided_truth import GuidedDistances, guided_truth
from .vectors import LevelGuidance, guidance_by_level


@dataclass(frozen=True, eq=False)
class GuidanceEffect:
    """The guidance at every level, None outside of its interval, and the distances of a sample.

    Without guidance there are no ``levels``; without a sample there are no ``distances``.
    """

    levels: tuple[LevelGuidance | None, ...] = ()
    distances: GuidedDistances | None = None


def guidance_effect(
    experiment: Experiment, denoiser: Denoiser, trajectory: Trajectory | None = None
) -> GuidanceEffect:
    """Return the effect of an experiment's guidance on a network, and on its sample if given."""
    levels = tuple(guidance_by_level(experiment, denoiser))
    if not levels or trajectory is None:
        return GuidanceEffect(levels)
    return GuidanceEffect(levels, guided_distances(experiment, trajectory))


def guided_distances(experiment: Experiment, trajectory: Trajectory) -> GuidedDistances | None:
    """Return the distances of a trajectory's result; None without guidance."""
    schedule, k = trajectory.schedule, trajectory.result_level
    truth = guided_truth(experiment, schedule=schedule)
    if truth is None:
        return None
    return truth.distances(trajectory.result, float(schedule.alphas[k]), float(schedule.sigmas[k]))
