"""Columns of the arrays in a numpy file, .npy or .npz; loads no torch and no pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..files import UNREADABLE
from ..text import shortened
from .errors import ConfigError
from .text_table import TableError

_MOST = 1000
"""Maximum number of columns, or of arrays in an archive."""

_LABELS = ("label", "labels", "class", "classes", "y")
"""Names of an array that holds the labels of points without being chosen."""


@dataclass(frozen=True)
class ArrayTable:
    """Columns, each with a name ('' if it has none) and an array of shape (n,)."""

    names: tuple[str, ...]
    columns: tuple[NDArray[Any], ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each column: number or text."""
        return tuple("number" if c.dtype.kind in "fiu" else "text" for c in self.columns)


def read_array(content: bytes) -> ArrayTable:
    """Read the columns of a .npy file; raise `TableError`."""
    return _table({"": _array(content)})


def read_archive(
    content: bytes, limit: int, chosen: str, label: str = ""
) -> tuple[ArrayTable, str, str]:
    """Read the columns of a .npz file, which of them are ``chosen``, and the one of the label.

    A single array, or one chosen by its name, is read like a .npy file. An array of shape (n,)
    beside n points holds their labels if ``label`` names it, or if it is called label, class or y.
    Otherwise arrays of shape (n,) are columns. ``limit``: maximum size of the unpacked file in
    bytes. Raise `TableError`, or `ConfigError` for the label.
    """
    try:
        arrays = dict(_unpacked(content, limit))
    except (*UNREADABLE, zipfile.BadZipFile) as error:
        if isinstance(error, TableError):
            raise
        raise TableError("not an archive of arrays") from None
    points = _points(arrays, chosen)
    if points is not None:
        beside = _labels(arrays, points, label)
        if chosen == points or len(arrays) == 1 + len(beside):
            table = _table({"": arrays[points]})
            if beside:  # a first column without a name among others would be that of row names
                names = (*(name or str(i) for i, name in enumerate(table.names, 1)), *beside)
                table = ArrayTable(names, (*table.columns, *_table(beside).columns))
            return table, "" if chosen == points else chosen, next(iter(beside), label)
    if not chosen and any(array.ndim != 1 for array in arrays.values()):
        raise TableError(f"holds {len(arrays)} arrays; choose one with data.columns", tuple(arrays))
    return _table({name: array for name, array in arrays.items() if array.ndim == 1}), chosen, label


def _points(arrays: Mapping[str, NDArray[Any]], chosen: str) -> str | None:
    """Return the name of the array of points, which are not columns; None if there is none."""
    able = [name for name, array in arrays.items() if array.ndim != 1 or len(arrays) == 1]
    if chosen in arrays:
        return chosen if chosen in able else None
    return able[0] if len(able) == 1 else None


def _labels(arrays: Mapping[str, NDArray[Any]], points: str, label: str) -> dict[str, NDArray[Any]]:
    """Return the array of the labels of points by its name; empty if there is none."""
    able = [
        name
        for name, array in arrays.items()
        if name != points and array.shape == arrays[points].shape[:1] and not array.dtype.names
    ]
    if label and not label.isdecimal() and able and label not in able:
        raise ConfigError(
            f"data.label: no array {shortened(label, 40)!r} of a label for each point; allowed: "
            f"{', '.join(shortened(name, 20) for name in able[:8])}",
            "data.label",
        )
    named = [label] if label in able else [name for name in able if name.lower() in _LABELS]
    return {named[0]: arrays[named[0]]} if len(named) == 1 else {}


def _unpacked(content: bytes, limit: int) -> Iterator[tuple[str, NDArray[Any]]]:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        members = archive.infolist()
        if len(members) > _MOST:
            raise TableError(f"holds more than {_MOST:,} arrays")
        for member in members:
            # The size stated in the archive may be wrong.
            with archive.open(member) as packed:
                data = packed.read(limit + 1)
            limit -= len(data)
            if limit < 0:
                raise TableError("unpacks to too many bytes")
            yield member.filename.removesuffix(".npy"), _array(data)


def _array(content: bytes) -> NDArray[Any]:
    """Load an array that has no more numbers than the file has bytes for."""
    try:
        file = BytesIO(content)
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, _, dtype = read(file)
        size = dtype.itemsize
        for length in shape:
            size *= int(length)
        if not dtype.hasobject and 0 < len(content) - file.tell() < size:
            raise ValueError("cut off")
        array: NDArray[Any] = np.load(BytesIO(content), allow_pickle=False)
    except (*UNREADABLE, AttributeError):
        raise TableError("not an array of numbers") from None
    return array


def _table(arrays: Mapping[str, NDArray[Any]]) -> ArrayTable:
    names: list[str] = []
    columns: list[NDArray[Any]] = []
    for name, array in arrays.items():
        if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] > _MOST):
            raise TableError(f"has shape {array.shape}")
        if array.dtype.names:
            names += array.dtype.names
            columns += [array[field] for field in array.dtype.names]
        elif array.ndim == 2:
            names += [name] * array.shape[1]
            columns += [*array.T]
        else:
            names.append(name)
            columns.append(array)
    if any(column.ndim != 1 or column.dtype.kind not in "fiubUSM" for column in columns):
        raise TableError("holds more than numbers and text")
    return ArrayTable(tuple(names), tuple(columns))
