"""What differs between the experiment of a run and the preset that it began as.

Runs are compared as their files have them, and no experiment is built: a list of hundreds stays
quick, no file of points is read, and what a file holds is never taken at its word. Importing this
module loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

from ..config.experiment import Experiment, field_table
from ..config.presets import PRESETS
from ..config.user_presets import own_presets
from ..config.value_types import format_value
from ..files import UNREADABLE, read_object
from ..text import shortened, shown
from .store import Summary

Settings = Mapping[str, Any]
"""Values by dotted path, as JSON has them."""

_TOLD_ELSEWHERE = ("training.steps", "sampling.points", "device")
"""What comes last: a run's list tells it, or it is no part of the training."""


@dataclass(frozen=True)
class Changes:
    """The settings of a run, and those of them that are not its preset's.

    ``preset`` is what the run is compared with: the preset that it names or, where that is no
    longer there, the built-in preset that differs from it in the fewest fields.
    """

    experiment: str
    preset: str
    settings: Settings = field(default_factory=dict, repr=False)
    values: Settings = field(default_factory=dict)

    @cached_property
    def text(self) -> str:
        """``naive-exact, lr 0.002, seed 3``; '' for the preset as it is."""
        other = [self.preset] if self.preset != self.experiment else []
        paths = sorted(self.values, key=_TOLD_ELSEWHERE.__contains__)
        return ", ".join([*other, *(_words(path, self.values[path]) for path in paths)])

    def has(self, path: str, text: str) -> bool:
        """Whether a field, given by its path or the end of it, has the value that ``text`` is."""
        return any(
            _reads_as(value, text)
            for known, value in self.settings.items()
            if path and f".{known}".endswith(f".{path}")
        )


def changes_of(runs: Iterable[Summary]) -> dict[Path, Changes]:
    """What differs in each run that is whole, by its folder."""
    whole = [(run.folder, run.about) for run in runs if run.about is not None]
    own: dict[str, Settings] = {}
    if any(about.experiment not in PRESETS for _, about in whole):
        own = {name: _flat(preset.experiment) for name, preset in own_presets()[0].items()}
    changes = {}
    for folder, about in whole:
        file = folder / about.checkpoint / "experiment.json"
        name, started = about.experiment, about.started.isoformat()
        if name in PRESETS:
            changes[folder] = _from_built_in(name, file, started)
        else:
            changes[folder] = _compared(name, _read(file, started), own)
    return changes


def matches(run: Summary, changes: Changes | None, words: Iterable[str]) -> bool:
    """Whether a run has every word: in its name, experiment, state, changes, or as FIELD=VALUE."""
    experiment = run.about.experiment if run.about is not None else ""
    differing = changes.text if changes is not None else ""
    text = f"{run.label} {experiment} {run.standing} {differing}".lower()

    def fits(word: str) -> bool:
        path, equals, value = word.partition("=")
        has = bool(equals) and changes is not None and changes.has(path, value)
        return has or word in text

    return all(fits(word.strip(",").lower()) for word in words)


def _compared(name: str, settings: Settings, own: Mapping[str, Settings]) -> Changes:
    if not settings:
        return Changes(name, name)
    if name in PRESETS or name in own:
        base = _built_in(name) if name in PRESETS else own[name]
        return Changes(name, name, settings, _differing(settings, base))
    found = {preset: _differing(settings, _built_in(preset)) for preset in PRESETS}
    nearest = min(found, key=lambda preset: len(found[preset]))
    return Changes(name, nearest, settings, found[nearest])


def _differing(settings: Settings, base: Settings) -> Settings:
    """The values that are not those of the base, of the fields that apply."""
    table = field_table()
    return {
        path: value
        for path, value in settings.items()
        if value != base[path] and table[path].applies(settings)
    }


@lru_cache(maxsize=4096)
def _from_built_in(name: str, file: Path, started: str) -> Changes:
    """What differs from a preset that stays as it is.

    A checkpoint never changes either; ``started`` tells another run in its place.
    """
    return _compared(name, _read(file, started), {})


@lru_cache(maxsize=4096)
def _read(file: Path, started: str) -> Settings:
    """The settings in an ``experiment.json``; none where it cannot be read."""
    with suppress(*UNREADABLE):
        return _of(read_object(file))
    return {}


@cache
def _built_in(name: str) -> Settings:
    return _flat(PRESETS[name].experiment)


def _flat(experiment: Experiment) -> Settings:
    return _of(experiment.model_dump(mode="json"))


def _of(values: Mapping[str, Any]) -> Settings:
    """The value of every field; the default of one that is not there, in a run older than it."""
    settings = {}
    for path, spec in field_table().items():
        value: Any = values
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        settings[path] = _harmless(spec.default if value is None else value)
    return settings


def _harmless(value: Any, depth: int = 2) -> Any:
    """A value that can be shown, and written as JSON, whatever it is."""
    if isinstance(value, list | tuple) and depth:
        return [_harmless(entry, depth - 1) for entry in value]
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return shown(value)[:200] if isinstance(value, str | float) else "?"


def _words(path: str, value: Any) -> str:
    """``lr 0.002``; a name alone where the field is which part it is: ``naive-exact``."""
    text = shortened(format_value(value), 24) or "none"
    last = path.rpartition(".")[2]
    if last in ("name", "kind"):
        return text
    alone = sum(f".{known}".endswith(f".{last}") for known in field_table()) == 1
    return f"{last if alone else path} {text}"


def _reads_as(value: Any, text: str) -> bool:
    if format_value(value).lower() == text:
        return True
    try:
        return type(value) in (int, float) and float(text) == value
    except (ValueError, OverflowError):
        return False
