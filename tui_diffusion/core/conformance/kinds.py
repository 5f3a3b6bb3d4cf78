"""The kinds of parts that can be checked, and the names of each; loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..config.errors import ConfigError
from ..config.experiment import field_table
from ..nearest import did_you_mean, nearest
from ..parts.datasets import DATA_PARTS
from ..parts.methods import METHOD_PARTS
from ..parts.part import Part
from ..parts.samplers import SAMPLER_PARTS
from ..parts.schedules import SCHEDULE_PARTS
from ..text import shortened

MLP = "mlp"
"""The network where a configuration names none."""


def _written(parts: Mapping[str, Part]) -> tuple[str, ...]:
    return tuple(part.written or name for name, part in parts.items())


def _networks() -> tuple[str, ...]:
    named = field_table().get("network.name")
    return named.choices if named is not None else (MLP,)


_NAMES: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "sampler": lambda: _written(SAMPLER_PARTS),
    "schedule": lambda: _written(SCHEDULE_PARTS),
    "dataset": lambda: _written(DATA_PARTS),
    "network": _networks,
    "method": lambda: _written(METHOD_PARTS),
}

KINDS = tuple(_NAMES)
"""The kinds of parts."""


def names_of(kind: str) -> tuple[str, ...]:
    """Return the names of the parts of a kind, as a user writes them."""
    return _NAMES[kind]()


def check_kind(kind: str | None) -> str:
    """Return a kind; raise `ConfigError` unless there are parts of it."""
    if kind is None:
        raise ConfigError(f"check needs a kind of part; allowed: {', '.join(KINDS)}")
    if kind not in KINDS:
        raise ConfigError(_unknown("kind", kind, KINDS))
    return kind


def check_name(kind: str | None, name: str | None) -> tuple[str, str]:
    """Return kind and name; raise `ConfigError` unless the kind has a part of this name."""
    kind = check_kind(kind)
    names = names_of(kind)
    if name is None:
        raise ConfigError(f"check: {kind} needs a name; allowed: {', '.join(names)}")
    # A name such as file:PATH is allowed with any path.
    stems = [word.removesuffix("PATH") for word in names if word.endswith(":PATH")]
    if name not in names and not any(name.startswith(stem) for stem in stems):
        raise ConfigError(_unknown(kind, name, names))
    return kind, name


def _unknown(what: str, word: str, allowed: tuple[str, ...]) -> str:
    hint = did_you_mean(nearest(word, allowed))
    return f"check: {what} {shortened(word)!r} is unknown; {hint}allowed: {', '.join(allowed)}"
