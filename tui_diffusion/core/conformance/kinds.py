"""The kinds of parts that can be checked, and the names of each; loads no torch."""

from __future__ import annotations

from typing import Any

from ..config.choices import listed
from ..config.errors import ConfigError
from ..nearest import did_you_mean, nearest
from ..parts.registries import REGISTRIES, find_more
from ..text import shortened

KINDS: tuple[str, ...] = ("sampler", "schedule", "dataset", "network", "method")
"""The kinds of parts."""


def names_of(kind: str) -> tuple[str, ...]:
    """Return the names of the parts of a kind, as a user writes them."""
    find_more()
    parts: dict[str, Any] = REGISTRIES[kind]  # type: ignore[index]
    return tuple(part.written or name for name, part in [*parts.items()])


def check_kind(kind: str | None) -> str:
    """Return a kind; raise `ConfigError` unless there are parts of it."""
    if kind is None:
        raise ConfigError(f"check needs a kind of part; allowed: {', '.join(KINDS)}")
    if kind not in KINDS:
        raise ConfigError(_unknown("kind", kind, KINDS, ", ".join(KINDS)))
    return kind


def check_name(kind: str | None, name: str | None) -> tuple[str, str]:
    """Return kind and name; raise `ConfigError` unless the kind has a part of this name."""
    kind = check_kind(kind)
    names = names_of(kind)
    allowed = listed(REGISTRIES[kind].values())  # type: ignore[index]
    if name is None:
        raise ConfigError(f"check: {kind} needs a name; allowed: {allowed}")
    # A name such as file:PATH is allowed with any path.
    stems = [word.removesuffix("PATH") for word in names if word.endswith(":PATH")]
    if name not in names and not any(name.startswith(stem) for stem in stems):
        raise ConfigError(_unknown(kind, name, names, allowed))
    return kind, name


def _unknown(what: str, word: str, names: tuple[str, ...], allowed: str) -> str:
    hint = did_you_mean(nearest(word, names))
    return f"check: {what} {shortened(word)!r} is unknown; {hint}allowed: {allowed}"
