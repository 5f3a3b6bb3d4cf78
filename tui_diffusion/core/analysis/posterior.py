"""The spread of x_0 about its posterior mean, exact at every point.

Given x = α x_0 + σ ε and the component m, x_0 is normal: its mean is c_m, and along an axis of the
component its variance is τ_ma² = s_ma² σ²/v_ma. So r = x_0 − E[x_0 | x] is N(δ_m, T_m) with
δ_m = c_m − E[x_0 | x], and

    E[‖r‖² | x, m] = ‖δ‖² + tr T,   Var[‖r‖² | x, m] = 2 tr T² + 4 δᵀ T δ.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..components import sum_of
from ..mixtures import PAIRS_AT_ONCE, GaussianMixture


def within(mixture: GaussianMixture, alpha: float, sigma: float) -> Tensor:
    """Return τ_ma², the variance of x_0 along the axes of its component, given x; (m, d)."""
    variances = mixture.widths**2
    return variances * sigma**2 / (alpha**2 * variances + sigma**2)


def posterior_moments(
    mixture: GaussianMixture, x: Tensor, alpha: float, sigma: float
) -> tuple[Tensor, Tensor]:
    """Return E[‖r‖² | x] and E[‖r‖⁴ | x] at points x (g, d), both (g,)."""
    variances = within(mixture, alpha, sigma).unbind(1)
    trace, square = sum(variances), sum(t**2 for t in variances)
    squares, fourths = [], []
    for rows in torch.split(x, max(1, PAIRS_AT_ONCE // mixture.modes)):
        part = mixture.part(rows, rows.new_full((1, 1), alpha), rows.new_full((1, 1), sigma))
        shares = part.log_joint().softmax(1)
        centres = part.centres()
        deltas = [c - (shares * c).sum(1, keepdim=True) for c in centres]
        alongs = [delta.square() for delta in part.along_axes(deltas)]
        mean = sum_of(alongs) + trace
        squares.append((shares * mean).sum(1))
        pairs = zip(variances, alongs, strict=True)
        spread = 2 * square + 4 * sum_of(t * along for t, along in pairs)
        fourths.append((shares * (mean**2 + spread)).sum(1))
    return torch.cat(squares), torch.cat(fourths)
