"""The measurements of a level as the panels show them: each above the score of true points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.numbered_text import NamedNumber, NumberedText
from ...core.progress import ProgressCallback
from ..formatting import number

if TYPE_CHECKING:
    from .measured_trajectory import MeasuredTrajectory

_WAITING = "…"


@dataclass(frozen=True)
class Measurement:
    """A name and a value, and a second pair below; ``chance`` is shown behind ±.

    ``cells`` is the usual width of the value: 0 for that of its kind.
    """

    name: str
    value: str
    name_below: str
    value_below: str
    chance: str = ""
    cells: int = 0

    @property
    def known(self) -> bool:
        """Whether the value has been measured."""
        return self.value != _WAITING

    @property
    def text(self) -> NumberedText:
        """The value with its statistical error, without the name."""
        if not self.known:
            return self.value
        value = NamedNumber(self.name, self.value)
        return (value, " ±", NamedNumber("±", self.chance)) if self.chance else (value,)


def energy(trajectory: MeasuredTrajectory, level: int, *, chance: bool) -> Measurement:
    """Return the energy distance, with its chance variation, above the score of true points."""
    numbers = trajectory.measured(level)
    if numbers is None:
        return Measurement("energy", _WAITING, "real  ", _WAITING)
    moved = number(numbers.energy_chance) if chance else ""
    value, real = number(numbers.energy), number(numbers.energy_real)
    return Measurement("energy", value, "real  ", real, moved)


def to_mode(trajectory: MeasuredTrajectory, level: int, name: str) -> list[Measurement]:
    """Return the squared distance to the nearest mode, or nothing for data without modes."""
    if not trajectory.mixture.has_modes:
        return []
    numbers = trajectory.measured(level)
    below = f"{'real':<{len(name)}}"
    if numbers is None:
        return [Measurement(name, _WAITING, below, _WAITING)]
    if numbers.distance is None or numbers.goal_distance is None:
        return []
    real = number(numbers.goal_distance)
    return [Measurement(name, number(numbers.distance), below, real)]


def copied(trajectory: MeasuredTrajectory) -> list[Measurement]:
    """Return the share of copies that sampling ends with; nothing without a training set."""
    if trajectory.copied is None:
        return []
    share, real = ("–" if x is None else f"{x:.3f}" for x in trajectory.copied)
    return [Measurement("copied", share, "real  ", real, cells=5)]


def measure(
    wanted: tuple[MeasuredTrajectory, int], progress: ProgressCallback
) -> MeasuredTrajectory:
    """Measure a level of a trajectory in a worker thread, and return the trajectory."""
    trajectory, level = wanted
    trajectory.numbers(level)
    return trajectory
