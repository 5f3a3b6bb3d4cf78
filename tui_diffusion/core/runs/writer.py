"""Writing a training to a run's folder, so that a complete run exists at every instant.

A new run is written under a temporary name beside its path, flushed, and renamed. A later
checkpoint is written and flushed in a folder of its own, and then ``run.json``, which names it, is
replaced by a rename. The previous checkpoint stays for processes that are still reading it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ... import __version__
from ..arguments import check_type
from ..config.experiment import Experiment
from ..config.experiment_json import to_json
from ..files import UNREADABLE, flush_file, flush_folder, flush_together, reason_of
from ..memorisation_rows import Rows, no_rows, with_report
from ..parts.samplers import SAMPLER_PARTS
from ..parts.used import UsedFile
from ..text import shown
from ..training.trainer import Trainer, part_of
from .kept_parts import kept_files
from .lock import Lock
from .manifest import (
    FORMAT,
    MEMORISATION_FILE,
    POINTS_FILE,
    Manifest,
    RunError,
    RunState,
    checkpoints_in,
    checksum,
    read_about,
    signed,
)
from .tensor_files import save_tensors

_QUALITY = (
    *("energy_distance", "energy_distance_chance", "energy_distance_real"),
    *("mode_tv", "off_mode", "in_mode_std_ratio"),
)
"""The metrics of a sample that a list of runs shows."""


class Written(NamedTuple):
    """The size in bytes and the SHA-256 of a written file."""

    size: int
    checksum: str


def check_described(trainer: Trainer) -> None:
    """Raise `RunError` if an experiment could not describe a training to whoever opens the run."""
    check_type("trainer", trainer, Trainer)
    if trainer.own_parts:
        parts = " and ".join(trainer.own_parts)
        raise RunError(
            f"a training with its own {parts} cannot be a run, which keeps only the experiment; "
            "allowed: torch.save(trainer.state(), FILE)"
        )


@dataclass(frozen=True)
class Snapshot:
    """The content of a checkpoint: copies of a training's state at one moment."""

    experiment: Experiment
    state: RunState
    step: int
    seconds: float
    device: str
    tensors: Mapping[str, Tensor]
    metrics: Mapping[str, Any] | None = None
    points: NDArray[Any] | None = None
    parts: tuple[UsedFile, ...] = ()
    memorisation: Rows = field(default_factory=no_rows)

    @classmethod
    def of(
        cls, trainer: Trainer, state: RunState, metrics: Mapping[str, Any] | None = None
    ) -> Snapshot:
        """Copy the current state of a training.

        A training that is stopped right after an overflow has diverged.
        """
        check_described(trainer)
        if state == "stopped" and trainer.overflowed():
            state = "diverged"
        return cls(
            experiment=trainer.experiment,
            state=state,
            step=trainer.step,
            seconds=trainer.seconds,
            device=str(trainer.device),
            tensors=trainer.state(),
            metrics=metrics,
            points=trainer.points,
            parts=trainer.part_files,
            memorisation=with_report(
                trainer.memorisation, trainer.step, (metrics or {}).get("memorisation")
            ),
        )

    def write(self, folder: Path) -> dict[str, Written]:
        """Write and flush the files of a checkpoint; return their sizes and checksums."""
        prefix = "average." if self.experiment.training.average else "network."
        tensors = {name: v.contiguous() for name, v in self.tensors.items()}
        losses = tensors.pop("losses").numpy()
        rest = {name: v for name, v in tensors.items() if not name.startswith(prefix)}
        contents: dict[str, bytes | Iterable[bytes | memoryview]] = {
            "experiment.json": to_json(self.experiment).encode(),
            "weights.safetensors": save_tensors(part_of(tensors, prefix)),
            "state.safetensors": save_tensors(rest),
            "losses.npy": _npy(losses),
        }
        if self.metrics is not None:
            contents["metrics.json"] = _json(self.metrics)
        if len(self.memorisation):
            contents[MEMORISATION_FILE] = _npy(self.memorisation)
        written = {name: write_new(folder / name, content) for name, content in contents.items()}
        flush_together((folder / name for name in written), folder)
        return written

    def about(
        self,
        checkpoint: str,
        files: Mapping[str, Written],
        started: datetime,
        checksums: Mapping[str, str],
    ) -> dict[str, Any]:
        """Return the contents of ``run.json``; ``checksums`` are those of the run's other files."""
        sample = (self.metrics or {}).get("sample")
        quality = {key: sample.get(key) for key in _QUALITY} if isinstance(sample, dict) else None
        return {
            "format": FORMAT,
            "experiment": self.experiment.name,
            "state": self.state,
            "step": self.step,
            "steps": self.experiment.training.steps,
            "seconds": self.seconds,
            "seed": self.experiment.seed,
            "device": self.device,
            "started": started.isoformat(timespec="seconds"),
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "checkpoint": checkpoint,
            "files": {name: file.size for name, file in files.items()},
            "checksums": {**checksums, **{name: file.checksum for name, file in files.items()}},
            "quality": quality,
            "parts": [kept.written() for kept, _ in kept_files(self.parts)],
            "versions": {
                "diffusion-tui": __version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
                **_versions_of(SAMPLER_PARTS[self.experiment.sampling.sampler].needs),
            },
        }


def _versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Return the version of each of these packages that is installed."""
    versions = {}
    for package in packages:
        with suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=2) + "\n").encode()


def write_new(file: Path, content: bytes | Iterable[bytes | memoryview]) -> Written:
    """Write a new file, or its parts one by one, without flushing it to the disk.

    The checksum is of the bytes in memory, so that it detects faults of the disk too.
    """
    digest = hashlib.sha256()
    with file.open("xb") as opened:
        for part in (content,) if isinstance(content, bytes) else content:
            opened.write(part)
            digest.update(part)
        return Written(opened.tell(), digest.hexdigest())


def put(file: Path, content: bytes | Iterable[bytes | memoryview]) -> Written:
    """Write a new file as `write_new` does, and flush it to the disk."""
    written = write_new(file, content)
    flush_file(file)
    return written


def _npy(array: NDArray[Any]) -> tuple[memoryview]:
    """Return the bytes of a ``.npy`` file."""
    file = BytesIO()
    np.save(file, array, allow_pickle=False)
    return (file.getbuffer(),)


def temporary_of(folder: Path) -> Path:
    """Return the path at which a run is written before it is renamed."""
    return folder.parent / f".{folder.name}.{os.getpid()}.tmp"


def _make_empty(temporary: Path) -> None:
    """Create a folder, or reuse an empty one, which may be a reserved name."""
    try:
        temporary.mkdir()
    except FileExistsError:
        if temporary.is_symlink() or not temporary.is_dir() or any(temporary.iterdir()):
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()


def create(folder: Path, snapshot: Snapshot) -> Lock:
    """Write a new run to a missing or empty folder; return the lock for further writing."""
    temporary = temporary_of(folder)
    lock = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _make_empty(temporary)
        lock = Lock.take(temporary)
        _extend(temporary, snapshot, None)
        temporary.rename(folder)
        with suppress(OSError):
            flush_folder(folder.parent)
        return lock
    except BaseException as error:
        if lock is not None:
            lock.release()
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from None
        raise


def extend(folder: Path, snapshot: Snapshot) -> None:
    """Write another checkpoint of a locked run, and make it the current one."""
    try:
        _extend(folder, snapshot, _counted(folder))
    except OSError as error:
        raise _unwritable(folder, error) from None


def _counted(folder: Path) -> Manifest:
    try:
        return read_about(folder)
    except UNREADABLE as error:
        raise _unwritable(folder, error, "run.json cannot be read, ") from None


def _extend(folder: Path, snapshot: Snapshot, counted: Manifest | None) -> None:
    before = checkpoints_in(folder)
    current = folder / f"checkpoint-{max(before, default=0) + 1}"
    named = folder / ".run.json.tmp"
    started = counted.started if counted else datetime.now(UTC)
    try:
        checksums = _keep_points(folder, snapshot.points, counted)
        checksums |= _keep_parts(folder, snapshot.parts)
        current.mkdir()
        files = snapshot.write(current)
        flush_folder(folder)
        named.unlink(missing_ok=True)
        put(named, _json(signed(snapshot.about(current.name, files, started, checksums))))
        named.replace(folder / "run.json")
    except BaseException:
        # A signal may arrive right after the checkpoint has become current.
        if not _counts(folder, current):
            shutil.rmtree(current, ignore_errors=True)
        with suppress(OSError):
            named.unlink(missing_ok=True)
        raise
    # The checkpoint is current now; the rest is cleanup.
    show_files(current, folder)
    with suppress(OSError):
        flush_folder(folder)
    for old in before.values():
        if counted is None or old.name != counted.checkpoint:
            shutil.rmtree(old, ignore_errors=True)


def _keep_points(
    folder: Path, points: NDArray[Any] | None, counted: Manifest | None
) -> dict[str, str]:
    """Store the data in the run once, because their file may change, move or vanish.

    Returns their checksum by the file's name; none for data that came from no file.
    """
    if points is None:
        return {}
    kept = folder / POINTS_FILE
    if os.path.lexists(kept):
        known = counted.checksums.get(POINTS_FILE) if counted is not None else None
        return {POINTS_FILE: known or checksum(kept.read_bytes())}
    named = folder / f".{POINTS_FILE}.tmp"
    named.unlink(missing_ok=True)
    written = put(named, _npy(points))
    named.replace(kept)
    return {POINTS_FILE: written.checksum}


def _keep_parts(folder: Path, used: Sequence[UsedFile]) -> dict[str, str]:
    """Store the part files in the run once; return their checksums by their names."""
    checksums = {}
    for kept, content in kept_files(used):
        copy, named = folder / kept.name, folder / f".{kept.name}.tmp"
        checksums[kept.name] = kept.checksum
        if not (copy.is_file() and copy.read_bytes() == content):
            named.unlink(missing_ok=True)
            put(named, content)
            named.replace(copy)
    return checksums


def show_files(checkpoint: Path, folder: Path) -> None:
    """Copy the files of the current checkpoint into the run's own folder.

    They are for people and other programs: this program reads only the checkpoint, so a crash amid
    these renames does no harm. Hard links take no space; without them, files are copied. A file
    that cannot be copied is removed rather than left from an older checkpoint.
    """
    for file in checkpoint.iterdir():
        copy = folder / f".{file.name}.tmp"
        try:
            copy.unlink(missing_ok=True)
            try:
                os.link(file, copy)
            except OSError:
                put(copy, file.read_bytes())
            copy.replace(folder / file.name)
        except OSError:
            for stale in (copy, folder / file.name):
                with suppress(OSError):
                    stale.unlink(missing_ok=True)
    for name in ("metrics.json", MEMORISATION_FILE):
        if not (checkpoint / name).exists():
            with suppress(OSError):
                (folder / name).unlink(missing_ok=True)


def _counts(folder: Path, checkpoint: Path) -> bool:
    """Return whether a checkpoint is the current one."""
    try:
        return read_about(folder).checkpoint == checkpoint.name
    except UNREADABLE:
        return False


def _unwritable(folder: Path, error: BaseException, what: str = "") -> RunError:
    """Return the error for a run that cannot be written."""
    reason = f"{what}{reason_of(error)}"
    return RunError(f"run {shown(str(folder))}: cannot be written ({reason})")


def save_run(
    folder: Path | str,
    trainer: Trainer,
    state: RunState,
    metrics: Mapping[str, Any] | None = None,
) -> Path:
    """Write a training to ``folder`` atomically and return the folder; raise `RunError`."""
    folder = Path(folder)
    snapshot = Snapshot.of(trainer, state, metrics)
    if (folder / "run.json").is_file():
        lock = Lock.take(folder)
        try:
            extend(folder, snapshot)
        finally:
            lock.release()
    else:
        create(folder, snapshot).release()
    return folder
