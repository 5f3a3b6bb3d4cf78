"""The declaration of a part of an experiment; loads no torch.

A part is a data set, a method, a schedule or a sampler. Its description is plain data in a registry
of this folder, a dictionary from names to parts. The configuration, the form, help, completion and
exported scripts read the registries, so a part that is added to one is known everywhere. Its
mathematics is a function in the core's module with the name of the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar


@dataclass(frozen=True, kw_only=True)
class Part:
    """The name of a part in a configuration, and its description.

    ``function`` is the function with the part's mathematics, or its name in the core's module. Its
    parameters receive the fields of the part's section that have the same names. ``uses`` are the
    fields of the section that apply only to parts that use them. ``help`` is half a sentence;
    ``papers`` are the sources. ``written`` is the value to enter, if it is more than the name.
    Parts of one ``group`` appear under its name where all parts are listed in a line.
    """

    name: str
    function: str | Callable[..., Any] = ""
    help: str = ""
    papers: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    written: str = ""
    group: str = ""


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
