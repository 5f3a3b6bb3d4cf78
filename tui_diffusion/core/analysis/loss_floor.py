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
from ..components import Ellipses
from ..conditioning import conditioned, guided, of_label, shares
from ..config.data_section import DataConfig
from ..config.experiment import Experiment
from ..config.presets import Preset, experiment_of
from ..methods import AnyLevel, Denoiser, Method, check_denoiser, device_of
from ..mixtures import PAIRS_AT_ONCE, GaussianMixture, between_parts
from ..randomness import generator
from ..schedules import Level
from ..short_repr import short_repr
from ..training.stages import stages
from .likelihood_bound import nats_by_level, target_gain
from .posterior import posterior_moments, posterior_squares, within

_REACH = 6.0
"""Range of integrals over x around every component, in its noised std."""

_MOST_PAIRS = 12_000_000
"""Maximum of grid points times components; above it a sample of fixed seed replaces the grid."""

_SAMPLE_PAIRS = 4_000_000


@dataclass(frozen=True)
class Residual:
    """The moments of r = x_0 − E[x_0|x]: ``square`` = E‖r‖², ``fourth`` = E‖r‖⁴."""

    square: float
    fourth: float


@dataclass(frozen=True)
class LevelLoss:
    """The loss at one level, its floor, and the difference, in the unit of the loss.

    ``nats`` is the level's share of `likelihood_bound.nats_by_level`; None if the output there
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


# --- the irreducible residual --------------------------------------------------------------------


def residual(
    mixture: GaussianMixture, alpha: float, sigma: float, *, fourth: bool = False
) -> Residual:
    """Return the moments of the irreducible residual of x_0, to a relative error of 1e-3.

    The observation is x = α x_0 + σ ε. One Gaussian: ‖r‖² is Σ_a (s_a²σ²/v_a) χ²_1. A mixture: the
    posterior is a mixture too. Its moments are exact at every x, and integrated by the trapezoid
    rule, which converges exponentially for functions as smooth as these. Mixtures of very many
    components (points from a file) are sampled instead, to a few percent. ``fourth`` is nan unless
    requested.
    """
    mixture = mixture.to("cpu")
    if mixture.modes == 1:
        variances = within(mixture, alpha, sigma)[0]
        total = float(variances.sum())
        return Residual(total, total**2 + 2 * float(variances.square().sum()))
    noised = mixture.noised(alpha, sigma)
    points, cell = nodes(noised)
    if mixture.ellipses is not None and not fourth:
        square, density = posterior_squares(mixture, points, alpha, sigma)
        weights = density if cell else torch.ones_like(density)
        return Residual(float(weights @ square / weights.sum()), math.nan)
    if fourth or mixture.modes <= 64 or not mixture.alike:
        weights = noised.log_prob(points).exp() * cell if cell else torch.ones(len(points)).double()
        weights = weights / weights.sum()
        square, fourths = posterior_moments(mixture, points, alpha, sigma)
        return Residual(float(weights @ square), float(weights @ fourths))
    return Residual(_mmse_of_many(mixture, points, alpha, sigma, bool(cell)), math.nan)


def nodes(noised: GaussianMixture) -> tuple[Tensor, float]:
    """Return points (g, d) at which to integrate with the density, and the volume of a cell.

    The points are a grid, or a sample, whose points have equal weight and volume 0. Between modes a
    distance D apart the posterior changes within v/D; that matters where the modes overlap, so the
    grid resolves 0.12 std. Curves and areas have no such gaps.
    """
    std = noised.narrowest
    wide = float((noised.means.max(0).values - noised.means.min(0).values).norm())
    sharp = std / max(wide, std)
    spacing = min(max(sharp, 0.12), 0.5) if noised.has_modes else 0.7
    while spacing <= 0.95:
        grid = _grid(noised, spacing * std)
        if grid is not None:
            return grid, (spacing * std) ** noised.dim
        spacing *= 1.3
    n = max(256, _SAMPLE_PAIRS // noised.modes)
    return noised.sample(n, generator(0, "floor"), balanced=True, dtype=torch.float64), 0.0


def _grid(noised: GaussianMixture, spacing: float) -> Tensor | None:
    """Return the points of a lattice near any component, (g, d); None if there are too many."""
    most = math.ceil(_REACH * noised.widest / spacing)
    if (2 * most + 1) ** noised.dim > _MOST_PAIRS:
        return None
    offsets = torch.cartesian_prod(*[torch.arange(-most, most + 1)] * noised.dim)
    offsets = offsets.reshape(-1, noised.dim)
    offsets = offsets[offsets.square().sum(1) <= most**2]
    if len(offsets) * noised.modes > _MOST_PAIRS:
        return None
    nearest = (noised.means / spacing).round().long()
    cells = nearest[:, None, :] + offsets
    if noised.ellipses is None:
        cells = cells.reshape(-1, noised.dim)
    else:
        cells = cells[_near(noised.ellipses, offsets * spacing, spacing)]
    low = cells.min(0).values
    size = (cells.max(0).values - low + 1).tolist()
    rows = size[1] if noised.dim == 2 else 1
    keys = (cells - low) @ torch.tensor([rows, 1][: noised.dim])
    if size[0] * rows <= _MOST_PAIRS:
        occupied = torch.zeros(size[0] * rows, dtype=torch.bool)
        occupied[keys] = True
        keys = occupied.nonzero()[:, 0]
    else:
        keys = torch.unique(keys)
    if len(keys) * noised.modes > _MOST_PAIRS:
        return None
    axes = [keys // rows, keys % rows][: noised.dim]
    return (torch.stack(axes, 1) + low).double() * spacing


def _near(ellipses: Ellipses, offsets: Tensor, margin: float) -> Tensor:
    """Return which offsets (k, d) are within `_REACH` std of every component, (m, k)."""
    scaled = (ellipses.axes / (_REACH * ellipses.widths[:, None] + margin)).float()
    x, y = offsets.float().unbind(1)
    along = [scaled[:, 0, a, None] * x + scaled[:, 1, a, None] * y for a in (0, 1)]
    return along[0].square_() + along[1].square_() <= 1


def _mmse_of_many(
    mixture: GaussianMixture, x: Tensor, alpha: float, sigma: float, grid: bool
) -> float:
    """Return E‖r‖² for many components of one std, by matrix products.

    They are in float32, unless the std is 0: E‖r‖² may then be as small as their errors.
    E[‖r‖²|x] = d τ² + (σ²/v)² (E[‖μ‖²|x] − ‖E[μ|x]‖²). On a grid, x is weighted by its density.
    """
    variance = alpha**2 * float(mixture.stds[0]) ** 2 + sigma**2
    means, root = mixture.means, variance**0.5
    dtype = torch.float32 if mixture.stds[0] else torch.float64
    columns = torch.cat([means, means.square().sum(1, keepdim=True)], 1).to(dtype)
    centres = (alpha / root * means).to(dtype)
    offset = mixture.weights.log().to(dtype) - centres.square().sum(1) / 2
    total = weights = 0.0
    for part in torch.split((x / root).to(dtype), max(1, PAIRS_AT_ONCE // mixture.modes)):
        between_parts.get()()
        logits = torch.addmm(offset, part, centres.T)
        top = logits.max(1, keepdim=True).values
        joint = (logits - top).exp_()
        density = joint.sum(1)
        moments = (joint @ columns / density[:, None]).double()
        if grid:
            density = density * (top[:, 0] - part.square().sum(1) / 2).exp()
        else:
            density = torch.ones_like(density)
        spread = (moments[:, -1] - moments[:, :-1].square().sum(1)).clamp_min(0)
        total += float(density.double() @ spread)
        weights += float(density.double().sum())
    return (
        float(within(mixture, alpha, sigma)[0].sum()) + (sigma**2 / variance) ** 2 * total / weights
    )


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
    """Return data with the labels that an experiment's network is told of them, if it is any."""
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

    The denoiser is that of sampling: told the labels of the points, and guided. With ``training``
    it is not guided, and some labels are hidden.
    """
    data = _data(experiment, mixture, training=training)
    method = make_method(experiment.method, _mixture(data))
    told = partial(conditioned, denoiser) if training else partial(guided, experiment, denoiser)
    return excess_on(told, method, data, level, points, seed)


@torch.no_grad()
def excess_on(
    told: Callable[[int | None], Denoiser],
    method: Method,
    data: Data,
    level: Level,
    points: int = 512,
    seed: int = 0,
) -> float:
    """Return `excess_square` on any data, for a method that may have the constants of others.

    ``told`` returns the denoiser of points of a class; None: without a label.
    """
    by_label = _by_label(data)
    few = points if len(by_label.shares) == 1 else max(64, points // len(by_label.shares))
    total = 0.0
    for label, share in by_label.shares:
        of = told(label)
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
    x0 = mixture.sample(points, random, balanced=True, dtype=torch.float64)
    x = alpha * x0 + sigma * torch.randn(x0.shape, generator=random, dtype=x0.dtype)
    return x, mixture.denoise(x, alpha, sigma)


def level_losses(
    experiment: Experiment | Preset,
    denoiser: Denoiser,
    points: int = 512,
    seed: int = 0,
    mixture: GaussianMixture | None = None,
) -> list[LevelLoss]:
    """Return loss, floor and excess at every sampling level, noisiest first.

    They are those of the denoiser that sampling uses, told the labels of the points and guided.
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
