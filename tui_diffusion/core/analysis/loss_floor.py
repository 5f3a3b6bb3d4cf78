"""The loss floor: the lowest loss any network can reach, and a network's excess over it.

For a target T = a x_0 + b ε given x = α x_0 + σ ε, T equals (a − b α/σ) x_0 up to a function of x.
So the residual of the best output E[T | x] is r = (a − b α/σ)(x_0 − E[x_0 | x]), and

    E‖r‖² = (a − b α/σ)² · mmse(α, σ),   mmse = E‖x_0 − E[x_0 | x]‖².

A network's residual is r plus its own error, and the two are uncorrelated, so its loss exceeds the
floor by exactly E‖output − E[T | x]‖². `level_losses` estimates that from few points; the
difference of separate estimates of floor and loss would need very many.

Losses over a batch of n points: a sum is n E‖r‖², a mean E‖r‖²/d, and a norm the mean of √S for S =
Σ‖r‖², approximated by a gamma distribution with the exact mean and variance of S. That is exact for
one Gaussian, otherwise correct to about 1/n².
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor

from ..arguments import check_type
from ..assemble import (
    make_method,
    make_mixture,
    make_schedule,
    mixture_for,
    sampling_schedule,
)
from ..conditioning import conditioned, guided, of_label, shares
from ..config.data_section import DataConfig
from ..config.experiment import Experiment
from ..config.presets import Preset, experiment_of
from ..methods import AnyLevel, Denoiser, Method, check_denoiser, device_of
from ..mixtures import GaussianMixture
from ..randomness import generator
from ..schedules import Level
from ..short_repr import short_repr
from ..training.stages import stages
from .likelihood.bound import nats_by_level, target_gain
from .noised_points import noised_points
from .residual import Residual, residual


@dataclass(frozen=True)
class LevelLoss:
    """The loss at one level, its floor, and the difference, in the unit of the loss.

    ``nats`` is the level's share of `likelihood.bound.nats_by_level`; None if the output there
    tells nothing of x_0.
    """

    level: int
    alpha: float
    sigma: float
    loss: float
    floor: float
    excess: float
    nats: float | None = None

    def __repr__(self) -> str:
        return short_repr(self, "level", "alpha", "sigma", "loss", "floor", "excess")


Source = DataConfig | GaussianMixture


@dataclass(frozen=True)
class Labelled:
    """Data whose points are seen with a label, by its share; None: with a hidden one."""

    source: Source
    shares: tuple[tuple[int | None, float], ...]


Data = Source | Labelled


def _by_label(data: Data) -> Labelled:
    return data if isinstance(data, Labelled) else Labelled(data, ((None, 1.0),))


def _residual(data: Data, alpha: float, sigma: float, fourth: bool) -> Residual:
    data = _by_label(data)
    parts = [
        (share, _residual_of(data.source, label, alpha, sigma, fourth))
        for label, share in data.shares
    ]
    return Residual(
        sum(share * part.square for share, part in parts),
        sum(share * part.fourth for share, part in parts),
    )


@lru_cache(maxsize=4096)
def _residual_of(
    source: Source, label: int | None, alpha: float, sigma: float, fourth: bool
) -> Residual:
    return residual(of_label(_mixture(source), label), alpha, sigma, fourth=fourth)


def _mixture(data: Data) -> GaussianMixture:
    return _built(data.source if isinstance(data, Labelled) else data)


@lru_cache(maxsize=8)
def _built(source: Source) -> GaussianMixture:
    return source.to("cpu") if isinstance(source, GaussianMixture) else make_mixture(source)


def _data(
    experiment: Experiment, mixture: GaussianMixture | None, *, training: bool = False
) -> Data:
    """Return the key of the data in the caches: a mixture, or the experiment's configuration.

    The points are seen with their labels, as in a sample or, with ``training``, in training.
    """
    source: Source = experiment.data
    if mixture is not None:
        check_type("mixture", mixture, GaussianMixture)
        source = mixture_for(experiment, mixture, mixture.means.device)
    return labelled(experiment, source, training=training)


def labelled(experiment: Experiment, source: Source, *, training: bool) -> Data:
    """Return data with the labels that the experiment's network receives; as it is without them."""
    if not experiment.network.labels:
        return source
    if not training:
        return Labelled(source, tuple(shares(experiment, _mixture(source)).items()))
    hidden = experiment.training.label_dropout
    weights = enumerate(_mixture(source).class_weights().tolist())
    seen = [(label, (1 - hidden) * weight) for label, weight in weights]
    return Labelled(source, tuple(part for part in [*seen, (None, hidden)] if part[1]))


# --- losses --------------------------------------------------------------------------------------


def batch_loss(kind: str, batch: int, dim: int, square: float, fourth: float) -> float:
    """Return the expected loss of a batch whose residuals have E‖r‖² and E‖r‖⁴."""
    if kind == "sum":
        return batch * square
    if kind == "mean":
        return square / dim
    variance = fourth - square**2
    if square <= 0:
        return 0.0
    if variance <= 1e-12 * square**2:
        return math.sqrt(batch * square)
    shape = batch * square**2 / variance
    scale = variance / square
    return math.sqrt(scale) * math.exp(math.lgamma(shape + 0.5) - math.lgamma(shape))


def floor_at(
    experiment: Experiment,
    level: Level,
    excess: float = 0.0,
    mixture: GaussianMixture | None = None,
    *,
    training: bool = False,
) -> float:
    """Return the floor at one level; with ``excess`` = E‖output − E[T|x]‖², the loss.

    Here and below, ``mixture`` takes the place of the experiment's data, and with ``training``
    labels are hidden as in training.
    """
    data = _data(experiment, mixture, training=training)
    return loss_on(experiment, make_method(experiment.method, _mixture(data)), data, level, excess)


def loss_on(
    experiment: Experiment, method: Method, data: Data, level: Level, excess: float = 0.0
) -> float:
    """Return `floor_at` on any data, for a method that may have the constants of others."""
    factor = target_gain(method, level) ** 2
    norm = experiment.training.loss == "norm"
    least = _residual(data, float(level.alpha), float(level.sigma), norm)
    square = factor * least.square
    fourth = factor**2 * least.fourth + (square + excess) ** 2 - square**2
    training = experiment.training
    return batch_loss(training.loss, training.batch, experiment.dim, square + excess, fourth)


def floors(experiment: Experiment) -> list[float]:
    """Return the floor at every sampling level, noisiest first."""
    schedule = sampling_schedule(experiment)
    return [floor_at(experiment, schedule[k]) for k in range(schedule.levels)]


def training_levels(
    experiment: Experiment, mixture: GaussianMixture | None = None
) -> list[tuple[Level, float]]:
    """Return the levels over which the final training loss averages, with the weight of each.

    All N equally; only the noisiest if it has a network of its own, which is trained last; for a
    method that covers every level, quadrature nodes u of the normal distribution of ln(σ/α).
    """
    method = make_method(experiment.method, _mixture(_data(experiment, mixture)))
    if isinstance(method, AnyLevel):
        positions = torch.linspace(-3.5, 3.5, 11, dtype=torch.float64)
        weights = (-positions.square() / 2).exp()
        levels = [method.sample_level(u) for u in torch.special.ndtr(positions)]
        return [
            (Level(float(at.alpha), float(at.sigma), 1.0, 0.0), float(share))
            for at, share in zip(levels, weights / weights.sum(), strict=True)
        ]
    schedule = make_schedule(experiment.schedule)
    if experiment.network.per_level:
        return [(schedule[0], 1.0)]
    return [(schedule[k], 1 / schedule.levels) for k in range(schedule.levels)]


def training_floor(
    experiment: Experiment | Preset, mixture: GaussianMixture | None = None
) -> float:
    """Return the floor of the training loss, averaged over the levels as training does."""
    experiment = experiment_of(experiment)
    return sum(
        share * floor_at(experiment, level, mixture=mixture, training=True)
        for level, share in training_levels(experiment, mixture)
    )


def stage_floors(experiment: Experiment) -> tuple[tuple[int, float], ...]:
    """Return the first step and the floor of every training stage.

    A network for all levels has one stage; with one network per level, a stage has that level's
    floor. There is none where the population is unknown.
    """
    if experiment.data.population_unknown:
        return ()
    if not experiment.network.per_level:
        return ((0, training_floor(experiment)),)
    schedule = make_schedule(experiment.schedule)
    return tuple(
        (stage.start, floor_at(experiment, schedule[stage.level], training=True))
        for stage in stages(experiment)
        if stage.level is not None
    )


# --- how far a network is from it ----------------------------------------------------------------


def excess_square(
    experiment: Experiment,
    denoiser: Denoiser,
    level: Level,
    points: int = 512,
    seed: int = 0,
    mixture: GaussianMixture | None = None,
    *,
    training: bool = False,
) -> float:
    """Return E‖output − E[T|x]‖² of a denoiser at a level, from true noised points of one seed.

    The denoiser is that of sampling: it receives the labels of the points and is guided. With
    ``training`` it is not guided, and some labels are hidden.
    """
    data = _data(experiment, mixture, training=training)
    method = make_method(experiment.method, _mixture(data))
    by_class = partial(conditioned, denoiser) if training else partial(guided, experiment, denoiser)
    return excess_on(by_class, method, data, level, points, seed)


@torch.no_grad()
def excess_on(
    denoiser_of: Callable[[int | None], Denoiser],
    method: Method,
    data: Data,
    level: Level,
    points: int = 512,
    seed: int = 0,
) -> float:
    """Return `excess_square` on any data, for a method that may have the constants of others.

    ``denoiser_of`` returns the denoiser for points of a class; None: without a label.
    """
    by_label = _by_label(data)
    few = points if len(by_label.shares) == 1 else max(64, points // len(by_label.shares))
    total = 0.0
    for label, share in by_label.shares:
        of = denoiser_of(label)
        at = float(level.alpha), float(level.sigma)
        x, x0_hat = _denoised(by_label.source, label, *at, few, seed)
        eps_hat = (x - level.alpha * x0_hat) / level.sigma
        target = method.target(x0_hat, eps_hat, level)
        output = of(x.float().to(device_of(of)), level).output.double().cpu()
        total += share * float((output - target).square().sum(1).mean())
    return total


@lru_cache(maxsize=256)
def _denoised(
    source: Source, label: int | None, alpha: float, sigma: float, points: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Return true points at a level and their E[x_0|x], both (n, d): the same for any network."""
    mixture, random = of_label(_mixture(source), label), generator(seed, "excess")
    x = noised_points(mixture, alpha, sigma, points, random)
    return x, mixture.denoise(x, alpha, sigma)


def level_losses(
    experiment: Experiment | Preset,
    denoiser: Denoiser,
    points: int = 512,
    seed: int = 0,
    mixture: GaussianMixture | None = None,
) -> list[LevelLoss]:
    """Return loss, floor and excess at every sampling level, noisiest first.

    They are those of the denoiser of sampling, which receives the labels and is guided.
    """
    experiment = experiment_of(experiment)
    check_denoiser(denoiser)
    schedule = sampling_schedule(experiment)
    levels = [schedule[k] for k in range(schedule.levels)]
    extras = [excess_square(experiment, denoiser, at, points, seed, mixture) for at in levels]
    method = make_method(experiment.method, _mixture(_data(experiment, mixture)))
    nats = nats_by_level(method, levels, extras)
    losses = []
    for k, (level, extra) in enumerate(zip(levels, extras, strict=True)):
        floor = floor_at(experiment, level, mixture=mixture)
        loss = floor_at(experiment, level, extra, mixture)
        alpha, sigma = float(level.alpha), float(level.sigma)
        losses.append(LevelLoss(k, alpha, sigma, loss, floor, loss - floor, nats[k]))
    return losses


def training_excess(
    experiment: Experiment, denoiser: Denoiser, points: int = 512, seed: int = 0
) -> float:
    """Return the expected training loss of a network minus `training_floor`; never below 0."""
    total = 0.0
    for level, share in training_levels(experiment):
        extra = excess_square(experiment, denoiser, level, points, seed, training=True)
        floor = floor_at(experiment, level, training=True)
        total += share * (floor_at(experiment, level, extra, training=True) - floor)
    return max(total, 0.0)
