"""Sweeps on disk: creating, opening, listing, renaming and removing them. Loads no torch.

sweep.json         axes, seeds, what ran them and for how long
experiment.json    the base experiment
points.npy         the data, if they came from a file
my_parts.py        a copy of each part file that its trainings use
lock               held by the process that trains
001-lr=1e-3-seed=0/   a run as everywhere, and so on
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

from ..config.errors import ConfigError
from ..config.experiment_json import to_json
from ..files import UNREADABLE, flush_folder, read_object, reason_of, write_whole
from ..paths import sweep_store
from ..runs.kept_parts import KeptFile, changed_parts, kept_files, missing_part, read_kept
from ..runs.lock import Lock, writer_of
from ..runs.manifest import POINTS_FILE, MissingPartError, RunError
from ..runs.outside import SWEEP_FILE, forget, outside_folders, remember
from ..runs.store import checked_run_name, summarise
from ..runs.stored_experiment import load_experiment
from ..short_repr import short_repr
from ..text import shown
from .states import is_complete
from .sweep import MOST, Axis, Sweep, Training, short_names, used_by

FORMAT = 1
_LARGEST = 2**26


@dataclass(frozen=True)
class StoredSweep:
    """A sweep and its folder; ``seconds`` is the time that processes spent on it so far.

    ``faults`` says by the name of a training why it failed. ``parts`` are the part files that it
    keeps. ``sweep`` is built when it is read.
    """

    folder: Path
    created: datetime
    engine: str = ""
    workers: int = 0
    seconds: float = 0.0
    faults: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[KeptFile, ...] = field(default=(), repr=False)
    _values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return short_repr(self, "name", "engine", "workers", "seconds")

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def sweep(self) -> Sweep:
        """The sweep, with its base as it was; raise `RunError`.

        A part that is not loaded raises `MissingPartError`: no copy is loaded by itself.
        """
        if missing := missing_part(self.parts, search=True):
            part, kept = missing
            raise MissingPartError(self.name, part, kept, self.folder / kept.name, "sweep")
        return _sweep(self.folder, self._values)

    @property
    def changed_parts(self) -> tuple[str, ...]:
        """One line for each part file that has changed since the sweep began."""
        return changed_parts(self.parts, "sweep")

    def check_parts(self) -> None:
        """Raise `RunError` if a part file has changed: its trainings could not be compared."""
        if changes := self.changed_parts:
            copies = ", ".join(shown(str(self.folder / kept.name)) for kept in self.parts)
            raise RunError(
                f"sweep {shown(self.name)}: {'; '.join(changes)}; allowed: the file as it was "
                f"({copies}), or a new sweep"
            )

    def run_folder(self, training: Training) -> Path:
        """Return the folder of the run of a training."""
        return self.folder / training.name

    def missing(self, trainings: tuple[Training, ...]) -> list[Training]:
        """Return the trainings that are not complete."""
        return [t for t in trainings if not is_complete(t, self.run_folder(t))]

    def record(self, **changes: Any) -> StoredSweep:
        """Return the sweep with changed attributes, written to its folder; raise `RunError`."""
        changed = replace(self, **changes)
        values = {
            **self._values,
            "engine": changed.engine,
            "workers": changed.workers,
            "seconds": changed.seconds,
            "faults": dict(changed.faults),
        }
        try:
            write_whole(self.folder / SWEEP_FILE, _text(values))
        except OSError as error:
            raise _unwritable(self.folder, error) from None
        return changed


def create_sweep(sweep: Sweep, folder: Path | None = None) -> StoredSweep:
    """Write a new sweep, to the store or to a missing or empty folder; raise `RunError`."""
    if folder is None:
        folder = next(f for f in _free_names(sweep) if not os.path.lexists(f))
    folder = Path(os.path.realpath(folder)) if folder.is_symlink() else folder.absolute()
    temporary = folder.parent / f".{folder.name}.{os.getpid()}.tmp"
    kept = kept_files(used_by(sweep.trainings()))
    values = {
        "format": FORMAT,
        "experiment": sweep.base.name,
        "axes": [{"field": axis.field, "values": list(axis.values)} for axis in sweep.axes],
        "seeds": sweep.seeds,
        "skip_invalid": sweep.skip_invalid,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "trainings": len(sweep.trainings()),
        "parts": [copy.written() for copy, _ in kept],
    }
    try:
        if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
            raise RunError(
                f"sweep {shown(str(folder))}: not empty; allowed: a new or an empty folder"
            )
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        write_whole(temporary / "experiment.json", to_json(sweep.base))
        if (points := sweep.base.data.copy_of_points) is not None:
            write_whole(temporary / POINTS_FILE, _npy(points))
        for copy, content in kept:
            write_whole(temporary / copy.name, content)
        write_whole(temporary / SWEEP_FILE, _text(values))
        temporary.rename(folder)
        flush_folder(folder.parent)
    except OSError as error:
        raise _unwritable(folder, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    remember_sweep(folder)
    return read_sweep(folder)


def remember_sweep(folder: Path) -> None:
    """Add a sweep outside of the store to the list of folders outside."""
    if folder.parent != sweep_store().absolute():
        remember(folder)


def read_sweep(folder: Path) -> StoredSweep:
    """Read a sweep by its folder; raise `RunError`. `naming.find_sweep` finds it by name."""
    try:
        values = read_object(folder / SWEEP_FILE, _LARGEST)
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']!r}; allowed: {FORMAT}")
        _check_listed(values)
        faults = values.get("faults", {})
        return StoredSweep(
            folder.absolute(),
            created=datetime.fromisoformat(values["created"]),
            engine=shown(values.get("engine", "")),
            workers=int(values.get("workers", 0)),
            seconds=float(values.get("seconds", 0.0)),
            faults={shown(name): shown(reason) for name, reason in faults.items()},
            parts=read_kept(values.get("parts", []), MOST),
            _values=values,
        )
    except FileNotFoundError:
        raise RunError(f"sweep {shown(str(folder))}: {SWEEP_FILE} is missing") from None
    except (*UNREADABLE, AttributeError) as error:
        raise RunError(
            f"sweep {shown(str(folder))}: {SWEEP_FILE} cannot be read ({reason_of(error)})"
        ) from None


def _check_listed(values: Mapping[str, Any]) -> None:
    """Raise one of `UNREADABLE` unless a list of sweeps can show these values."""
    for axis in values["axes"]:
        if not isinstance(axis["field"], str) or not isinstance(axis["values"], list):
            raise TypeError("axes are not fields with lists of values")
    if not isinstance(values["experiment"], str):
        raise TypeError("experiment is not a text")
    for key in ("seeds", "trainings"):
        if type(values[key]) is not int or values[key] < 1:
            raise ValueError(f"{key} {values[key]!r}; allowed: a whole number from 1")


def _sweep(folder: Path, values: Mapping[str, Any]) -> Sweep:
    try:
        axes = [Axis(axis["field"], tuple(map(_tuples, axis["values"]))) for axis in values["axes"]]
        base = load_experiment(folder / "experiment.json", folder / POINTS_FILE)
        return Sweep(base, axes, values["seeds"], skip_invalid=values["skip_invalid"] is True)
    except (*UNREADABLE, ConfigError) as error:
        raise RunError(f"sweep {shown(str(folder))}: cannot be read ({reason_of(error)})") from None


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=2) + "\n"


def _npy(points: Any) -> bytes:
    import numpy as np

    file = BytesIO()
    np.save(file, points, allow_pickle=False)
    return file.getvalue()


def _free_names(sweep: Sweep) -> Any:
    fields = list(short_names([axis.field for axis in sweep.axes]).values())
    words = [sweep.base.name, *(f.replace(".", "-") for f in fields[:3])]
    name = f"{'-'.join(words)}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
    yield sweep_store() / name
    yield from (sweep_store() / f"{name}-{number}" for number in count(2))


# --- all of them -------------------------------------------------------------------------------


@dataclass(frozen=True)
class SweepSummary:
    """One sweep of the list. If it cannot be opened, ``stored`` is None and ``reason`` says why."""

    folder: Path
    stored: StoredSweep | None
    done: int = 0
    trainings: int = 0
    busy: bool = False
    reason: str = ""

    @property
    def name(self) -> str:
        """The name for `find_sweep`; show `label` instead."""
        return self.folder.name

    @property
    def label(self) -> str:
        """The name without control characters, not escaped for markup."""
        return shown(self.name)

    @property
    def state(self) -> str:
        """training, interrupted, finished or damaged."""
        if self.stored is None:
            return "damaged"
        if self.busy:
            return "training"
        return "finished" if self.done >= self.trainings else "interrupted"

    @property
    def experiment(self) -> str:
        """The name of the base experiment."""
        return shown(self.stored._values.get("experiment", "")) if self.stored else ""

    @property
    def axes(self) -> list[dict[str, Any]]:
        """Fields and values as in JSON."""
        return list(self.stored._values["axes"]) if self.stored else []

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return int(self.stored._values["seeds"]) if self.stored else 0


def sweep_folders() -> list[Path]:
    """Return the folder of every sweep, in the store and outside, the latest written first."""
    folders: list[Path] = []
    with suppress(OSError):
        folders = [f for f in sweep_store().iterdir() if not f.name.startswith(".")]
    folders += outside_folders()
    found = {f.absolute(): t for f in folders if (t := _written(f)) is not None}
    return sorted(found, key=lambda folder: -found[folder])


def _written(folder: Path) -> int | None:
    """Return when a sweep was last written, in ns; None if the folder is not one."""
    with suppress(OSError):
        if not folder.is_symlink():
            return (folder / SWEEP_FILE).lstat().st_mtime_ns
    return None


def summarise_sweep(folder: Path) -> SweepSummary:
    """Summarise a sweep from its files, without building its cells."""
    try:
        stored = read_sweep(folder)
    except RunError as error:
        return SweepSummary(folder, None, reason=reason_of(error))
    runs = [summarise(entry) for entry in run_folders_of(folder)]
    done = sum(run is not None and run.standing in ("finished", "diverged") for run in runs)
    trainings = int(stored._values["trainings"])
    return SweepSummary(folder, stored, done, trainings, busy=writer_of(folder) is not None)


def list_sweeps() -> list[SweepSummary]:
    """Return every sweep, the latest written first."""
    return [summarise_sweep(folder) for folder in sweep_folders()]


def run_folders_of(folder: Path) -> list[Path]:
    """Return the folders of the runs of a sweep, by name."""
    try:
        entries = [e for e in folder.iterdir() if not e.name.startswith(".")]
    except OSError:
        return []
    return sorted(entry for entry in entries if os.path.lexists(entry / "run.json"))


# --- change ------------------------------------------------------------------------------------


def rename_sweep(folder: Path, new: str) -> Path:
    """Rename a sweep within its folder and return its new path; raise `RunError`."""
    target = folder.parent / checked_run_name(new)

    def move() -> None:
        if os.path.lexists(target):
            raise RunError(f"name {target.name!r} is taken; allowed: one that is free")
        folder.rename(target)
        flush_folder(target.parent)

    _alone(folder, move, "renamed")
    forget(folder)
    remember_sweep(target)
    return target


def delete_sweep(folder: Path) -> None:
    """Remove a sweep and all of its runs; raise `RunError`."""
    doomed = folder.parent / f".{folder.name[:60]}.{os.getpid()}.deleted"

    def remove() -> None:
        shutil.rmtree(doomed, ignore_errors=True)
        folder.rename(doomed)
        shutil.rmtree(doomed)

    _alone(folder, remove, "removed")
    forget(folder)


def _alone(folder: Path, change: Callable[[], None], done: str) -> None:
    """Change a sweep that no process trains."""
    lock = Lock.take(folder, "sweep")
    try:
        change()
    except OSError as error:
        raise RunError(
            f"sweep {shown(folder.name)!r}: cannot be {done} ({reason_of(error)})"
        ) from None
    finally:
        lock.release()


def _unwritable(folder: Path, error: OSError) -> RunError:
    return RunError(
        f"sweep {shown(str(folder))}: cannot be written ({reason_of(error)}); allowed: a folder in "
        "a place you may write to"
    )


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left half written in a locked sweep."""
    for entry in folder.glob(".*"):
        if not entry.is_dir() or entry.is_symlink():
            continue
        summary = summarise(entry)
        if summary is not None and summary.standing == "half-written":
            shutil.rmtree(entry, ignore_errors=True)
