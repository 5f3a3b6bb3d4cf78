"""Memorisation and generalisation: what a network has learned of a finite training set.

Two denoisers are exact, that of the population and that of the training set (`training_set`). With
the first a network invents points, with the second it copies. Here are the loss on either, the
distance to either, and, with the share of copies in a sample (`copies`), a report of all.

A loss E‖output − T‖² on a distribution is its floor plus the network's distance from the optimum of
that distribution, E‖output − E[T|x]‖² (see `loss_floor`). So the losses here are expectations: the
distance is estimated from few points of fixed noise, and the floor is exact, that of a set to about
2e-3 of a target's variance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor

from ...assemble import make_method, make_mixture, sampling_schedule
from ...conditioning import conditioned
from ...config.experiment import Experiment
from ...config.presets import Preset, experiment_of
from ...methods import Denoiser, check_denoiser, device_of
from ...randomness import generator
from ...schedules import Level
from ...training_set import POPULATION_UNKNOWN, TrainingSet, make_training_set
from ..loss_floor import Source, excess_on, labelled, loss_on, training_levels
from ..noised_points import noised_points
from .copies import copied_share, copied_share_real

Levels = Sequence[tuple[Level, float]]
"""Levels, and the weight of each in an average."""

_POINTS = 512
"""Number of noised points that estimate the distances at a level."""


# --- losses --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FiniteLosses:
    """The expected loss of a network, and the lowest of any network, on two distributions.

    ``train`` is on the training set. ``heldout`` is on the population, or on the held-out rows of a
    file: None if there are none. Floors are the losses of the two optima; that of a file's
    population is unknown.
    """

    train: float
    train_floor: float
    heldout: float | None
    heldout_floor: float | None


def finite_losses(
    experiment: Experiment | Preset,
    denoiser: Denoiser,
    finite: TrainingSet | None = None,
    points: int = _POINTS,
    seed: int = 0,
    levels: Levels | None = None,
) -> FiniteLosses:
    """Return the losses of a denoiser on the training set and on data that it does not hold.

    They are averaged over ``levels``, by default as at the end of training. ``finite`` is the
    training set, here and below, if it is not that of the experiment, whose seed may be another
    than the training's. Raise ValueError without a training set.
    """
    experiment = experiment_of(experiment)
    check_denoiser(denoiser)
    finite = finite or _required(experiment)
    levels = levels or training_levels(experiment)
    train = _losses(experiment, denoiser, finite.mixture, levels, points, seed)
    if finite.unseen is None:
        return FiniteLosses(*train, None, None)
    # The population has the key of the experiment's data, whose floors are shared.
    unseen = experiment.data if finite.known else finite.unseen
    heldout, floor = _losses(experiment, denoiser, unseen, levels, points, seed)
    return FiniteLosses(*train, heldout, floor if finite.known else None)


def _losses(
    experiment: Experiment,
    denoiser: Denoiser,
    source: Source,
    levels: Levels,
    points: int,
    seed: int,
) -> tuple[float, float]:
    """Return the expected loss on some data, and its floor."""
    data, of = labelled(experiment, source, training=True), partial(conditioned, denoiser)
    method = make_method(experiment.method, make_mixture(experiment.data))
    loss = floor = 0.0
    for level, share in levels:
        excess = excess_on(of, method, data, level, points, seed)
        loss += share * loss_on(experiment, method, data, level, excess)
        floor += share * loss_on(experiment, method, data, level)
    return loss, floor


def _required(experiment: Experiment) -> TrainingSet:
    finite = make_training_set(experiment)
    if finite is None:
        raise ValueError("memorisation needs data.train_points above 0 (got 0)")
    return finite


# --- distance to the optima ----------------------------------------------------------------------


@dataclass(frozen=True)
class OptimumDistance:
    """The distance of a denoiser to the two optima at one level, at unit size.

    It is √E‖x0_hat − E[x_0|x]‖² over noised points of the population, or of the held-out rows of a
    file (of its training rows if none are held out). ``apart`` is the distance of the optima from
    each other. For a file, whose population is unknown, two of the three are None.
    """

    level: int
    alpha: float
    sigma: float
    to_population: float | None
    to_training_set: float
    apart: float | None

    @property
    def copies(self) -> bool:
        """Whether the denoiser has gone from one optimum to the other.

        It is nearer to that of the training set, and nearer than the two are to each other: further
        away, their small difference only shows which data it was trained on.
        """
        if self.to_population is None or self.apart is None:
            return False
        return self.to_training_set < min(self.to_population, self.apart)


@torch.no_grad()
def optimum_distances(
    experiment: Experiment | Preset,
    denoiser: Denoiser,
    finite: TrainingSet | None = None,
    points: int = _POINTS,
    seed: int = 0,
) -> list[OptimumDistance]:
    """Return the distance of a denoiser to both optima at every sampling level, noisiest first.

    The noise is fixed by the seed and the optima are cached, so that a call costs an evaluation of
    the denoiser for each level. Raise ValueError without a training set.
    """
    experiment = experiment_of(experiment)
    check_denoiser(denoiser)
    finite, device = finite or _required(experiment), device_of(denoiser)
    schedule = sampling_schedule(experiment)
    found = []
    for k in range(schedule.levels):
        level = schedule[k]
        alpha, sigma = float(level.alpha), float(level.sigma)
        x, population, own = _optima(finite, alpha, sigma, points, seed)
        x0_hat = denoiser(x.float().to(device), level).x0_hat.double().cpu()
        to_population, apart = (
            None if population is None else _distance(a, population) for a in (x0_hat, own)
        )
        to_training_set = _distance(x0_hat, own)
        found.append(OptimumDistance(k, alpha, sigma, to_population, to_training_set, apart))
    return found


def overall(distances: Sequence[OptimumDistance]) -> tuple[float | None, float]:
    """Return the root mean square over the levels of both distances."""
    return (
        _over_levels(at.to_population for at in distances),
        _root_mean_square([at.to_training_set for at in distances]),
    )


def _over_levels(values: Iterable[float | None]) -> float | None:
    """Return the root mean square of the known values, None if none is."""
    known = [value for value in values if value is not None]
    return _root_mean_square(known) if known else None


def _root_mean_square(values: Sequence[float]) -> float:
    return math.sqrt(sum(value**2 for value in values) / len(values))


def _distance(a: Tensor, b: Tensor) -> float:
    return float((a - b).square().sum(1).mean().sqrt())


@lru_cache(maxsize=256)
def _optima(
    finite: TrainingSet, alpha: float, sigma: float, points: int, seed: int
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Return noised points and x0_hat of the population and of the training set, all (n, d)."""
    random, source = generator(seed, "excess"), finite.unseen or finite.mixture
    x = noised_points(source, alpha, sigma, points, random)
    population = finite.unseen.denoise(x, alpha, sigma) if finite.known and finite.unseen else None
    return x, population, finite.mixture.denoise(x, alpha, sigma)


# --- the report ----------------------------------------------------------------------------------


def memorisation_report(
    experiment: Experiment | Preset,
    denoiser: Denoiser,
    x: Tensor,
    finite: TrainingSet | None = None,
) -> dict[str, Any]:
    """Return losses, distances and copies of a denoiser and the points x (n, d) of its sample.

    ``levels`` holds the distances at every level; ``reason`` says why numbers are None.
    """
    experiment = experiment_of(experiment)
    finite = finite or _required(experiment)
    losses = finite_losses(experiment, denoiser, finite)
    distances = optimum_distances(experiment, denoiser, finite)
    to_population, to_training_set = overall(distances)
    x = x.detach().cpu()
    return {
        "train_points": len(finite),
        "held_out": finite.held_out,
        "copied": copied_share(x, finite),
        "copied_real": copied_share_real(len(x), finite),
        "to_population": to_population,
        "to_training_set": to_training_set,
        "apart": _over_levels(at.apart for at in distances),
        "train_loss": losses.train,
        "train_floor": losses.train_floor,
        "heldout_loss": losses.heldout,
        "heldout_floor": losses.heldout_floor,
        "reason": "" if finite.known else POPULATION_UNKNOWN,
        "levels": [asdict(at) for at in distances],
    }
