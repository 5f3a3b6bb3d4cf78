"""The quality of a sample, with the scores of a real sample of the same size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from .. import notebook
from ..arguments import check_type
from ..assemble import mixture_of
from ..config.experiment import Experiment
from ..config.presets import Preset
from ..mixtures import PAIRS_AT_ONCE, GaussianMixture, between_parts
from ..progress import ProgressCallback
from ..randomness import generator
from ..short_repr import short_repr
from .energy_distance import energy_distance

T = TypeVar("T")

OFF_MODE = 5.0
"""Distance in std from every mode beyond which a point belongs to none."""

_SORTED_UP_TO = 100_000
"""Maximum number of points of each sample in the sliced Wasserstein distance."""

_PARTS = 5
"""Number of parts of `evaluate` of about equal duration, for its progress."""

_DIRECTIONS = 64
"""Number of lines onto which the sliced Wasserstein distance projects 2D points."""


@dataclass(frozen=True)
class Quality:
    """The scores of a sample; lists have one entry per coordinate or per mode.

    ``not_finite``: points with a coordinate that is not finite, of all ``points``.
    ``nearest_mode_distance``: mean over points of the squared distance to the nearest mode (the
    post's measure). ``energy_distance``: unbiased, to the exact distribution, of the first 4,096
    points; ``energy_distance_chance``: two std of it between samples. ``sliced_wasserstein``:
    distance to a real sample.

    ``mode_weights``: share of points nearest to each mode, in its std; ``mode_tv``: half the sum of
    their absolute differences from the true weights. ``off_mode``: share of points farther than
    5 std from every component. ``in_mode_std_ratio``: root mean square distance, per coordinate, of
    the others from the mean of their mode, over the true std (that along each axis of a mode that
    is not round); None if there are none.

    ``…_real`` is the score of a real sample of the same size; for the energy distance, whose mean
    is then 0, the root mean square. Measures of modes are None for data whose components form a
    curve, an area or a cloud.
    """

    points: int
    not_finite: int
    mean: list[float]
    std: list[float]
    nearest_mode_distance: float | None
    nearest_mode_distance_real: float | None
    energy_distance: float
    energy_distance_chance: float
    energy_distance_real: float
    sliced_wasserstein: float
    sliced_wasserstein_real: float
    mode_weights: list[float] | None
    mode_tv: float | None
    mode_tv_real: float | None
    off_mode: float
    off_mode_real: float
    in_mode_std_ratio: float | None
    in_mode_std_ratio_real: float | None

    def __repr__(self) -> str:
        return short_repr(self, "points", "not_finite", "mean", "std", "energy_distance")

    def _repr_html_(self) -> str:
        values = {name: value for name, value in vars(self).items() if value is not None}
        rows = {}
        for name, value in values.items():
            real = values.get(f"{name}_real")
            if not name.endswith("_real"):
                text = value if real is None else f"{value:.4g} (true points: {real:.4g})"
                rows[name.replace("_", " ")] = text
        return notebook.table("Quality of a sample", rows)


def nearest_mode(x: Tensor, mixture: GaussianMixture) -> tuple[Tensor, Tensor]:
    """Return each point's squared distance to the nearest component, and its index; both (n,)."""
    means = mixture.means.to(x)
    nearest = []
    for part in torch.split(x, max(1, PAIRS_AT_ONCE // len(means))):
        between_parts.get()()
        pairs = torch.cdist(part, means, compute_mode="donot_use_mm_for_euclid_dist")
        nearest.append(pairs.min(1))
    distance = torch.cat([part.values for part in nearest])
    return distance**2, torch.cat([part.indices for part in nearest])


def nearest_mode_distance(x: Tensor, mixture: GaussianMixture) -> float:
    """Return the mean over points of the squared distance to the nearest mode."""
    return float(nearest_mode(x, mixture)[0].mean())


def sliced_wasserstein(x: Tensor, y: Tensor) -> float:
    """Return the mean over lines of the Wasserstein-1 distance of the projections.

    ``x`` and ``y`` have shape (n, d), with the same n; in 1D this is the distance itself. The 64
    lines of 2D have evenly spaced directions. Only the first 100,000 points of a sample count.
    Bonneel et al. 2015.
    """
    x, y = x[:_SORTED_UP_TO].double(), y[:_SORTED_UP_TO].double()
    if x.shape[1] == 1:
        return _wasserstein(x[:, 0], y[:, 0])
    turn = math.pi * (torch.arange(_DIRECTIONS, dtype=torch.float64) + 0.5) / _DIRECTIONS
    lines = torch.stack([turn.cos(), turn.sin()], 1)
    return sum(_wasserstein(x @ line, y @ line) for line in lines) / _DIRECTIONS


def _wasserstein(x: Tensor, y: Tensor) -> float:
    """Return the Wasserstein-1 distance of equally many numbers x and y."""
    return float((x.sort().values - y.sort().values).abs().mean())


def evaluate(
    x: Tensor,
    mixture: GaussianMixture | Experiment | Preset,
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> Quality:
    """Score points x of shape (n, d) against the mixture that they should follow.

    An experiment or a preset stands for the mixture of its data.
    Non-finite points count as off every mode and are excluded from all other scores. ``progress``
    receives the parts done and their total after each part.
    """
    check_type("x", x, Tensor)
    mixture = mixture_of(mixture)
    if x.ndim != 2 or x.shape[1] != mixture.dim:
        raise ValueError(f"x must have shape (n, {mixture.dim}) (got {tuple(x.shape)})")
    points, parts = len(x), iter(range(1, _PARTS + 1))

    def done(value: T) -> T:
        if progress is not None:
            progress(next(parts), _PARTS)
        return value

    x = x.detach()[torch.isfinite(x).all(1)].cpu()
    mixture = mixture.to("cpu")
    # Two real samples, because they differ from each other too.
    count = max(len(x), 1)
    real = real_sample(mixture, count, seed)
    other = mixture.sample(count, generator(seed, "other metrics"))
    scores, best = done(_scores(x, points, mixture)), done(_scores(real, count, mixture))
    energy = done(energy_distance(x, mixture))
    nan = float("nan")
    moments = x if len(x) else x.new_full((1, mixture.dim), nan)
    return Quality(
        points=points,
        not_finite=points - len(x),
        mean=moments.mean(0).tolist(),
        std=moments.std(0, unbiased=False).tolist(),
        nearest_mode_distance=scores.distance,
        nearest_mode_distance_real=best.distance,
        energy_distance=energy.value,
        energy_distance_chance=energy.chance,
        energy_distance_real=energy.real,
        sliced_wasserstein=done(sliced_wasserstein(x, real) if len(x) else nan),
        sliced_wasserstein_real=done(sliced_wasserstein(other, real)),
        mode_weights=scores.weights,
        mode_tv=scores.tv,
        mode_tv_real=best.tv,
        off_mode=scores.off,
        off_mode_real=best.off,
        in_mode_std_ratio=scores.ratio,
        in_mode_std_ratio_real=best.ratio,
    )


def real_sample(mixture: GaussianMixture, count: int, seed: int = 0) -> Tensor:
    """Draw the true points (count, d) that provide the ``…_real`` scores."""
    return mixture.sample(count, generator(seed, "metrics"))


@dataclass(frozen=True)
class _Scores:
    """The scores that need no second sample."""

    distance: float | None
    weights: list[float] | None
    tv: float | None
    off: float
    ratio: float | None


def _scores(x: Tensor, points: int, mixture: GaussianMixture) -> _Scores:
    """Score the finite points x out of all ``points``."""
    squared, index = nearest_mode(x, mixture)
    if mixture.alike:
        on_mode = squared <= (OFF_MODE * mixture.stds[index].to(x)) ** 2
    else:
        away, index = mixture.in_stds(x)
        on_mode = away <= OFF_MODE
    off = 1 - float(on_mode.sum()) / points
    if not mixture.has_modes:
        return _Scores(None, None, None, off, None)
    shares = torch.bincount(index, minlength=mixture.modes) / max(len(x), 1)
    return _Scores(
        distance=float(squared.mean()),
        weights=shares.tolist(),
        tv=float((shares - mixture.weights).abs().sum() / 2) if len(x) else 1.0,
        off=off,
        ratio=_in_mode_ratio(x[on_mode], index[on_mode], mixture),
    )


def _in_mode_ratio(x: Tensor, index: Tensor, mixture: GaussianMixture) -> float | None:
    """Return ``in_mode_std_ratio`` of points x with the component of each."""
    if not len(x):
        return None
    count = torch.bincount(index, minlength=mixture.modes).clamp_min(1)
    centres = torch.zeros_like(mixture.means).index_add_(0, index, x.double()) / count[:, None]
    scaled = mixture.whitened(x - centres[index], index)
    return float(scaled.square().mean().sqrt())
