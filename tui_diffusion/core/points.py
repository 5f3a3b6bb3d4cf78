"""Points from a file: .csv or .npy, one or two columns. Loads no torch.

The file is anybody's: it is read once, never past a bound, and only where it is a plain one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .experiment import ConfigError
from .manifest import UNREADABLE, read_plain, reason_of
from .values import shown

ROWS = 100_000
"""A file may hold so many points: the exact denoiser has a component for each."""

_BYTES = 64 * 2**20
_LINES = 2 * ROWS
"""A row may have a blank line below it."""
_LINE = 1000
"""Characters of a line at most: two numbers take far fewer."""


class Rows:
    """Points as they stood in a file when it was read; equal to others that are the same.

    ``name`` is that of the file a person gave, where these come from a run's own copy.
    """

    def __init__(self, values: NDArray[np.float64], name: str = "") -> None:
        self.values, self.name = values, name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]


def read_points(file: Path) -> NDArray[np.float64]:
    """The points of a file, shape (n, d) with d = 1 or 2; raises `ConfigError`.

    A .csv file separates columns by commas, semicolons or blanks; its first line may be a heading.
    """
    if file.suffix not in (".csv", ".npy"):
        raise _bad(file, f"suffix {file.suffix!r} is not known")
    try:
        about = file.stat()
        if not file.is_file():
            raise _bad(file, "not a file")
        return _read(file, about.st_mtime_ns, about.st_size)
    except ConfigError:
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise _bad(file, "no such file") from None
    except (OSError, ValueError) as error:  # such as a name that no file can have
        raise _bad(file, f"cannot be read ({reason_of(error)})") from None


@lru_cache(maxsize=4)
def _read(file: Path, changed: int, size: int) -> NDArray[np.float64]:
    """The file as it was at that time: asked again, it is not read again."""
    if size > _BYTES:
        raise _bad(file, f"is {size / 2**20:,.0f} MiB long")
    # Whatever stands there now: it may be another than a moment ago.
    content = BytesIO(read_plain(file.resolve(), _BYTES))
    points = _from_npy(file, content) if file.suffix == ".npy" else _from_csv(file, content)
    if points.ndim == 1:
        points = points[:, None]
    if not points.size:
        raise _bad(file, "holds no points")
    if points.ndim != 2 or points.shape[1] > 2:
        raise _bad(file, f"has shape {points.shape}")
    bad = np.flatnonzero(~np.isfinite(points).all(1))
    if len(bad):
        raise _bad(file, f"row {bad[0] + 1} is not finite")
    if np.abs(points).max() > 1e100:
        raise _bad(file, "holds numbers beyond 1e100")
    points.setflags(write=False)
    return points


def _from_npy(file: Path, content: BytesIO) -> NDArray[np.float64]:
    try:
        array: Any = np.load(content, allow_pickle=False)
        rows, kind = len(array) if array.ndim else 1, array.dtype.kind
    except (*UNREADABLE, AttributeError):  # an archive has no dtype
        raise _bad(file, "not an array of numbers") from None
    if rows > ROWS:
        raise _bad(file, f"has {rows:,} rows")
    if kind not in "fiu":
        raise _bad(file, f"holds {array.dtype}, not numbers")
    with np.errstate(over="ignore"):  # a longer float may be beyond the greatest double
        return np.array(array, np.float64)


def _from_csv(file: Path, content: BytesIO) -> NDArray[np.float64]:
    rows: list[list[float]] = []
    lines = TextIOWrapper(content, encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(iter(lambda: lines.readline(_LINE), ""), 1):
        if len(line) == _LINE:
            raise _bad(file, f"line {number} is too long")
        if number > _LINES:
            raise _bad(file, f"has more than {_LINES:,} lines")
        try:
            row = numbers_of(line)
        except ValueError:
            if number == 1:
                continue
            raise _bad(file, f"line {number} is not numbers") from None
        if not row:
            continue
        if len(row) > 2 or (rows and len(row) != len(rows[0])):
            raise _bad(file, f"line {number} has {len(row)} columns")
        rows.append(row)
        if len(rows) > ROWS:
            raise _bad(file, f"has more than {ROWS:,} rows")
    return np.array(rows, np.float64)


def numbers_of(line: str) -> list[float]:
    """The numbers of a line of a .csv file; raises ValueError for one that is not of numbers."""
    return [float(word) for word in re.split(r"[,;\s]+", line.strip()) if word]


def _bad(file: Path, what: str) -> ConfigError:
    name = shown(file)
    name = name if len(name) <= 80 else "…" + name[-79:]
    return ConfigError(
        f"data.path: {name}: {what}; allowed: a .csv or .npy file with 1 to {ROWS:,} rows of "
        "1 or 2 finite numbers",
        "data.path",
    )
