"""What the points of a level are compared with, computed once for all trajectories."""

from __future__ import annotations

from functools import lru_cache

from ...core.analysis.energy_distance import Reference, merged
from ...core.analysis.memorisation.copies import copied_share_real
from ...core.analysis.metrics import nearest_mode_distance, real_sample
from ...core.assemble import make_mixture
from ...core.conditioning import of_label
from ...core.config.data_section import DataConfig
from ...core.mixtures import GaussianMixture
from ...core.schedules import Schedule
from ...core.training_set import TrainingSet
from ...core.trajectory_view import exact_at


def truth_at(
    data: DataConfig, schedule: Schedule, position: float, label: int | None = None
) -> GaussianMixture:
    """Return the exact distribution at a level, with the noise interpolated between levels."""
    return exact_at(of_label(make_mixture(data), label), schedule, position)


@lru_cache(maxsize=1024)
def reference(data: DataConfig, label: int | None, schedule: Schedule, level: int) -> Reference:
    """Return the reference for the points of a level, shared by all trajectories."""
    alpha, sigma = float(schedule.alphas[level]), float(schedule.sigmas[level])
    return Reference(_compared(data, label).noised(alpha, sigma))


@lru_cache(maxsize=8)
def _compared(data: DataConfig, label: int | None) -> GaussianMixture:
    """Return the data's mixture, with close components merged if there are many."""
    return merged(of_label(make_mixture(data), label))


@lru_cache(maxsize=64)
def copied_real(finite: TrainingSet, count: int) -> float | None:
    """Return the share of copies among ``count`` true points; None if there are none."""
    return copied_share_real(count, finite)


@lru_cache(maxsize=1024)
def real_distance(
    data: DataConfig, label: int | None, schedule: Schedule, level: int, count: int
) -> float:
    """Return the mean squared distance to the nearest mode of ``count`` true points at a level."""
    truth = truth_at(data, schedule, level, label)
    return nearest_mode_distance(real_sample(truth, count), truth)
