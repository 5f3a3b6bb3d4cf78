"""Files of points that are none, or worse."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

GIB = 2**30


def _long(folder: Path, name: str, header: bytes = b"") -> Path:
    """A file of 1 GiB that takes no space."""
    with (folder / name).open("wb") as file:
        file.write(header)
        file.truncate(GIB)
    return folder / name


def _npy(shape: str) -> bytes:
    """The beginning of an array of doubles of this shape, whatever comes after."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


class Bomb:
    """Pickled, it makes a file when it is read."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.file,))


def _written(name: str, content: str | bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
        return folder / name

    return make


def _made(name: str, how: Callable[[Path], object]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        how(folder / name)
        return folder / name

    return make


MAKERS: dict[str, Callable[[Path], Path]] = {
    "escapes": _written("a\x1b]0;boo\x07[red]b\x1b[2J.csv", "1,2\n\x1b[31m[red]x\x07,3\n"),
    "markup": _written("[@click=app.quit]x.csv", "[bold]\n[@click=app.quit]quit[/]\n"),
    "not a number": _written("nan.csv", "1,2\n3,nan\n"),
    "endless": _written("inf.csv", "1,2\n-inf,1\n"),
    "huge": _written("huge.csv", "1,2\n1e300,2\n"),
    "beyond": _written("beyond.csv", "1e400\n"),
    "columns": _written("columns.csv", "1,2,3\n4,5,6\n"),
    "ragged": _written("ragged.csv", "1,2\n3\n"),
    "one line": _written("line.csv", "1 " * 10**6),
    "blank lines": _written("blank.csv", "\n" * (2 * 10**5 + 1)),
    "binary": _written("binary.csv", bytes(range(256)) * 40),
    "empty": _written("empty.csv", ""),
    "pickle": _made("p.npy", lambda f: f.write_bytes(pickle.dumps(Bomb(f.with_name("boom"))))),
    "objects": _made(
        "objects.npy",
        lambda f: np.save(f, np.array([Bomb(f.with_name("boom"))], object), allow_pickle=True),
    ),
    "archive": _made("z.npy", lambda f: np.savez(f.open("wb"), a=np.ones(3))),
    "no python": _written("no.npy", _npy("((3, 2)")),
    "more than there is": _written("more.npy", _npy("(100000, 2)")),
    "more than can be": _written("most.npy", _npy("(99999999999999, 99999999999)")),
    "rows": lambda folder: _long(folder, "rows.npy", _npy(f"({GIB // 8 - 16},)")),
    "long row": lambda folder: _long(folder, "row.npy", _npy(f"(1, {GIB // 8 - 16})")),
    "sparse": lambda folder: _long(folder, "sparse.csv", b"1,2\n"),
    "pipe": _made("pipe.csv", os.mkfifo),
    "folder": _made("folder.csv", Path.mkdir),
    "device": _made("zero.csv", lambda f: f.symlink_to("/dev/zero")),
    "terminal": _made("tty.npy", lambda f: f.symlink_to("/dev/tty")),
    "round": _made("round.csv", lambda f: f.symlink_to(f)),
    "gone": lambda folder: folder / "gone.csv",
    "nowhere": lambda folder: folder / "x.csv" / "y.csv",
    "nobody": lambda folder: Path("~nobody-of-this-name/x.csv"),
    "name": lambda folder: folder / ("x" * 300 + ".csv"),
}
"""What is wrong with a file of points, and how to make it in a folder."""
