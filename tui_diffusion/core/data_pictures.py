"""Small pictures of data for notebooks: the exact density in 1D, points in 2D."""

from __future__ import annotations

import torch

from . import pictures
from .assemble import make_mixture
from .config.experiment import Experiment
from .mixtures import GaussianMixture
from .trajectory_view import averaged_pdf, box_of

_POINTS, _PLACES = 400, 80
"""Points of a sample, and intervals of a density."""


def data_picture(experiment: Experiment) -> str:
    """Return a picture of an experiment's data."""
    return mixture_picture(make_mixture(experiment))


def mixture_picture(mixture: GaussianMixture) -> str:
    """Return a picture of a mixture."""
    mixture = mixture.to("cpu")
    if mixture.dim == 1:
        low, high = box_of(mixture)
        return pictures.line(averaged_pdf(mixture, (float(low[0]), float(high[0])), _PLACES))
    random = torch.Generator().manual_seed(0)
    return pictures.scatter(mixture.sample(_POINTS, random).numpy())
