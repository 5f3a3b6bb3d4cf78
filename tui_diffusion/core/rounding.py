"""Elongated Gaussians as rows of round ones.

A Gaussian of widths L ≥ s is a round one of width s, moved along the long axis by N(0, t²) with
t² = L² − s². The trapezoid rule over that move makes a row of round Gaussians of it. With nodes
h s t/L apart, it is off by 2 exp(−2π²/h²) of the density, and by what lies beyond ``reach``
of its std. The weights of the nodes sum to 1, and their variance is t² exactly.
"""

from __future__ import annotations

import torch

from .mixtures import GaussianMixture


def rounded(
    mixture: GaussianMixture, spacing: float = 1.0, reach: float = 6.0, most: int = 256
) -> GaussianMixture:
    """Return a mixture of round components with nearly the density of a mixture.

    With the defaults the density is off by 1e-8 of its height in each component. ``most`` limits
    the nodes of a component: those of one more than 21 times as long as wide are farther apart,
    which shows at the scale of its width alone. A mixture of round components returns as it is.
    """
    if mixture.ellipses is None:
        return mixture
    short, long = mixture.ellipses.widths.unbind(1)
    moved = (long**2 - short**2).clamp_min(0).sqrt()
    nodes = (2 * reach * long / (spacing * short)).clamp_max(most).ceil()
    nodes = torch.where(moved > 0, nodes, 1.0)[:, None]
    at = torch.arange(int(nodes.max()), device=nodes.device)
    position = reach * ((2 * at + 1) / nodes - 1)
    there = at < nodes
    share = torch.where(there, (-(position**2) / 2).exp(), 0.0)
    share = share / share.sum(1, keepdim=True)
    variance = (share * position**2).sum(1, keepdim=True)
    position = torch.where(variance > 0, position / variance.sqrt(), 0.0)
    along = (moved[:, None] * position)[:, :, None] * mixture.ellipses.axes[:, None, :, 1]
    component = there.nonzero()[:, 0]
    return GaussianMixture(
        (mixture.means[:, None] + along)[there],
        short[component],
        (mixture.weights[:, None] * share)[there],
        has_modes=mixture.has_modes,
        labels=mixture.labels[component],
        device=mixture.means.device,
    )
