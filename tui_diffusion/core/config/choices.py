"""Names that a configuration may choose from, and which of them are compatible.

They are read from the registries in `core.parts` whenever they are needed, from a copy, because
another thread may add parts. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ..parts.datasets import DATA_PARTS
from ..parts.diffusers import INSTALL, missing_package
from ..parts.methods import METHOD_PARTS
from ..parts.networks import NETWORK_PARTS
from ..parts.part import Part, described
from ..parts.registries import find_more
from ..parts.samplers import SAMPLER_PARTS
from ..parts.schedules import SCHEDULE_PARTS
from .errors import ConfigError


@dataclass(frozen=True, eq=False)
class OneOf:
    """The type of a field whose value is the name of a part."""

    parts: Mapping[str, Part]

    @property
    def names(self) -> tuple[str, ...]:
        """The values to choose from: the parts whose packages are installed."""
        needed = {package for part in self.parts.values() for package in needs_of(part)}
        missing = {package for package in needed if missing_package((package,))}
        return tuple(n for n, part in self.parts.items() if missing.isdisjoint(needs_of(part)))

    @property
    def allowed(self) -> str:
        """The allowed values as a user writes them."""
        return listed(self.parts.values())

    @property
    def help(self) -> str:
        """One sentence on every part."""
        return described([*self.parts.values()])

    def users(self, field: str) -> tuple[str, ...]:
        """Return the parts that use a field of their section."""
        return tuple(name for name, part in [*self.parts.items()] if field in part.uses)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._known, handler(source))

    def _known(self, name: str) -> str:
        if name not in self.parts:
            find_more()
        if name not in self.parts:
            raise ValueError(f"{name!r} is not allowed; allowed: {self.allowed}")
        return name


DataName = Annotated[str, OneOf(DATA_PARTS)]
MethodName = Annotated[str, OneOf(METHOD_PARTS)]
ScheduleKind = Annotated[str, OneOf(SCHEDULE_PARTS)]
NetworkName = Annotated[str, OneOf(NETWORK_PARTS)]
SamplerName = Annotated[str, OneOf(SAMPLER_PARTS)]


def needs_of(part: Part) -> tuple[str, ...]:
    """Return the packages that a part needs, beside those of the program."""
    return getattr(part, "needs", ())


def listed(parts: Iterable[Part]) -> str:
    """List parts as a user writes them; those of a group are one entry."""
    return ", ".join(dict.fromkeys(part.group or part.written or part.name for part in parts))


def check_installed(sampler: str) -> None:
    """Raise `ConfigError` if a sampler needs a package that is not installed."""
    if package := missing_package(needs_of(SAMPLER_PARTS[sampler])):
        others = listed(p for p in SAMPLER_PARTS.values() if not (p.needs or p.methods))
        raise ConfigError(
            f"sampling.sampler: {sampler} needs {package}; allowed: {INSTALL}, or {others}",
            "sampling.sampler",
        )


def schedules_of(method: str) -> tuple[str, ...]:
    """Return the compatible schedules of a method, its default first."""
    own = METHOD_PARTS[method]
    also = {own.schedule, *own.schedules}
    fitting = [n for n, part in [*SCHEDULE_PARTS.items()] if method in part.methods or n in also]
    return _default_first(own.schedule, fitting)


def samplers_of(method: str) -> tuple[str, ...]:
    """Return the compatible samplers of a method, its default first."""
    parts = [*SAMPLER_PARTS.items()]
    fitting = [name for name, part in parts if not part.methods or method in part.methods]
    return _default_first(METHOD_PARTS[method].sampler, fitting)


def _default_first(default: str, names: list[str]) -> tuple[str, ...]:
    return (default, *(name for name in names if name != default))


def methods_for(path: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return the methods that go with any of these values of a field."""
    if path == "network.per_level" and "true" in values:
        return tuple(name for name, part in METHOD_PARTS.items() if not part.any_level)
    compatible = {"schedule.kind": schedules_of, "sampling.sampler": samplers_of}.get(path)
    if compatible is None:
        return tuple(METHOD_PARTS)
    return tuple(name for name in METHOD_PARTS if {*compatible(name)} & {*values})
