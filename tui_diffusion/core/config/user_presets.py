"""Saved presets: experiments that a user keeps under a name, one JSON file each.

The files are in the folder ``presets`` beside the settings. Each holds a whole experiment, which
the model validates. An unreadable file causes one line of warning and does not affect the others.
Loads no torch.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from ..files import UNREADABLE, read_object, reason_of, write_whole
from ..paths import presets_folder
from ..runs.manifest import LARGEST_SETTINGS
from ..text import shown
from .errors import ConfigError
from .experiment import Experiment, build
from .experiment_json import as_saved, check_written
from .presets import PRESETS, Preset, base_of, experiment_of
from .value_types import format_value

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_ALLOWED = "1 to 40 letters, digits, '-', '_' and '.', a letter or digit first"
_FORMAT = 1


# --- reading -----------------------------------------------------------------------------------


def own_presets() -> tuple[dict[str, Preset], list[str]]:
    """Return every saved preset by name, in order, and a line for each file left out."""
    presets: dict[str, Preset] = {}
    problems: list[str] = []
    for file in _files():
        try:
            presets[file.stem] = _read(file)
        except ConfigError as error:
            problems.append(str(error))
    return presets, problems


def find_own(name: str) -> Preset | None:
    """Return the saved preset of this name, or None; raise `ConfigError` if it is damaged."""
    file = next((file for file in _files() if file.stem == name), None)
    return _read(file) if file is not None else None


def _files() -> list[Path]:
    try:
        entries = [entry for entry in presets_folder().iterdir() if entry.suffix == ".json"]
    except OSError:
        return []  # no preset was saved yet, or access is denied
    return sorted(
        (file for file in entries if not file.name.startswith(".")),
        key=lambda file: (file.stem.casefold(), file.stem),
    )


def _read(file: Path) -> Preset:
    try:
        name = checked_preset_name(file.stem)
        values = read_object(file, LARGEST_SETTINGS)
        inner = values.get("experiment")
        if name != file.stem or values.get("format") != _FORMAT or not isinstance(inner, dict):
            raise ValueError("not a preset of this program")
        return _preset(build({**as_saved(inner), "name": name}), str(values.get("base")))
    except UNREADABLE as error:  # includes values that the model rejects
        raise ConfigError(f"preset {shown(str(file))}: left out ({reason_of(error)})") from None


def _preset(experiment: Experiment, base: str) -> Preset:
    """Return a saved experiment with the description of its built-in preset."""
    origin = PRESETS.get(base) or base_of(experiment)
    changes = experiment.changes_from(origin.experiment)
    differing = [f"{path} = {format_value(value)}" for path, value in changes.items()]
    about = f"Your own, from {origin.id}: {', '.join(differing) or 'as it is'}."
    return Preset(experiment.name, origin.title, None, shown(about), experiment, own=True)


# --- changing ----------------------------------------------------------------------------------


def checked_preset_name(name: str) -> str:
    """Return a valid name for a preset, with '-' for blanks; raise `ConfigError`."""
    name = "-".join(name.split())
    if not _NAME.fullmatch(name):
        raise ConfigError(f"name {shown(name)[:60]!r} is not allowed; allowed: {_ALLOWED}")
    if name.casefold() in PRESETS:
        raise ConfigError(f"name {name!r} is that of a built-in experiment; allowed: another")
    return name


def is_taken(name: str) -> bool:
    """Return whether a file has this name, damaged or not."""
    return any(file.stem == name for file in _files())


def save_preset(name: str, experiment: Experiment | Preset) -> Preset:
    """Save an experiment under a name, replacing a preset of that name; raise `ConfigError`."""
    experiment = experiment_of(experiment)
    name, base = _free(name, name), base_of(experiment).id
    experiment = experiment.model_copy(update={"name": name})
    # Only the file has the name, so that renaming the file renames the preset.
    check_written(experiment)
    values = experiment.model_dump(mode="json", exclude={"name"})
    text = json.dumps({"format": _FORMAT, "base": base, "experiment": values}, indent=2) + "\n"
    file = _file(name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text)
    except OSError as error:
        raise ConfigError(f"preset {name!r}: cannot be written ({reason_of(error)})") from None
    return _preset(experiment, base)


def rename_preset(name: str, new: str) -> Preset:
    """Rename a saved preset to a free name; raise `ConfigError`."""
    file, target = _existing(name), _file(_free(new, name))
    if target != file and is_taken(target.stem):
        raise ConfigError(f"name {target.stem!r} is taken; allowed: one that is free")
    try:
        file.rename(target)
    except OSError as error:
        raise ConfigError(f"preset {name!r}: cannot be renamed ({reason_of(error)})") from None
    return _read(target)


def remove_preset(name: str) -> None:
    """Remove a saved preset; raise `ConfigError`."""
    file = _existing(name)
    try:
        file.unlink()
    except OSError as error:
        raise ConfigError(f"preset {name!r}: cannot be removed ({reason_of(error)})") from None


def _file(name: str) -> Path:
    return presets_folder() / f"{name}.json"


def _free(name: str, but: str) -> str:
    """Return a valid name that no other preset has in different case; raise `ConfigError`.

    Some file systems do not distinguish upper and lower case.
    """
    name = checked_preset_name(name)
    alike = [f.stem for f in _files() if f.stem.casefold() == name.casefold()]
    if any(other not in (name, but) for other in alike):
        raise ConfigError(f"name {name!r} is too like {alike[0]!r}; allowed: that, or another")
    return name


def _existing(name: str) -> Path:
    if not is_taken(name):
        raise ConfigError(f"preset {shown(name)[:60]!r} is not there; allowed: one of your own")
    return _file(name)
