"""Points of a file with their labels, a column of text or numbers as classes; loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..short_repr import short_repr
from ..text import shortened
from .errors import ConfigError
from .text_table import MISSING, is_number

CLASSES = 16
"""Maximum number of classes."""

NAMED = ("label", "class")
"""Names of a column that holds labels without being chosen."""

Labels = tuple[NDArray[np.int64], tuple[str, ...]]
"""The class of every point, from 0, and the name of every class."""


class FilePoints:
    """Points as read from a file, and their labels; equal if their values are equal.

    ``name`` is the original file's name if these come from a run's own copy.
    """

    def __init__(
        self, values: NDArray[np.float64], name: str = "", labels: Labels | None = None
    ) -> None:
        self.values, self.name, self.labels = values, name, labels

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FilePoints) or not np.array_equal(self.values, other.values):
            return False
        mine, theirs = self.labels, other.labels
        if mine is None or theirs is None:
            return mine is theirs
        return mine[1] == theirs[1] and np.array_equal(mine[0], theirs[0])

    def copy(self) -> NDArray[Any]:
        """Return the array that a run keeps: with labels, named columns, the last of them text."""
        if self.labels is None:
            return self.values
        words = np.array(self.labels[1])[self.labels[0]]
        names = ["x", "y"][: self.values.shape[1]]
        dtype = [*((name, np.float64) for name in names), (NAMED[0], words.dtype)]
        table = np.empty(len(words), dtype)
        for name, column in zip(names, self.values.T, strict=True):
            table[name] = column
        table[NAMED[0]] = words
        return table

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return short_repr(self, "name", "values")


def classes_of(cells: Sequence[str], column: str) -> Labels:
    """Return the classes of points by the cells of a column; raise `ConfigError`.

    They are in the order of their numbers, or of their names if one is not a number.
    """
    words = [cell.strip() for cell in cells]
    missing = next((row for row, word in enumerate(words, 1) if word.lower() in MISSING), None)
    if missing is not None:
        raise _bad(f"row {missing} has no label in column {column!r}")
    different = [*dict.fromkeys(words)]
    if all(map(is_number, different)):
        numbers = {word: float(word.replace(",", ".")) for word in different}
        order = sorted({*numbers.values()})
        index = {word: order.index(number) for word, number in numbers.items()}
        names = [next(w for w in different if numbers[w] == number) for number in order[:CLASSES]]
    else:
        names = sorted(different)
        index = {word: place for place, word in enumerate(names)}
    if len({*index.values()}) > CLASSES:
        raise _bad(f"column {column!r} has {len({*index.values()}):,} different values")
    return np.array([index[word] for word in words], np.int64), tuple(names)


def _bad(what: str) -> ConfigError:
    return ConfigError(
        f"data.label: {shortened(what, 80)}; allowed: a column with 1 to {CLASSES} different "
        "values, one in every row",
        "data.label",
    )
