"""The list of runs outside the store, such as those in a folder that a person chose.

Each folder has one small file with its path, in ``outside`` beside the store, so that two trainings
that begin at once cannot overwrite each other's entry. The folders themselves are never changed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from time import time

from ..files import UNREADABLE, read_plain
from ..paths import store
from .store import Summary, in_store, summarise

SWEEP_FILE = "sweep.json"
"""File that makes a folder a sweep, whose folders are its runs."""

_LONGEST = 2**14
"""Maximum size in bytes of an entry."""

_NEW = 86_400
"""Seconds during which a listed folder may not exist yet."""


def _index() -> Path:
    """Return the folder of the entries."""
    return store().parent / "outside"


def _entry(folder: Path) -> Path:
    """Return the entry file of a folder."""
    return _index() / sha256(os.fsencode(folder)).hexdigest()[:32]


def remember(folder: Path) -> None:
    """Add a folder to the list, unless it is in the store or in a sweep.

    Errors are ignored: a list that cannot be written must not prevent a training.
    """
    folder = folder.absolute()
    if in_store(folder) or os.path.lexists(folder.parent / SWEEP_FILE):
        return  # the runs of a sweep are found through it
    entry = _entry(folder)
    temporary = entry.with_name(f".{entry.name}.{os.getpid()}.tmp")
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        _forget_missing()
        temporary.write_bytes(os.fsencode(folder))
        temporary.replace(entry)


def forget(folder: Path) -> None:
    """Remove a folder from the list; the folder stays."""
    with suppress(OSError):
        _entry(folder.absolute()).unlink(missing_ok=True)


def outside_folders() -> list[Path]:
    """Return the folders on the list, including missing ones."""
    folders = []
    with suppress(OSError):
        for entry in sorted(_index().iterdir()):
            with suppress(*UNREADABLE):
                folder = Path(os.fsdecode(read_plain(entry, _LONGEST)))
                if folder.is_absolute() and entry == _entry(folder):
                    folders.append(folder)
    return folders


def outside_runs() -> list[Summary]:
    """Return the runs outside the store, damaged ones included, other folders excluded."""
    with_a_run = [folder for folder in outside_folders() if os.path.lexists(folder / "run.json")]
    summaries = (summarise(folder) for folder in with_a_run if not in_store(folder))
    return [run for run in summaries if run is not None and run.standing != "foreign"]


def _forget_missing() -> None:
    """Remove folders that no longer exist from the list.

    New entries stay, because their folder may not exist yet, and so do those of an unmounted disk.
    """
    for folder in outside_folders():
        gone = folder.parent.exists() and not os.path.lexists(folder)
        if gone and time() - _entry(folder).stat().st_mtime > _NEW:
            forget(folder)
