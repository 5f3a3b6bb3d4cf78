"""Writing files whole or not at all, and replacing none but plain ones."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EEXIST
from pathlib import Path
from tokenize import TokenError
from typing import Any
from uuid import uuid4

from .text import shown


def destination(file: Path) -> Path:
    """The file that writing to ``file`` replaces: where a symbolic link leads, or the file itself.

    Raises `OSError` where something stands there that is not a plain file, such as a device.
    """
    real = Path(os.path.realpath(file)) if file.is_symlink() else file
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(real.lstat().st_mode):
            raise OSError(EEXIST, "not a plain file")
    return real


@contextmanager
def replacing(
    files: Sequence[Path], check: Callable[[], None] = lambda: None
) -> Iterator[list[Path]]:
    """Yield a temporary path for each file; put all of them in their places at the end.

    ``check`` may refuse at the last moment. What is replaced hands down its permissions. After any
    exception the files are as they were.
    """
    places = [destination(file) for file in files]
    # A writer may go by the suffix, which is that of the name given.
    temporary = [
        place.with_name(f".{uuid4().hex[:12]}.tmp{file.suffix.lower()}")
        for file, place in zip(files, places, strict=True)
    ]
    try:
        yield temporary
        check()
        for new, place in zip(temporary, places, strict=True):
            with suppress(FileNotFoundError):
                new.chmod(stat.S_IMODE(place.stat().st_mode))
            new.replace(place)
    finally:
        for path in temporary:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def write_whole(file: Path, content: bytes | str) -> None:
    """Write a file, flushed to the disk, in the place of what was there; raises `OSError`."""
    data = content.encode() if isinstance(content, str) else content
    with replacing([file]) as (temporary,), temporary.open("xb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


LARGEST_TEXT = 2**22
"""Bytes of JSON that are read at most."""


# What reading files raises that are damaged, or none of ours; nesting without end, and numbers and
# sizes beyond all measure among them.
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
    """What went wrong, short and in one harmless line."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return shown(" ".join(text.split()))[:120] or type(error).__name__


def read_plain(file: Path, limit: int = LARGEST_TEXT, *, follow: bool = False) -> bytes:
    """Return the bytes of a plain file of at most ``limit`` bytes; raise OSError or ValueError.

    A pipe or a device might never end. A link might lead elsewhere: it is refused unless
    ``follow``, which is for files that a person puts where they like.
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


def flush_folder(folder: Path) -> None:
    """See the names in a folder safely to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some file systems cannot flush a folder, and need not.
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
