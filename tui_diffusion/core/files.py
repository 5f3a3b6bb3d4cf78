"""Writing files whole or not at all, and replacing none but plain ones."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EEXIST
from pathlib import Path
from uuid import uuid4


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
