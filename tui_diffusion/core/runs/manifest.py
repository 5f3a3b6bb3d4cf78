"""The manifest ``run.json`` of a run, validated; loads no torch."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from ..config.errors import ConfigError
from ..files import read_object
from ..parts.part import PartFile
from ..parts.reading import read_part_file
from ..text import shown
from .kept_parts import KeptFile, read_kept

FORMAT = 2
POINTS_FILE = "points.npy"
"""File in a run's folder with the data, if they came from a file."""

MEMORISATION_FILE = "memorisation.npy"
"""File of a checkpoint with what was measured during a training on a fixed set of points."""

PROGRESS_FILE = "progress.bin"
"""File in a run's folder with the latest losses, while a process trains it."""

LARGEST_SETTINGS = 2**20
"""Maximum size in bytes of a file of settings or a preset."""

RunState = Literal["training", "stopped", "finished", "diverged"]
"""State of a run in its manifest."""

CHECKPOINT = re.compile(r"checkpoint-[0-9]{1,9}")
"""Names of the checkpoint folders of a run."""


class RunError(ValueError):
    """An error of opening or writing a run: one line that says which run and why.

    ``setting`` is the assignment that the line proposes, such as ``training.steps=200``, or ''.
    """

    def __init__(self, message: str, setting: str = "") -> None:
        super().__init__(message)
        self.setting = setting


class MissingPartError(RunError):
    """A run or a sweep uses a part that is not loaded; ``copy`` is its own copy of the file."""

    def __init__(self, name: str, part: str, kept: KeptFile, copy: Path, what: str = "run") -> None:
        self.copy, self.kept, self._what = copy, kept, what
        super().__init__(
            f"{what} {shown(name)}: {part} is not loaded; the {what} keeps it in {kept.described}; "
            f"allowed: {shown(str(copy))}"
        )

    def checked_copy(self) -> PartFile:
        """Read the copy; raise `ConfigError` if it is not the file as it was."""
        file = read_part_file(self.copy)
        if file.checksum != self.kept.checksum:
            raise ConfigError(
                f"{shown(file.name)} of the {self._what} has changed: its SHA-256 was "
                f"{self.kept.checksum[:12]}… and is {file.checksum[:12]}…; allowed: the file it was"
            )
        return file


@dataclass(frozen=True)
class Manifest:
    """The contents of ``run.json``; ``files`` are the sizes of the checkpoint's files in bytes.

    ``quality`` holds the main metrics of the last sample, if one was taken. ``checksums`` holds the
    SHA-256 of each file of the run by name; runs of earlier versions have none. ``parts`` are the
    part files that the run uses.
    """

    experiment: str
    state: RunState
    step: int
    steps: int
    seconds: float
    seed: int
    device: str
    started: datetime
    written: datetime
    checkpoint: str
    files: Mapping[str, int]
    quality: Mapping[str, float | None] | None
    versions: Mapping[str, str]
    checksums: Mapping[str, str]
    parts: tuple[KeptFile, ...] = ()


def checksum(data: bytes | memoryview) -> str:
    """Return the SHA-256 of the contents of a file."""
    return hashlib.sha256(data).hexdigest()


def signed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contents of ``run.json``: ``values`` with a checksum of themselves."""
    own = checksum(json.dumps(values, sort_keys=True).encode())
    return {**values, "checksums": {**values["checksums"], "run.json": own}}


def check_unchanged(file: Path, checksums: Mapping[str, str]) -> None:
    """Raise ValueError if a file of a run is not the one that was written.

    A file without a checksum, as in runs of earlier versions, passes.
    """
    if file.name in checksums:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if digest != checksums[file.name]:
            raise ValueError(_CHANGED)


_CHANGED = "it has changed since it was written: its SHA-256 is not that in run.json"


def read_about(folder: Path) -> Manifest:
    """Read the manifest of a run; raise one of `UNREADABLE` if it is not valid."""
    values = read_object(folder / "run.json")
    about = _about(values)
    if "checksums" in values:
        rest = {name: value for name, value in about.checksums.items() if name != "run.json"}
        if signed({**values, "checksums": rest})["checksums"] != about.checksums:
            raise ValueError("it has changed since it was written: its checksum does not match")
    return about


def _about(values: Mapping[str, Any]) -> Manifest:
    """Validate each entry of ``run.json``."""
    if values["format"] != FORMAT:
        raise ValueError(f"format {values['format']!r}; allowed: {FORMAT}")
    if values["state"] not in get_args(RunState):
        raise ValueError(f"state {values['state']!r}; allowed: {', '.join(get_args(RunState))}")
    checkpoint = values["checkpoint"]
    if not isinstance(checkpoint, str) or not CHECKPOINT.fullmatch(checkpoint):
        raise ValueError(f"checkpoint {checkpoint!r}; allowed: checkpoint-NUMBER")
    quality = values["quality"]
    return Manifest(
        experiment=_text(values, "experiment"),
        state=values["state"],
        step=_whole(values, "step"),
        steps=_whole(values, "steps"),
        seconds=_seconds(values["seconds"]),
        seed=_whole(values, "seed"),
        device=_text(values, "device"),
        started=_time(_text(values, "started")),
        written=_time(_text(values, "written")),
        checkpoint=checkpoint,
        files={name: _whole(values["files"], name) for name in _names(values["files"])},
        quality=None if quality is None else _quality(quality),
        versions=_texts(values["versions"]),
        checksums=_texts(values.get("checksums", {})),
        parts=read_kept(values.get("parts", [])),
    )


def _quality(values: Any) -> dict[str, float | None]:
    """Return the metrics of a sample, without an energy distance of an earlier version.

    That was biased; only the unbiased one has ``energy_distance_chance`` beside it.
    """
    quality = {name: _number(values[name]) for name in _names(values)}
    if "energy_distance_chance" not in quality:
        quality |= dict.fromkeys(quality.keys() & {"energy_distance", "energy_distance_real"})
    return quality


def _names(values: Any) -> list[str]:
    if not isinstance(values, dict) or len(values) > 100:
        raise TypeError("not an object")
    if any("/" in name or "\0" in name or name in ("", ".", "..") for name in values):
        raise ValueError("a name that no file can have")
    return list(values)


def _text(values: Mapping[str, Any], key: str) -> str:
    """Return a short text without control characters."""
    if not isinstance(values[key], str) or len(values[key]) > 200:
        raise TypeError(f"{key} is not a short text")
    return shown(values[key])


def _texts(values: Any) -> dict[str, str]:
    return {name: _text(values, name) for name in _names(values)}


def _whole(values: Mapping[str, Any], key: str) -> int:
    value = values[key]
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(f"{key} {value!r}; allowed: a whole number from 0")
    return value


def _number(value: Any) -> float | None:
    number = None if value is None else float(value)
    return number if number is None or math.isfinite(number) else None


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"seconds {seconds}; allowed: a number from 0")
    return seconds


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def checkpoints_in(folder: Path) -> dict[int, Path]:
    """Return the checkpoints of a run by number, current or not."""
    return {
        int(entry.name.partition("-")[2]): entry
        for entry in folder.iterdir()
        if CHECKPOINT.fullmatch(entry.name)
    }
