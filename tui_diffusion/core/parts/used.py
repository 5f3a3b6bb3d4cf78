"""The part files that an experiment uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .part import PartFile
from .registries import NAMED_BY, parts_used


@dataclass(frozen=True)
class UsedFile:
    """A part file that a training uses, with the names of the parts by their field."""

    file: PartFile
    parts: dict[str, str] = field(default_factory=dict)


def used_files(names: Callable[[str], Any]) -> tuple[UsedFile, ...]:
    """Return the part files of an experiment, whose ``names`` returns the value of a field."""
    used: dict[str, UsedFile] = {}
    for kind, part in parts_used(names):
        if part.file is not None:
            one = used.setdefault(part.file.checksum, UsedFile(part.file))
            one.parts[NAMED_BY[kind]] = part.name
    return tuple(used.values())
