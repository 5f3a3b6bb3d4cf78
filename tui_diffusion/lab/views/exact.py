"""The exact density in the plane as cells and dots of a terminal."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.arrays import Floats, Range
from ...core.mixtures import GaussianMixture
from ...core.trajectory_view import CONTOUR_RADIUS, CONTOUR_SHARE

_LEVEL_PAIRS = 300_000
"""Number of pairs of a point and a component that are evaluated to find the contour level."""
_TINY = 1e-300
"""A negligible density with a finite logarithm."""
FAINTEST = 0.01
"""Share of the maximum density below which nothing is drawn."""


def cell_width(ranges: tuple[Range, Range], width: int) -> float:
    """Return the width of a cell in data units, for an x range of ``width`` cells."""
    return (ranges[0][1] - ranges[0][0]) / max(width, 1)


def has_ring(truth: GaussianMixture, cell: float) -> bool:
    """Return whether a component's contour is larger than a cell; a smaller one hides points."""
    return bool(truth.widest * CONTOUR_RADIUS >= 1.5 * cell)


def exact_grid(
    truth: GaussianMixture, ranges: tuple[Range, Range], size: tuple[int, int]
) -> Floats:
    """Return the exact density, shape (2·height, width), blurred so that narrow peaks show.

    The blur has the size of a cell.
    """
    width, height = size
    blurred = truth.noised(1.0, cell_width(ranges, width) / 2)
    values = _on_lattice(blurred, ranges, width, 2 * height).numpy()
    # The faintest shade starts at a significant density.
    values[values < FAINTEST * values.max()] = 0.0
    return np.asarray(values)


def contour_dots(
    truth: GaussianMixture, ranges: tuple[Range, Range], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return the dots (4·height, 2·width) of the contour that encloses 95 % of the density."""
    width, height = size
    if not has_ring(truth, cell_width(ranges, width)):
        return np.zeros((4 * height, 2 * width), dtype=np.bool_)
    threshold = contour_log_density(truth)
    # A component is larger than a cell, so two values per cell and four dots between them suffice.
    coarse = _on_lattice(truth, ranges, width, 2 * height).clamp_min(_TINY).log()
    fine = torch.nn.functional.interpolate(
        coarse[None, None], (4 * height, 2 * width), mode="bilinear", align_corners=True
    )
    inside = (fine[0, 0] >= threshold).numpy()
    padded = np.pad(inside, 1, mode="edge")  # the edge of the window is not part of the contour
    kernel = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(inside & ~kernel)


def contour_log_density(truth: GaussianMixture) -> float:
    """Return the log density of the 95 % contour, as a quantile of a sample.

    The sample is smaller for many components.
    """
    count = min(2000, max(200, _LEVEL_PAIRS // truth.modes))
    random = torch.Generator().manual_seed(0)
    sample = truth.sample(count, random, balanced=True, dtype=torch.float64)
    return float(torch.quantile(truth.log_prob(sample), 1 - CONTOUR_SHARE))


def _on_lattice(
    truth: GaussianMixture, ranges: tuple[Range, Range], columns: int, rows: int
) -> torch.Tensor:
    """Return the exact density (rows, columns) on a lattice over the ranges, top row first."""
    xs = torch.linspace(*ranges[0], columns, dtype=torch.float64)
    ys = torch.linspace(ranges[1][1], ranges[1][0], rows, dtype=torch.float64)
    return truth.density_grid(xs, ys)
