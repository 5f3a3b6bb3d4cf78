"""The declaration of a part of an experiment; loads no torch.

A part is a data set, a method, a schedule, a network or a sampler. Its description is plain data
in a registry of this folder, a dictionary from names to parts. The configuration, the form, help,
completion and exported scripts read the registries, so a part that is added to one is known
everywhere. Its mathematics is a function in the core's module with the name of the registry, or in
a part file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class PartFile:
    """A file with parts that are not built in, as it was read."""

    path: Path
    content: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    @property
    def size(self) -> int:
        """The size in bytes."""
        return len(self.content)

    @cached_property
    def checksum(self) -> str:
        """The SHA-256 of the contents."""
        return sha256(self.content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Part:
    """The name of a part in a configuration, and its description.

    ``function`` is the function with the part's mathematics, or its name in the core's module. Its
    parameters receive the fields of the part's section that have the same names. ``uses`` are the
    fields of the section that apply only to parts that use them. ``help`` is half a sentence;
    ``papers`` are the sources. ``written`` is the value to enter, if it is more than the name.
    Parts of one ``group`` appear under its name where all parts are listed in a line.

    A part that is not built in may have ``parameters``, a model of the fields that it adds to its
    section, an ``explanation`` of a paragraph or more, and the ``file`` and ``line`` of its code.
    """

    name: str
    function: str | Callable[..., Any] = ""
    help: str = ""
    papers: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    written: str = ""
    group: str = ""
    parameters: type[BaseModel] | None = None
    explanation: str = ""
    file: PartFile | None = None
    line: int = 0


PartT = TypeVar("PartT", bound=Part)


def by_name(*parts: PartT) -> dict[str, PartT]:
    """Return a registry of these parts, in this order."""
    return {part.name: part for part in parts}


def described(parts: Iterable[Part]) -> str:
    """Describe all parts in one sentence; neighbours with the same help share it."""
    groups = ((text, list(same)) for text, same in groupby(parts, lambda part: part.help))
    names = ((dict.fromkeys(part.group or part.name for part in same), t) for t, same in groups)
    texts = [f"{', '.join(group)}: {text}" for group, text in names]
    return "; ".join(texts) + "."
