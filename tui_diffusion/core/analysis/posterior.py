"""The spread of x_0 about its posterior mean, exact at every point.

Given x = α x_0 + σ ε and the component m, x_0 is normal: its mean is c_m, and along an axis of the
component its variance is τ_ma² = s_ma² σ²/v_ma. So r = x_0 − E[x_0 | x] is N(δ_m, T_m) with
δ_m = c_m − E[x_0 | x], and

    E[‖r‖² | x, m] = ‖δ‖² + tr T,   Var[‖r‖² | x, m] = 2 tr T² + 4 δᵀ T δ.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..components import sum_of
from ..mixtures import PAIRS_AT_ONCE, GaussianMixture


def within(mixture: GaussianMixture, alpha: float, sigma: float) -> Tensor:
    """Return τ_ma², the variance of x_0 along the axes of its component, given x; (m, d)."""
    variances = mixture.widths**2
    return variances * sigma**2 / (alpha**2 * variances + sigma**2)


def posterior_squares(
    mixture: GaussianMixture, x: Tensor, alpha: float, sigma: float
) -> tuple[Tensor, Tensor]:
    """Return E[‖r‖² | x] and the density at points x (g, 2) of elongated components, both (g,).

    The log density of a component, c_m and ‖c_m‖² are polynomials of degree two in x, so that a
    point and a component cost an exponential and two short products.
    """
    shapes = mixture.ellipses
    assert shapes is not None
    variances = alpha**2 * shapes.widths**2 + sigma**2
    turned = shapes.axes.mT
    precision = (shapes.axes / variances[:, None]) @ turned
    gain = (shapes.axes * (alpha * shapes.widths**2 / variances)[:, None]) @ turned
    centre = alpha * mixture.means
    offset = mixture.means - _times(gain, centre)
    pull = _times(precision, centre)
    log_norm = variances.log().sum(1) / 2 + math.log(2 * math.pi)
    exponent = _polynomial(
        mixture.weights.log() - log_norm - (centre * pull).sum(1) / 2, pull, -precision / 2
    )
    trace = within(mixture, alpha, sigma).sum(1)
    square = _polynomial(offset.square().sum(1) + trace, 2 * _times(gain, offset), gain @ gain)
    nothing = torch.zeros_like(gain)
    means = [_polynomial(offset[:, i], gain[:, i], nothing) for i in (0, 1)]
    moments = torch.cat([square, *means], 1)
    squares, densities = [], []
    for rows in torch.split(x, max(1, PAIRS_AT_ONCE // mixture.modes)):
        a, b = rows.unbind(1)
        powers = torch.stack([torch.ones_like(a), a, b, a * a, a * b, b * b], 1)
        logits = powers @ exponent.T
        top = logits.amax(1, keepdim=True)
        joint = (logits - top).exp()
        total = joint.sum(1)
        found = (joint @ moments / total[:, None]).view(-1, 3, 6).mul(powers[:, None]).sum(2)
        squares.append(found[:, 0] - found[:, 1:].square().sum(1))
        densities.append(total * top[:, 0].exp())
    return torch.cat(squares), torch.cat(densities)


def _polynomial(constant: Tensor, linear: Tensor, square: Tensor) -> Tensor:
    """Return the factors of 1, x, y, x², xy and y² of c + bᵀx + xᵀAx for symmetric A, (m, 6)."""
    mixed = square[:, 0, 1] + square[:, 1, 0]
    return torch.stack(
        [constant, linear[:, 0], linear[:, 1], square[:, 0, 0], mixed, square[:, 1, 1]], 1
    )


def _times(matrices: Tensor, vectors: Tensor) -> Tensor:
    """Return the products of matrices (m, d, d) and vectors (m, d)."""
    return (matrices @ vectors[:, :, None])[:, :, 0]


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
