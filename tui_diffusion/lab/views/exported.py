"""A trajectory of the lab as an animation of the export."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from ...export.scene import Animation, Exhibit
from ..sampling.measured_trajectory import MeasuredTrajectory

_ANIMATIONS: WeakKeyDictionary[MeasuredTrajectory, Animation] = WeakKeyDictionary()
"""The animation of each trajectory that the lab still holds, with what it has computed so far."""


def exported(trajectory: MeasuredTrajectory) -> Animation:
    """Return a trajectory as the export draws it."""
    if trajectory not in _ANIMATIONS:
        _ANIMATIONS[trajectory] = _animation(trajectory)
    return _ANIMATIONS[trajectory]


def _animation(trajectory: MeasuredTrajectory) -> Animation:
    request = trajectory.request
    maker = {"forward": "true data", "ideal": "ideal denoiser", "network": "network"}[
        request.source
    ]
    denoiser = request.denoiser if request.source == "network" else None
    exhibit = Exhibit(
        request.experiment,
        trajectory.raw,
        maker=maker,
        denoiser=denoiser,
        seed=request.seed,
        trained=request.trained,
    )
    return Animation(exhibit, trajectory.raw)
