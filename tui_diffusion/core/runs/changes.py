"""The differences between a run's experiment and the preset it began as.

Settings are compared as the files state them, without building experiments: a list of hundreds of
runs stays fast, no file of points is read, and no file content is trusted. Loads no torch.
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
from ..short_repr import short_repr
from ..text import shortened, shown
from .store import Summary

SettingValues = Mapping[str, Any]
"""Values by dotted path, as in JSON."""

_SHOWN_LAST = ("training.steps", "sampling.points", "device")
"""Fields shown last: the list of runs shows them elsewhere, or they do not affect the training."""


@dataclass(frozen=True)
class Changes:
    """The settings of a run, and those that differ from its preset.

    ``preset`` is the preset to compare with: the one that the run names or, if that no longer
    exists, the built-in preset that differs from it in the fewest fields.
    """

    experiment: str
    preset: str
    settings: SettingValues = field(default_factory=dict, repr=False)
    values: SettingValues = field(default_factory=dict)

    def __repr__(self) -> str:
        return short_repr(self, "experiment", "preset", "text")

    @cached_property
    def text(self) -> str:
        """``naive-exact, lr 0.002, seed 3``; '' for an unchanged preset."""
        other = [self.preset] if self.preset != self.experiment else []
        paths = sorted(self.values, key=_SHOWN_LAST.__contains__)
        return ", ".join([*other, *(_words(path, self.values[path]) for path in paths)])

    def has(self, path: str, text: str) -> bool:
        """Return whether a field, given by the end of its path, has the value ``text``."""
        return any(
            _reads_as(value, text)
            for known, value in self.settings.items()
            if path and f".{known}".endswith(f".{path}")
        )


def changes_of(runs: Iterable[Summary]) -> dict[Path, Changes]:
    """Return the changes of each whole run, by its folder."""
    whole = [(run.folder, run.about) for run in runs if run.about is not None]
    own: dict[str, SettingValues] = {}
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
    """Return whether a run matches every word.

    A word matches the name, experiment, state or changes, or is FIELD=VALUE.
    """
    experiment = run.about.experiment if run.about is not None else ""
    differing = changes.text if changes is not None else ""
    text = f"{run.label} {experiment} {run.standing} {differing}".lower()

    def fits(word: str) -> bool:
        path, equals, value = word.partition("=")
        has = bool(equals) and changes is not None and changes.has(path, value)
        return has or word in text

    return all(fits(word.strip(",").lower()) for word in words)


def _compared(name: str, settings: SettingValues, own: Mapping[str, SettingValues]) -> Changes:
    """Compare settings with the preset of this name, or else with the nearest built-in one."""
    if not settings:
        return Changes(name, name)
    if name in PRESETS or name in own:
        base = _built_in(name) if name in PRESETS else own[name]
        return Changes(name, name, settings, _differing(settings, base))
    differences = {preset: _differing(settings, _built_in(preset)) for preset in PRESETS}
    nearest = min(differences, key=lambda preset: len(differences[preset]))
    return Changes(name, nearest, settings, differences[nearest])


def _differing(settings: SettingValues, base: SettingValues) -> SettingValues:
    """Return the values of applicable fields that differ from the base."""
    table = field_table()
    return {
        path: value
        for path, value in settings.items()
        if path in table and value != base.get(path) and table[path].applies(settings)
    }


@lru_cache(maxsize=4096)
def _from_built_in(name: str, file: Path, started: str) -> Changes:
    """Compare a run with a built-in preset, cached because neither changes.

    ``started`` distinguishes a new run in the same folder.
    """
    return _compared(name, _read(file, started), {})


@lru_cache(maxsize=4096)
def _read(file: Path, started: str) -> SettingValues:
    """Return the settings in an ``experiment.json``; none if it cannot be read."""
    with suppress(*UNREADABLE):
        return _of(read_object(file))
    return {}


@cache
def _built_in(name: str) -> SettingValues:
    return _flat(PRESETS[name].experiment)


def _flat(experiment: Experiment) -> SettingValues:
    return _of(experiment.model_dump(mode="json"))


def _of(values: Mapping[str, Any]) -> SettingValues:
    """Return the value of every field; the default of a field that an older run lacks."""
    settings = {}
    for path, spec in field_table().items():
        value: Any = values
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        settings[path] = _harmless(spec.default if value is None else value)
    return settings


def _harmless(value: Any, depth: int = 2) -> Any:
    """Return a value that is safe to show and to write as JSON."""
    if isinstance(value, list | tuple) and depth:
        return [_harmless(entry, depth - 1) for entry in value]
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return shown(value)[:200] if isinstance(value, str | float) else "?"


def _words(path: str, value: Any) -> str:
    """Return ``lr 0.002``; only the value if the field is a name: ``naive-exact``."""
    text = shortened(format_value(value), 24) or "none"
    last = path.rpartition(".")[2]
    if last in ("name", "kind"):
        return text
    alone = sum(f".{known}".endswith(f".{last}") for known in field_table()) == 1
    return f"{last if alone else path} {text}"


def _reads_as(value: Any, text: str) -> bool:
    """Return whether a text means this value."""
    if format_value(value).lower() == text:
        return True
    try:
        return type(value) in (int, float) and float(text) == value
    except (ValueError, OverflowError):
        return False
