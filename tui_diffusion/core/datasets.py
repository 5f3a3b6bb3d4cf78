"""Named data sets, each a Gaussian mixture."""

from __future__ import annotations

import torch

from .experiment import DataConfig
from .mixtures import GaussianMixture


def make_mixture(data: DataConfig, device: torch.device | str = "cpu") -> GaussianMixture:
    """The mixture that a configuration describes: equal weights, one std for all components."""
    return GaussianMixture(data.means, data.std, device=device)
