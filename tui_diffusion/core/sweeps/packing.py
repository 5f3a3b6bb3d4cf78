"""A run as bytes, for engines whose workers share no file system with the sweep."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ..files import UNREADABLE, flush_folder, flush_together, flushing_later, read_plain, reason_of
from ..parts.part import PartFile
from ..parts.sending import loaded
from ..runs.manifest import (
    CHECKPOINT,
    POINTS_FILE,
    Manifest,
    RunError,
    checksum,
    read_about,
)
from ..runs.store import summary_of_run
from ..runs.writer import show_files, temporary_of, write_new
from ..text import shown
from .states import SAMPLES_FILE
from .sweep import Training
from .training import train_run

RunFiles = Mapping[str, bytes]
"""The files of a run by their path in its folder, as POSIX text."""

_LARGEST = 2**31
"""Maximum size in bytes of a file of a run."""

_NAME = re.compile(
    rf"run\.json|{re.escape(POINTS_FILE)}|{re.escape(SAMPLES_FILE)}"
    rf"|{CHECKPOINT.pattern}/[a-z]+\.[a-z]+|[^/]{{1,200}}\.py"
)


def train_to_files(
    training: Training,
    report: Callable[[int], None] = lambda step: None,
    parts: tuple[PartFile, ...] = (),
) -> RunFiles:
    """Train to the end in a temporary folder and return the run; ``report`` is as of `train_run`.

    ``parts`` are the part files of the training, which are loaded first.
    """
    experiments = [experiment.get for experiment in training.samplings]
    with loaded(parts, experiments), TemporaryDirectory(prefix="diffusion-tui-") as temporary:
        folder = Path(temporary) / training.name
        with flushing_later():  # never: the folder is removed, and whoever unpacks the run flushes
            train_run(training, folder, report)
        return pack(folder)


def pack(folder: Path) -> RunFiles:
    """Return the files of the current checkpoint of a run."""
    about = read_about(folder)
    files = [*(folder / about.checkpoint).iterdir()]
    kept = [part.name for part in about.parts]
    files += [folder / name for name in ("run.json", POINTS_FILE, SAMPLES_FILE, *kept)]
    return {
        file.relative_to(folder).as_posix(): read_plain(file, _LARGEST)
        for file in files
        if os.path.lexists(file)
    }


def unpack(files: RunFiles, folder: Path) -> None:
    """Write a packed run to ``folder`` atomically; replace one that is there; raise `RunError`.

    The names are not trusted, and the files are compared with the sizes in ``run.json``.
    """
    temporary = temporary_of(folder)
    try:
        if bad := [name for name in files if not _NAME.fullmatch(name)]:
            raise ValueError(f"a file {shown(bad[0])[:60]!r}, which no run has")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, content in files.items():
            file = temporary / name
            file.parent.mkdir(exist_ok=True)
            write_new(file, content)
        about = read_about(temporary)
        _check_parts(files, about)
        checkpoint = temporary / about.checkpoint
        flush_together((temporary / name for name in files), checkpoint)
        flush_folder(temporary)
        show_files(checkpoint, temporary)
        if fault := summary_of_run(temporary).reason:
            raise ValueError(fault)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
        flush_folder(folder.parent)
    except UNREADABLE as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise RunError(
            f"run {shown(str(folder))}: cannot be written ({reason_of(error)})"
        ) from None


def _check_parts(files: RunFiles, about: Manifest) -> None:
    """Raise ValueError unless the part files are those of ``run.json``."""
    wanted = {part.name: part.checksum for part in about.parts}
    given = {name: checksum(files[name]) for name in files if name.endswith(".py")}
    for name in wanted.keys() | given.keys():
        if wanted.get(name) != given.get(name):
            raise ValueError(f"its part file {shown(name)[:60]!r} is not that of run.json")
