"""What the next sweep varies: up to two axes and the number of seeds, as typed in the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..core.config.errors import ConfigError
from ..core.config.value_types import format_value
from ..core.text import shortened

if TYPE_CHECKING:
    from ..core.config.experiment import Experiment

MOST_AXES = 2
"""Maximum number of axes in the lab; the command line takes any number."""

_MOST_SEEDS = 1000
_USUAL_SEEDS = 5
"""The least number of seeds at which two cells can differ."""


@dataclass(frozen=True)
class Variation:
    """The values of each axis as typed, by field, and the number of seeds of every cell."""

    axes: Mapping[str, str] = field(default_factory=dict)
    seeds: int = 1

    def text(self, path: str) -> str:
        """Return the values of a field as typed; '' if it does not vary."""
        if path == "seed":
            return f"{self.seeds} seeds" if self.seeds > 1 else ""
        return self.axes.get(path, "")

    def to_edit(self, path: str, experiment: Experiment) -> str:
        """Return the text that an editor begins with."""
        if path == "seed":
            return str(self.seeds if self.seeds > 1 else _USUAL_SEEDS)
        return self.axes.get(path) or format_value(experiment.get(path))

    def with_text(self, path: str, text: str) -> Variation:
        """Return this with other values of a field; one value or none ends its axis.

        For ``seed``, the text is the number of seeds. Raise `ConfigError`.
        """
        text = text.strip()
        if path == "seed":
            return replace(self, seeds=_seeds(text))
        others = {name: values for name, values in self.axes.items() if name != path}
        if len(values_of(path, text)) < 2:
            return replace(self, axes=others)
        if len(others) == MOST_AXES:
            first, second = others
            raise ConfigError(
                f"{path}: {first} and {second} vary already; allowed: {MOST_AXES} axes here, more "
                "with diffusion-tui sweep",
                path,
            )
        return replace(self, axes=dict(self.axes) | {path: text})

    def without(self, path: str) -> Variation:
        """Return this with a field that does not vary."""
        if path == "seed":
            return replace(self, seeds=1)
        return replace(self, axes={p: v for p, v in self.axes.items() if p != path})

    def described(self, path: str, text: str) -> str:
        """Describe the values of a text, such as "3 values: 16, 32, 64"; raise `ConfigError`."""
        if path == "seed":
            count = _seeds(text.strip())
            return f"{count} seed{'s' * (count > 1)} of every cell, counting up from this one"
        values = values_of(path, text.strip())
        if len(values) < 2:
            return "one value: does not vary"
        return f"{len(values)} values: {', '.join(map(format_value, values))}"


def values_of(path: str, text: str) -> tuple[object, ...]:
    """Return the values of an axis; none of an empty text. Raise `ConfigError`."""
    if not text:
        return ()
    from ..core.sweeps.values import parse_values

    return parse_values(path, text)


def _seeds(text: str) -> int:
    """Parse a number of seeds; an empty text is one."""
    if not text:
        return 1
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= _MOST_SEEDS):
        raise ConfigError(
            f"seed: {shortened(text)!r} seeds is not allowed; allowed: a whole number from 1 to "
            f"{_MOST_SEEDS:,}",
            "seed",
        )
    return int(text)
