"""How good a sample is, beside what a fresh real sample of the same size scores."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .mixtures import GaussianMixture
from .randomness import generator

OFF_MODE = 5.0
"""A point further than this many std from every mode belongs to none."""

_PAIRS_UP_TO = 4096
"""Points of each sample that enter the energy distance, whose cost grows with their square."""


@dataclass(frozen=True)
class Quality:
    """What a sample scores; lists have one entry a coordinate or a mode.

    ``nearest_mode_distance``: mean over points of the squared distance to the nearest mode (the
    post's measure). ``energy_distance`` and, of real data, ``energy_distance_real``.
    ``mode_weights``: share of points nearest to each mode; ``mode_tv``: half the sum of their
    absolute differences from the true weights. ``off_mode``: share of points further than
    5 std from every mode. ``in_mode_std_ratio``: root mean square distance of the others from the
    mean of their mode, a coordinate, over the true std; None where there are none.
    """

    points: int
    mean: list[float]
    std: list[float]
    nearest_mode_distance: float
    energy_distance: float
    energy_distance_real: float
    mode_weights: list[float]
    mode_tv: float
    off_mode: float
    in_mode_std_ratio: float | None


def nearest_mode(x: Tensor, mixture: GaussianMixture) -> tuple[Tensor, Tensor]:
    """Squared distance to, and index of, the nearest mode of every point; both (n,)."""
    means = mixture.means.to(x)
    squared = torch.stack([((x - mean) ** 2).sum(1) for mean in means], 1)
    distance, index = squared.min(1)
    return distance, index


def nearest_mode_distance(x: Tensor, mixture: GaussianMixture) -> float:
    """Mean over points of the squared distance to the nearest mode."""
    return float(nearest_mode(x, mixture)[0].mean())


def energy_distance(x: Tensor, y: Tensor) -> float:
    """2 E|X−Y| − E|X−X'| − E|Y−Y'| over all pairs; 0 only where the two agree.

    Of samples larger than 4,096 the first that many points count.
    """
    x, y = x[:_PAIRS_UP_TO].double(), y[:_PAIRS_UP_TO].double()
    cross = torch.cdist(x, y).mean()
    within = torch.cdist(x, x).mean() + torch.cdist(y, y).mean()
    return float((2 * cross - within).clamp_min(0))


def evaluate(x: Tensor, mixture: GaussianMixture, seed: int = 0) -> Quality:
    """Score points x of shape (n, d) against the mixture they should come from.

    Non-finite points count as off every mode and are left out of everything else.
    """
    points = len(x)
    x = x.detach()[torch.isfinite(x).all(1)].cpu()
    mixture = mixture.to("cpu")
    random = generator(seed, "metrics")
    # As many real points as are compared; two draws, since real data differ from real data too.
    count = min(max(len(x), 1), _PAIRS_UP_TO)
    real, other = mixture.sample(count, random), mixture.sample(count, random)
    if not len(x):
        nan = [float("nan")] * mixture.dim
        weights = [0.0] * mixture.modes
        far = float("nan")
        return Quality(
            points, nan, nan, far, far, energy_distance(real, other), weights, 1.0, 1.0, None
        )
    squared, index = nearest_mode(x, mixture)
    shares = torch.bincount(index, minlength=mixture.modes) / len(x)
    stds = mixture.stds[index].to(x)
    on_mode = squared <= (OFF_MODE * stds) ** 2
    return Quality(
        points=points,
        mean=x.mean(0).tolist(),
        std=x.std(0, unbiased=False).tolist(),
        nearest_mode_distance=float(squared.mean()),
        energy_distance=energy_distance(x, real),
        energy_distance_real=energy_distance(other, real),
        mode_weights=shares.tolist(),
        mode_tv=float((shares - mixture.weights).abs().sum() / 2),
        off_mode=1 - float(on_mode.sum()) / points,
        in_mode_std_ratio=_in_mode_ratio(x[on_mode], index[on_mode], mixture),
    )


def _in_mode_ratio(x: Tensor, index: Tensor, mixture: GaussianMixture) -> float | None:
    if not len(x):
        return None
    count = torch.bincount(index, minlength=mixture.modes).clamp_min(1)
    centres = torch.zeros_like(mixture.means).index_add_(0, index, x.double()) / count[:, None]
    scaled = (x - centres[index]) / mixture.stds[index, None]
    return float(scaled.square().mean().sqrt())
