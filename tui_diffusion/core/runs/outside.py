"""Runs outside the store, such as those of ``train --out DIR``: which folders they are.

One small file a folder, in ``outside`` beside the store, holds its path: two trainings that begin
at once cannot undo each other's entry. The folders themselves are never touched.
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

_LONGEST = 2**14
"""Bytes of a path that are read at most."""

_NEW = 86_400
"""Seconds for which a folder may not be there yet."""


def _index() -> Path:
    return store().parent / "outside"


def _entry(folder: Path) -> Path:
    return _index() / sha256(os.fsencode(folder)).hexdigest()[:32]


def remember(folder: Path) -> None:
    """Note that a run is, or is about to be, in this folder, unless it is in the store.

    A list that cannot be written to is no reason not to train.
    """
    folder = folder.absolute()
    if in_store(folder):
        return
    entry = _entry(folder)
    temporary = entry.with_name(f".{entry.name}.{os.getpid()}.tmp")
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        _forget_those_gone()
        temporary.write_bytes(os.fsencode(folder))
        temporary.replace(entry)


def forget(folder: Path) -> None:
    """Take a folder off the list; it stays as it is."""
    with suppress(OSError):
        _entry(folder.absolute()).unlink(missing_ok=True)


def outside_folders() -> list[Path]:
    """The folders on the list, those that are gone among them."""
    folders = []
    with suppress(OSError):
        for entry in sorted(_index().iterdir()):
            with suppress(*UNREADABLE):
                folder = Path(os.fsdecode(read_plain(entry, _LONGEST)))
                if folder.is_absolute() and entry == _entry(folder):
                    folders.append(folder)
    return folders


def outside_runs() -> list[Summary]:
    """The runs outside the store, damaged ones too; what is no run, or no more, is left out."""
    with_a_run = [folder for folder in outside_folders() if os.path.lexists(folder / "run.json")]
    found = (summarise(folder) for folder in with_a_run if not in_store(folder))
    return [run for run in found if run is not None and run.standing != "foreign"]


def _forget_those_gone() -> None:
    """Forget folders that were removed, but not those that are only about to be made, nor those of
    a disk that is not there now and may come back."""
    for folder in outside_folders():
        gone = folder.parent.exists() and not os.path.lexists(folder)
        if gone and time() - _entry(folder).stat().st_mtime > _NEW:
            forget(folder)
