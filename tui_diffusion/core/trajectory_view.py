"""Windows and curves that are common to all pictures of a trajectory.

Positions run from 0 (noise) to N (clean); between two levels, points, alpha and sigma are
interpolated linearly. All coordinates are at unit size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .analysis.metrics import nearest_mode
from .arrays import Floats, Range
from .interpolation import interpolate
from .mixtures import GaussianMixture
from .schedules import Schedule

FOLLOWED = 32
"""Number of points with ideal paths; no picture shows more."""

ESTIMATES = 8192
"""Number of points with clean estimates: more would not be visible, and each one costs another
network evaluation."""

MARKED_MODES = 16
"""Maximum number of modes that are marked one by one."""

CONTOUR_SHARE = 0.95
"""Share of the exact distribution inside its contour."""

CONTOUR_RADIUS = math.sqrt(-2 * math.log(1 - CONTOUR_SHARE))
"""Radius, in std, of that contour for one Gaussian in the plane."""

REACH = 3.2
"""Distance from a component's mean, in std, that the window includes."""

_NEAR, _NEAR_SHARE, _NEAR_ROOM, _NEAR_MOST = 4.5, 0.98, 1.1, 4.0
"""The half width of a close-up, in std of the truth. It grows until it holds this share of the
points, with this margin as a factor, up to this multiple."""


def noise_at(schedule: Schedule, position: float) -> tuple[float, float]:
    """Return alpha and sigma at a position between 0 and N, interpolated linearly."""
    alphas, sigmas = schedule.alphas.cpu().numpy(), schedule.sigmas.cpu().numpy()
    return float(interpolate(alphas, position)), float(interpolate(sigmas, position))


def exact_at(mixture: GaussianMixture, schedule: Schedule, position: float) -> GaussianMixture:
    """Return the exact noisy distribution at a position."""
    return mixture.noised(*noise_at(schedule, position))


def path_to(x: NDArray[Any], position: float) -> NDArray[Any]:
    """Return the rows of x (N + 1, …) up to a position, with that position as the last row."""
    return np.concatenate((x[: int(position) + 1], interpolate(x, position)[None]))


def box_of(truth: GaussianMixture) -> tuple[Floats, Floats]:
    """Return the corners (d,) of a box that holds 3.2 std of every component."""
    reach = REACH * truth.spans
    low, high = (truth.means - reach).min(0).values, (truth.means + reach).max(0).values
    return np.asarray(low.numpy()), np.asarray(high.numpy())


def window_over(truths: Iterable[GaussianMixture]) -> tuple[Floats, float]:
    """Return centre (d,) and half width of a window that holds the boxes of all distributions."""
    lows, highs = zip(*map(box_of, truths), strict=True)
    low, high = np.min(lows, axis=0), np.max(highs, axis=0)
    return (low + high) / 2, float((high - low).max() / 2)


def close_up(points: NDArray[Any], truth: GaussianMixture) -> Range:
    """Return the range of a close-up in 1D: ±4.5 std of the truth, more for wider points (n, 1)."""
    middle, std = float(truth.mean()[0]), float(truth.std()[0])
    values = points[:, 0][np.isfinite(points[:, 0])]
    reach = _NEAR * std
    if len(values):
        spread = float(np.quantile(np.abs(values - middle), _NEAR_SHARE)) * _NEAR_ROOM
        reach = max(reach, min(spread, _NEAR_MOST * reach))
    return middle - reach, middle + reach


def about_modes(points: NDArray[Any], truth: GaussianMixture) -> Floats:
    """Return points (n, d) relative to the mode of each that is nearest in its std."""
    x = torch.from_numpy(points).double()
    _, nearest = nearest_mode(x, truth) if truth.alike else truth.in_stds(x)
    return np.asarray((x - truth.means[nearest]).numpy())


def interval_centres(xs: Range, count: int) -> Floats:
    """Return the centres (count,) of equal intervals of a range."""
    edges = np.linspace(*xs, count + 1)
    return np.asarray((edges[1:] + edges[:-1]) / 2)


def averaged_pdf(truth: GaussianMixture, xs: Range, count: int) -> Floats:
    """Return the exact 1D pdf averaged over equal intervals, (count,), which misses no peak."""
    edges = torch.linspace(*xs, count + 1, dtype=torch.float64)[:, None]
    return np.asarray(truth.cdf(edges).diff().numpy() * count / (xs[1] - xs[0]))
