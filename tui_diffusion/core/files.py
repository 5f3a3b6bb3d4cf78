"""Atomic file writing, and guarded reading, of plain files only."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from errno import EEXIST
from pathlib import Path
from time import monotonic, sleep
from tokenize import TokenError
from typing import Any
from uuid import uuid4

from .text import shown


def destination(file: Path) -> Path:
    """Return the file that writing to ``file`` replaces: the target of a symbolic link, or itself.

    Raise `OSError` if it exists and is not a plain file, such as a device.
    """
    real = Path(os.path.realpath(file)) if file.is_symlink() else file
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(real.lstat().st_mode):
            raise OSError(EEXIST, "not a plain file")
    return real


_unfinished: set[Path] = set()
"""The temporary files that are being written."""


def remove_unfinished(patience: float = 0.0) -> None:
    """Remove the temporary files of writers that the end of the process cuts off.

    Writers have ``patience`` seconds to end and to remove theirs.
    """
    end = monotonic() + patience
    while _unfinished and monotonic() < end:
        sleep(0.01)
    for path in tuple(_unfinished):
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def replacing(
    files: Sequence[Path], check: Callable[[], None] = lambda: None
) -> Iterator[list[Path]]:
    """Yield a temporary path for each file; move all of them into place at the end.

    ``check`` may raise to cancel at the last moment. A new file takes the permissions of the one
    that it replaces. After an exception the files are unchanged.
    """
    targets = [destination(file) for file in files]
    # A writer may choose the format by the suffix, so the temporary name keeps it.
    temporary = [
        target.with_name(f".{uuid4().hex[:12]}.tmp{file.suffix.lower()}")
        for file, target in zip(files, targets, strict=True)
    ]
    _unfinished.update(temporary)
    try:
        yield temporary
        check()
        for new, target in zip(temporary, targets, strict=True):
            with suppress(FileNotFoundError):
                new.chmod(stat.S_IMODE(target.stat().st_mode))
            new.replace(target)
    finally:
        for path in temporary:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        _unfinished.difference_update(temporary)


def write_whole(file: Path, content: bytes | str) -> None:
    """Write a file atomically and flush it to the disk; raise `OSError`."""
    data = content.encode() if isinstance(content, str) else content
    with replacing([file]) as (temporary,):
        with temporary.open("xb") as opened:
            opened.write(data)
        flush_file(temporary)


LARGEST_TEXT = 2**22
"""Maximum size in bytes of a JSON file to read."""


# What reading damaged or foreign files can raise, including excessive nesting and numbers or sizes
# out of range.
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    OverflowError,
    SyntaxError,
    TokenError,
)


def reason_of(error: BaseException) -> str:
    """Return what went wrong in one short line without control characters."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return shown(" ".join(text.split()))[:120] or type(error).__name__


def read_plain(file: Path, limit: int = LARGEST_TEXT, *, follow: bool = False) -> bytes:
    """Return the bytes of a plain file of at most ``limit`` bytes; raise OSError or ValueError.

    Pipes and devices are refused, because reading one might never end. Links are refused unless
    ``follow``, which is for files that the user puts where they like.
    """
    handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("not a plain file")
        data = opened.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"larger than {limit:,} bytes")
    return data


def read_object(file: Path, limit: int = LARGEST_TEXT) -> dict[str, Any]:
    """Return the JSON object in a plain file; raise one of `UNREADABLE`."""
    values = json.loads(read_plain(file, limit).decode("utf-8"))
    if not isinstance(values, dict):
        raise TypeError("not an object")
    return values


_flushes: ContextVar[bool] = ContextVar("flushes", default=True)
"""Whether this thread flushes what it writes."""


@contextmanager
def flushing_later() -> Iterator[None]:
    """Flush nothing to the disk in this thread meanwhile; `flush_tree` does it later.

    A killed process loses nothing of it. A loss of power may leave files without their content.
    """
    token = _flushes.set(False)
    try:
        yield
    finally:
        _flushes.reset(token)


def flush_file(file: Path) -> None:
    """Flush a file to the disk, unless that is done later; raise `OSError`."""
    if _flushes.get():
        _flush(file)


def _flush(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def flush_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk, unless that is done later."""
    if not _flushes.get():
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some file systems cannot flush a folder and do not need to.
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def flush_together(files: Iterable[Path], folder: Path) -> None:
    """Flush files and the entries of their folder to the disk; raise `OSError`.

    They are flushed at once, because a disk commits them together in the time of one.
    """
    if not _flushes.get():
        return
    from concurrent.futures import ThreadPoolExecutor

    files = [*files]
    try:
        with ThreadPoolExecutor(len(files), "flush") as threads:
            for _ in threads.map(_flush, files):
                pass
    except RuntimeError:  # there is no memory for a thread
        for file in files:
            _flush(file)
    flush_folder(folder)


def flush_tree(folder: Path) -> None:
    """Flush a folder, all that is in it, and its own entry to the disk; skip what has gone."""
    for path, _, names in os.walk(folder, topdown=False):
        for name in names:
            with suppress(OSError):
                handle = os.open(Path(path, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
        with suppress(OSError):
            flush_folder(Path(path))
    with suppress(OSError):
        flush_folder(folder.parent)
