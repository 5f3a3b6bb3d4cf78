"""Points at which to integrate over a noised distribution."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..components import Ellipses
from ..mixtures import GaussianMixture
from ..randomness import generator

_REACH = 6.0
"""Range of integrals over x around every component, in its noised std."""

_MOST_PAIRS = 12_000_000
"""Maximum of grid points times components; above it a sample of fixed seed replaces the grid."""

_SAMPLE_PAIRS = 4_000_000


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
