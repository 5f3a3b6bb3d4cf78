"""A film of the lab as a film of the export."""

from __future__ import annotations

from functools import lru_cache

from ...export.scene import Exhibit
from ...export.scene import MeasuredTrajectory as Exported
from ..sampling.measured_trajectory import MeasuredTrajectory


@lru_cache(maxsize=2)
def exported(trajectory: MeasuredTrajectory) -> Exported:
    """Return a film as export draws it."""
    request = trajectory.request
    maker = {"forward": "true data", "ideal": "ideal denoiser", "network": "network"}[
        request.source
    ]
    denoiser = request.denoiser if request.source == "network" else None
    exhibit = Exhibit(
        request.experiment, trajectory.trajectory, maker=maker, denoiser=denoiser, seed=request.seed
    )
    return Exported(exhibit, trajectory.trajectory)
