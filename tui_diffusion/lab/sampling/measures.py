"""The measurements of a level as the panels show them: each above the score of true points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formatting import number
from .request import Progress

if TYPE_CHECKING:
    from .measured_trajectory import Film

Item = tuple[str, str, str, str]
"""A name and a value, and a second pair below."""

_WAITING = "…"


def energy(film: Film, level: int, *, chance: bool) -> Item:
    """Return the energy distance, with its chance variation, above the score of true points."""
    numbers = film.measured(level)
    if numbers is None:
        return "energy", _WAITING, "real  ", _WAITING
    moved = f" ±{number(numbers.energy_chance)}" if chance else ""
    return "energy", f"{number(numbers.energy)}{moved}", "real  ", number(numbers.energy_real)


def to_mode(film: Film, level: int, name: str) -> list[Item]:
    """Return the squared distance to the nearest mode, or nothing for data without modes."""
    if not film.mixture.separate:
        return []
    numbers = film.measured(level)
    below = f"{'real':<{len(name)}}"
    if numbers is None:
        return [(name, _WAITING, below, _WAITING)]
    if numbers.distance is None or numbers.goal_distance is None:
        return []
    return [(name, number(numbers.distance), below, number(numbers.goal_distance))]


def measure(wanted: tuple[Film, int], progress: Progress) -> Film:
    """Measure a level of a film in a worker thread, and return the film."""
    film, level = wanted
    film.numbers(level)
    return film
