"""A run as bytes, for engines whose workers share no file system with the sweep."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ..files import UNREADABLE, flush_folder, read_plain, reason_of
from ..runs.manifest import CHECKPOINT, POINTS_FILE, RunError, read_about
from ..runs.store import summary_of_run
from ..runs.writer import put, show_files, temporary_of
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
    rf"|{CHECKPOINT.pattern}/[a-z]+\.[a-z]+|[^/\\]+\.py"
)


def train_to_files(
    training: Training, report: Callable[[int], None] = lambda step: None
) -> RunFiles:
    """Train to the end in a temporary folder and return the run; `report` is as of `train_run`."""
    with TemporaryDirectory(prefix="diffusion-tui-") as temporary:
        folder = Path(temporary) / training.name
        train_run(training, folder, report)
        return pack(folder)


def pack(folder: Path) -> RunFiles:
    """Return the files of the current checkpoint of a run."""
    about = read_about(folder)
    files = [*(folder / about.checkpoint).iterdir()]
    kept = (part.name for part in about.parts)
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
            put(file, content)
        checkpoint = temporary / read_about(temporary).checkpoint
        flush_folder(checkpoint)
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
