"""Points from a file: .csv or .npy, one or two columns. Loads no torch."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .experiment import ConfigError
from .values import shown

ROWS = 100_000
"""A file may hold so many points: the exact denoiser has a component for each."""

_BYTES = 64 * 2**20


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
    except (OSError, ValueError):
        raise _bad(file, "no such file") from None
    return _read(file, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=4)
def _read(file: Path, changed: int, size: int) -> NDArray[np.float64]:
    """The file as it was at that time: asked again, it is not read again."""
    try:
        points = _from_npy(file) if file.suffix == ".npy" else _from_csv(file, size)
    except OSError as error:
        raise _bad(file, f"cannot be read ({error.strerror})") from None
    if points.ndim == 1:
        points = points[:, None]
    if not points.size:
        raise _bad(file, "holds no points")
    if points.ndim != 2 or points.shape[1] > 2:
        raise _bad(file, f"has shape {points.shape}")
    if len(points) > ROWS:
        raise _bad(file, f"has {len(points):,} rows")
    bad = np.flatnonzero(~np.isfinite(points).all(1))
    if len(bad):
        raise _bad(file, f"row {bad[0] + 1} is not finite")
    if np.abs(points).max() > 1e100:
        raise _bad(file, "holds numbers beyond 1e100")
    points.setflags(write=False)
    return points


def _from_npy(file: Path) -> NDArray[np.float64]:
    try:
        array: Any = np.load(file, mmap_mode="r", allow_pickle=False)
        if array.ndim and len(array) > ROWS:
            raise _bad(file, f"has {len(array):,} rows")
        if array.dtype.kind not in "fiu":
            raise _bad(file, f"holds {array.dtype}, not numbers")
        return np.array(array, np.float64)
    except ConfigError:
        raise
    except (ValueError, EOFError, AttributeError):
        raise _bad(file, "not an array of numbers") from None


def _from_csv(file: Path, size: int) -> NDArray[np.float64]:
    if size > _BYTES:
        raise _bad(file, f"is {size / 2**20:,.0f} MiB long")
    rows: list[list[float]] = []
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
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
