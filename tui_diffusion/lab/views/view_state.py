"""The state of a view of a trajectory, and properties that its pictures share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ...core.arrays import Floats
from ...core.assemble import make_mixture
from ...core.config.data_section import DataConfig
from ...core.schedules import Schedule
from ...core.trajectory_view import REACH, exact_at, window_over
from ..sampling.measured_trajectory import MeasuredTrajectory

_ROOM = 1.35
"""Half width of a picture relative to the extent of the data, if the noise extends further."""
_LEAST = REACH
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
    return _extent(trajectory.request.experiment.data, trajectory.schedule)


@lru_cache(maxsize=64)
def _extent(data: DataConfig, schedule: Schedule) -> tuple[Floats, float]:
    """Return the extent of 3.2 std of every component, limited so that clean data stay large."""
    mixture, levels = make_mixture(data), schedule.levels
    centre, half = window_over(exact_at(mixture, schedule, k) for k in range(levels + 1))
    clean = exact_at(mixture, schedule, levels)
    reach = (clean.means - clean.means.mean(0)).abs().max() + REACH * clean.widest
    return centre, min(half, max(_ROOM * float(reach), _LEAST))
