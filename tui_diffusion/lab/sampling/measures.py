"""The measured numbers of a level, as the panels write them: each above what true points score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formatting import number
from .request import Progress

if TYPE_CHECKING:
    from .measured_trajectory import Film

Item = tuple[str, str, str, str]
"""A name and a value, and below them another name and value."""

_WAITING = "…"


def energy(film: Film, level: int, *, chance: bool) -> Item:
    """The energy distance, with how far chance moves it, above what true points score."""
    seen = film.measured(level)
    if seen is None:
        return "energy", _WAITING, "real  ", _WAITING
    moved = f" ±{number(seen.energy_chance)}" if chance else ""
    return "energy", f"{number(seen.energy)}{moved}", "real  ", number(seen.energy_real)


def to_mode(film: Film, level: int, name: str) -> list[Item]:
    """The squared distance to the nearest mode, of data that have modes."""
    if not film.mixture.separate:
        return []
    seen = film.measured(level)
    below = f"{'real':<{len(name)}}"
    if seen is None:
        return [(name, _WAITING, below, _WAITING)]
    if seen.distance is None or seen.goal_distance is None:
        return []
    return [(name, number(seen.distance), below, number(seen.goal_distance))]


def measure(wanted: tuple[Film, int], progress: Progress) -> Film:
    """Measure a level of a film, in a worker's thread; returns the film."""
    film, level = wanted
    film.numbers(level)
    return film
