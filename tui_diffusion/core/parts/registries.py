"""All registries by the kind of their parts, and what happens when parts are added or missed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from .datasets import DATA_PARTS
from .methods import METHOD_PARTS
from .networks import NETWORK_PARTS
from .part import Part, PartFile
from .samplers import SAMPLER_PARTS
from .schedules import SCHEDULE_PARTS

Kind = Literal["dataset", "method", "schedule", "network", "sampler"]

REGISTRIES: dict[Kind, dict[str, Any]] = {
    "dataset": DATA_PARTS,
    "method": METHOD_PARTS,
    "schedule": SCHEDULE_PARTS,
    "network": NETWORK_PARTS,
    "sampler": SAMPLER_PARTS,
}

NAMED_BY: dict[Kind, str] = {
    "dataset": "data.name",
    "method": "method.name",
    "schedule": "schedule.kind",
    "network": "network.name",
    "sampler": "sampling.sampler",
}
"""The field of an experiment that names a part of each kind."""

part_files: dict[Path, PartFile] = {}
"""The part files that were loaded by their paths, in this order."""

problems: list[str] = []
"""One line for each installed package whose parts could not be loaded."""

_listeners: list[Callable[[], None]] = []
_finders: list[Callable[[], None]] = []


def words_for(kind: Kind, name: str) -> str:
    """Return what a message calls a part, such as "data set 'heart'"."""
    return f"{'data set' if kind == 'dataset' else kind} {name!r}"


def on_change(listener: Callable[[], None]) -> None:
    """Call ``listener`` whenever parts are added or removed."""
    _listeners.append(listener)


def changed() -> None:
    """Tell all listeners that parts were added or removed."""
    for listener in _listeners:
        listener()


def when_missed(finder: Callable[[], None]) -> None:
    """Call ``finder`` once, when a name is unknown or all names are asked for."""
    _finders.append(finder)


def find_more() -> None:
    """Add the parts that are found only on demand, such as those of installed packages."""
    while _finders:
        _finders.pop()()


def parts_used(names: Callable[[str], Any]) -> list[tuple[Kind, Part]]:
    """Return the parts of an experiment, whose ``names`` returns the value of a field."""
    return [(kind, REGISTRIES[kind][names(path)]) for kind, path in NAMED_BY.items()]
