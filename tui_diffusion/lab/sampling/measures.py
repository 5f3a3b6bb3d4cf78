"""The measurements of a level as the panels show them: each above the score of true points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.progress import ProgressCallback
from ..formatting import number

if TYPE_CHECKING:
    from .measured_trajectory import MeasuredTrajectory

Item = tuple[str, str, str, str]
"""A name and a value, and a second pair below."""

_WAITING = "…"


def energy(trajectory: MeasuredTrajectory, level: int, *, chance: bool) -> Item:
    """Return the energy distance, with its chance variation, above the score of true points."""
    numbers = trajectory.measured(level)
    if numbers is None:
        return "energy", _WAITING, "real  ", _WAITING
    moved = f" ±{number(numbers.energy_chance)}" if chance else ""
    return "energy", f"{number(numbers.energy)}{moved}", "real  ", number(numbers.energy_real)


def to_mode(trajectory: MeasuredTrajectory, level: int, name: str) -> list[Item]:
    """Return the squared distance to the nearest mode, or nothing for data without modes."""
    if not trajectory.mixture.has_modes:
        return []
    numbers = trajectory.measured(level)
    below = f"{'real':<{len(name)}}"
    if numbers is None:
        return [(name, _WAITING, below, _WAITING)]
    if numbers.distance is None or numbers.goal_distance is None:
        return []
    return [(name, number(numbers.distance), below, number(numbers.goal_distance))]


def measure(
    wanted: tuple[MeasuredTrajectory, int], progress: ProgressCallback
) -> MeasuredTrajectory:
    """Measure a level of a trajectory in a worker thread, and return the trajectory."""
    trajectory, level = wanted
    trajectory.numbers(level)
    return trajectory
