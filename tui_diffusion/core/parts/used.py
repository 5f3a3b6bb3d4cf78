"""The part files that experiments use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .part import PartFile
from .registries import NAMED_BY, part_files, parts_used

Names = Callable[[str], Any]
"""A function of an experiment that returns the value of a field."""


@dataclass(frozen=True)
class UsedFile:
    """A part file that is used, with the names of the parts that are, by their field."""

    file: PartFile
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)


def used_files(*experiments: Names) -> tuple[UsedFile, ...]:
    """Return the part files of some experiments, each once, in the order of their loading."""
    used: dict[str, UsedFile] = {}
    for names in experiments:
        for kind, part in parts_used(names):
            if part.file is not None:
                one = used.setdefault(part.file.checksum, UsedFile(part.file))
                before = one.parts.get(NAMED_BY[kind], ())
                one.parts[NAMED_BY[kind]] = tuple(dict.fromkeys((*before, part.name)))
    order = list(part_files)
    return tuple(sorted(used.values(), key=lambda one: _place(order, one.file)))


def _place(order: list[Any], file: PartFile) -> int:
    return order.index(file.path) if file.path in order else len(order)
