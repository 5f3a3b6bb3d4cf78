"""How a film is looked at, and what is common to the pictures of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from ...core.config.experiment import Experiment
from ..sampling.measured_trajectory import Film, Floats, truth_at

_ROOM = 1.35
"""Half width of a picture over the reach of the data, where the noise reaches further."""
_LEAST = 3.2
"""Half width that shows noise of unit variance."""

PATHS = 16
"""Points whose paths are drawn."""


@dataclass(frozen=True)
class Look:
    """A place and a view of a film.

    ``place`` is a level, or lies between two: 3.25 is a quarter of the way from 3 to 4. ``zoom`` 0
    shows everything; each step shows 1/√2 of it. ``tracked`` is the point that is followed, if one
    is. ``forward`` puts the forward process beside the points, in the place of the exact density
    (2D) or the close-up (1D).
    """

    place: float
    view: str
    truth: bool = True
    zoom: int = 0
    tracked: int | None = None
    forward: bool = False

    @property
    def level(self) -> int:
        """The level last reached."""
        return int(self.place)


def source_name(film: Film) -> str:
    """What the points are, for a legend."""
    return {"forward": "true data", "ideal": "ideal", "network": "network"}[film.wish.source]


def role_of(film: Film) -> str:
    """The role, and so the colour, of the points."""
    return {"forward": "start", "ideal": "ideal", "network": "network"}[film.wish.source]


def extent_of(film: Film) -> tuple[Floats, float]:
    """Centre (d,) and half width of what is shown of the data's space at every level.

    Where the noise reaches far beyond the data, points come in from outside.
    """
    return _extent(film.wish.experiment)


@lru_cache(maxsize=64)
def _extent(experiment: Experiment) -> tuple[Floats, float]:
    """To 3.2 std of every component, but no further than leaves the clean data a fair size."""
    lows, highs = [], []
    for level in range(experiment.sampling_levels + 1):
        truth = truth_at(experiment, level)
        reach = 3.2 * truth.stds[:, None]
        lows.append((truth.means - reach).min(0).values)
        highs.append((truth.means + reach).max(0).values)
    low, high = torch.stack(lows).min(0).values.numpy(), torch.stack(highs).max(0).values.numpy()
    clean = truth_at(experiment, experiment.sampling_levels)
    reach = (clean.means - clean.means.mean(0)).abs().max() + 3.2 * clean.stds.max()
    whole = float((high - low).max() / 2)
    return (low + high) / 2, min(whole, max(_ROOM * float(reach), _LEAST))
