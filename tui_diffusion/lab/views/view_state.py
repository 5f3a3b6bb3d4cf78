"""How a trajectory is viewed, and properties that its pictures share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from ...core.config.experiment import Experiment
from ..sampling.measured_trajectory import Floats, MeasuredTrajectory, truth_at

_ROOM = 1.35
"""Half width of a picture relative to the extent of the data, if the noise extends further."""
_LEAST = 3.2
"""Half width that shows noise of unit variance."""

PATHS = 16
"""Number of points whose paths are drawn."""


@dataclass(frozen=True)
class ViewState:
    """A position in a trajectory, and a view of it.

    ``position`` is a level or lies between two: 3.25 is a quarter of the way from 3 to 4. ``zoom``
    0 shows everything; each step shows 1/√2 of the previous window. ``tracked`` is the index of the
    tracked point, if any. ``forward`` shows the forward process beside the points, instead of the
    exact density (2D) or the close-up (1D).
    """

    position: float
    view: str
    truth: bool = True
    zoom: int = 0
    tracked: int | None = None
    forward: bool = False

    @property
    def level(self) -> int:
        """The level last reached."""
        return int(self.position)


def source_name(trajectory: MeasuredTrajectory) -> str:
    """Return the source of the points, for a legend."""
    return {"forward": "true data", "ideal": "ideal", "network": "network"}[
        trajectory.request.source
    ]


def role_of(trajectory: MeasuredTrajectory) -> str:
    """Return the role, and so the colour, of the points."""
    return {"forward": "start", "ideal": "ideal", "network": "network"}[trajectory.request.source]


def extent_of(trajectory: MeasuredTrajectory) -> tuple[Floats, float]:
    """Return centre (d,) and half width of the data's space that is visible at every level.

    If the noise extends far beyond the data, points enter from outside the window.
    """
    return _extent(trajectory.request.experiment)


@lru_cache(maxsize=64)
def _extent(experiment: Experiment) -> tuple[Floats, float]:
    """Return the extent of 3.2 std of every component, limited so that clean data stay large."""
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
