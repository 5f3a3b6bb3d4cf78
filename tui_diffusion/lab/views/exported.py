"""A trajectory of the lab as an animation of the export."""

from __future__ import annotations

from functools import lru_cache

from ...export.scene import Animation, Exhibit
from ..sampling.measured_trajectory import MeasuredTrajectory


@lru_cache(maxsize=2)
def exported(trajectory: MeasuredTrajectory) -> Animation:
    """Return a trajectory as the export draws it."""
    request = trajectory.request
    maker = {"forward": "true data", "ideal": "ideal denoiser", "network": "network"}[
        request.source
    ]
    denoiser = request.denoiser if request.source == "network" else None
    exhibit = Exhibit(
        request.experiment, trajectory.raw, maker=maker, denoiser=denoiser, seed=request.seed
    )
    return Animation(exhibit, trajectory.raw)
