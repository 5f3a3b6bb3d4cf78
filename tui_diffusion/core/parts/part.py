"""What every part of an experiment declares about itself; loads no torch.

A part is a data set, a method, a schedule or a sampler. Its description is plain data in a registry
of this folder, a dictionary from names to parts. The configuration, the form, help, completion and
exported scripts read the registries, so a part that is added to one is known everywhere. Its
mathematics is a function of the core's module of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar


@dataclass(frozen=True, kw_only=True)
class Part:
    """A name in a configuration and its description.

    ``function`` is the name of the part's mathematics in its module of the core, or the function
    itself. It is called with the fields of the part's section that have the names of its
    parameters. ``uses`` are the fields of the section that apply only to parts that use them.
    ``help`` is half a sentence; ``papers`` are the sources. ``written`` is the name as a user
    writes it, if that needs more than the name.
    """

    name: str
    function: str | Callable[..., Any] = ""
    help: str = ""
    papers: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    written: str = ""


PartT = TypeVar("PartT", bound=Part)


def by_name(*parts: PartT) -> dict[str, PartT]:
    """Return a registry of these parts, in this order."""
    return {part.name: part for part in parts}


def described(parts: Iterable[Part]) -> str:
    """Return one sentence on all parts; neighbours with the same help share it."""
    groups = ((text, list(group)) for text, group in groupby(parts, lambda part: part.help))
    texts = [f"{', '.join(part.name for part in group)}: {text}" for text, group in groups]
    return "; ".join(texts) + "."
