"""Part files in other processes: their contents travel, not their places on a disk. Loads no torch.

A worker that serves one sweep after another may get different files with parts of the same name.
So the files that were sent for one sweep are taken out before those of another are loaded, and no
training of one sweep runs in a process while one of the other does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition

from ..config.errors import ConfigError
from .loading import forget, run, take
from .part import PartFile
from .registries import NAMED_BY, REGISTRIES, find_more, part_files, words_for
from .used import Names

_gate = Condition()
_held: tuple[PartFile, ...] = ()
_sent: list[PartFile] = []
_users = 0


@contextmanager
def loaded(files: tuple[PartFile, ...], experiments: Iterable[Names] = ()) -> Iterator[None]:
    """Hold the parts of these files for ``experiments``, in place of files that were sent before.

    Raise `ConfigError` if one cannot be loaded, or if a part of an experiment is in none of them.
    """
    global _held, _users
    with _gate:
        _gate.wait_for(lambda: files == _held or not _users)
        _load(files)
        _check(experiments)
        _held, _users = files, _users + 1
    try:
        yield
    finally:
        with _gate:
            _users -= 1
            _gate.notify_all()


def _load(files: tuple[PartFile, ...]) -> None:
    for file in [file for file in _sent if file not in files]:
        forget(file)
        _sent.remove(file)
    for file in files:
        if part_files.get(file.path) != file:
            take(run(file))
            _sent.append(file)


def _check(experiments: Iterable[Names]) -> None:
    """Find the parts of installed packages; raise `ConfigError` for one that is missing."""
    for names in experiments:
        for kind, path in NAMED_BY.items():
            if names(path) not in REGISTRIES[kind]:
                find_more()
            if names(path) not in REGISTRIES[kind]:
                raise ConfigError(
                    f"{words_for(kind, names(path))} is not known where it should be used; "
                    "allowed: a part of a file, or of a package that is installed there too",
                    path,
                )
