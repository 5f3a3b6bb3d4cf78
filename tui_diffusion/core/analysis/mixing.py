"""Distributions mixed by their shares, such as those of classes by their weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..mixtures import GaussianMixture


def mixed(parts: Sequence[tuple[float, GaussianMixture]]) -> GaussianMixture:
    """Return the mixture of mixtures by their shares."""
    if len(parts) == 1:
        return parts[0][1]
    mixtures = [mixture for _, mixture in parts]
    means = torch.cat([mixture.means for mixture in mixtures])
    weights = torch.cat([share * mixture.weights for share, mixture in parts])
    has_modes = mixtures[0].has_modes
    if all(mixture.ellipses is None for mixture in mixtures):
        stds = torch.cat([mixture.stds for mixture in mixtures])
        return GaussianMixture(means, stds, weights, has_modes=has_modes)
    covariances = torch.cat([mixture.covariances for mixture in mixtures])
    return GaussianMixture(means, weights=weights, covariances=covariances, has_modes=has_modes)


def log_mixed(parts: Iterable[tuple[float, Tensor]]) -> Tensor:
    """Return a mixed log-density, from the share and the log-density (n,) of each part."""
    return torch.stack([math.log(share) + logs for share, logs in parts]).logsumexp(0)
