"""The exclusive lock of a run."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EWOULDBLOCK
from pathlib import Path
from time import monotonic, sleep, time

from ..files import read_plain, reason_of
from ..text import shown
from .manifest import PROGRESS_FILE, RunError

_PATIENCE = 0.3
"""Seconds to wait for a lock: listing the runs holds each one for a moment."""

_FRESH = 10.0
"""Seconds since the last losses within which a process on another machine counts as training."""


class Lock:
    """The exclusive lock of a run, held by an open file: the system frees it with the process.

    The file ``lock`` in the run's folder names the holder, for people to read.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, folder: Path, what: str = "run") -> Lock:
        """Take the lock of a run, or of ``what`` the folder is; raise `RunError`."""
        file = folder / "lock"
        try:
            handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        except OSError as error:
            raise RunError(
                f"{what} {shown(str(folder))}: cannot be written ({reason_of(error)})"
            ) from None
        try:
            if not _try(handle, fcntl.LOCK_EX):
                who = _holder(file)
                raise RunError(
                    f"{what} {shown(str(folder))}: {who} is still training this {what}; "
                    "try again when it ends"
                )
            # The run may have been renamed or removed during the wait.
            if not os.path.samestat(os.fstat(handle), os.lstat(file)):
                raise FileNotFoundError(2, "it has gone")
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        except OSError as error:
            os.close(handle)
            raise RunError(
                f"{what} {shown(str(folder))}: cannot be written ({reason_of(error)})"
            ) from None
        except BaseException:
            os.close(handle)
            raise
        return cls(handle)

    def release(self) -> None:
        """Release the lock."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


@contextmanager
def claimed(folder: Path | None) -> Iterator[Path | None]:
    """Reserve an empty folder for a run that will be written there; raise `RunError` if taken.

    The folder is created if missing, and removed again if it stays empty. Yields the folder, with a
    symbolic link resolved.
    """
    if folder is None:
        yield None
        return
    created, handle = False, -1
    try:
        with suppress(OSError, ValueError):  # writing the run reports the reason
            folder = Path(os.path.realpath(folder)) if folder.is_symlink() else folder
            created = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        if handle >= 0 and not _try(handle, fcntl.LOCK_EX):
            created = False
            raise RunError(
                f"run {shown(str(folder))}: another training is about to write there; allowed: "
                "another folder"
            )
        yield folder
    finally:
        if created:
            with suppress(OSError):
                folder.rmdir()
        if handle >= 0:
            os.close(handle)


def _try(handle: int, kind: int) -> bool:
    """Try to lock for a moment; return True on file systems without locks."""
    end = monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in (EWOULDBLOCK, EACCES):
                return True
        if kind == fcntl.LOCK_SH or monotonic() > end:
            return False
        sleep(0.01)


def _holder(file: Path) -> str:
    """Return who holds the lock, from its file."""
    try:
        return shown(read_plain(file, 300).decode("utf-8", "replace").strip()) or "another process"
    except (OSError, ValueError):
        return "another process"


def writer_of(folder: Path) -> str | None:
    """Return who is writing a run, such as ``process 123 on host``; None if nobody is.

    Some shared file systems do not show the locks of other machines: there, whoever has recorded
    losses within the last seconds is writing.
    """
    file = folder / "lock"
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        free = _try(handle, fcntl.LOCK_SH)
        holder = "" if free and not _is_fresh(folder) else _holder(file)
        elsewhere = " on " in holder and not holder.endswith(f" on {socket.gethostname()}")
        return holder if holder and (elsewhere or not free) else None
    finally:
        os.close(handle)


def _is_fresh(folder: Path) -> bool:
    """Return whether losses were recorded within the last seconds, by this machine's clock."""
    with suppress(OSError):
        return abs(time() - (folder / PROGRESS_FILE).lstat().st_mtime) < _FRESH
    return False
