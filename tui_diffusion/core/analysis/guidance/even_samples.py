"""Points that fill a distribution evenly, for means with less error than from random points."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...mixtures import GaussianMixture

_EDGE = 1e-12
"""Least probability beyond a point, which keeps it finite."""


def even_sample(mixture: GaussianMixture, count: int) -> Tensor:
    """Return points (count, d), float64, from a scrambled Sobol' sequence (Owen 1998), seed 0.

    ``count`` should be a power of 2.
    """
    engine: Any = torch.quasirandom.SobolEngine
    sobol = engine(mixture.dim + 1, scramble=True, seed=0)
    quantiles = sobol.draw(count, dtype=torch.float64).clamp(_EDGE, 1 - _EDGE)
    component = mixture.components_at(quantiles[:, 0].contiguous())
    return mixture.points_of(component, torch.special.ndtri(quantiles[:, 1:]))
