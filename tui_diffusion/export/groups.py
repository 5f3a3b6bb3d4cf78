"""Groups of points, such as the classes, each with a colour and a mark of its own.

Pictures and terminal views draw every point in the colour and with the mark of its group. Where
there are no colours, and where dots would look alike, a terminal draws the sign of the group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..core.arrays import Floats, Range
from ..core.text import shortened
from ..core.training_set import TrainingSet
from ..core.trajectory import Trajectory

PointShape = Literal["dot", "cross", "square", "triangle", "plus", "diamond"]
"""Shape of a point in a picture."""

SHAPES: tuple[PointShape, ...] = ("dot", "cross", "square", "triangle", "plus", "diamond")
HUES = 6
"""Number of colours of classes; a seventh class has the colour of the first and another mark."""

_CELL_MARKS = ("", "×", "+", "~")
_SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Group:
    """A group of points: its name in the legend, and how its points are drawn.

    ``role`` is its colour, and ``shape`` that of a point in a picture. In a terminal, ``mark``
    stands in a cell in place of dots ('': dots), and ``sign`` where there are no colours.
    """

    name: str
    role: str
    shape: PointShape = "dot"
    mark: str = ""
    sign: str = "*"


@dataclass(frozen=True, eq=False)
class Groups:
    """The group of every point: ``index`` (n,) into ``groups``; ``title`` is for the legend."""

    index: NDArray[np.int64]
    groups: tuple[Group, ...]
    title: str = ""

    @classmethod
    def of_classes(
        cls, labels: NDArray[Any], classes: int | None = None, names: Sequence[str] = ()
    ) -> Groups:
        """Return the classes of points with these labels (n,), counted from 0, by their names."""
        index = np.asarray(labels, np.int64)
        count = int(index.max(initial=0)) + 1 if classes is None else classes
        groups = tuple(map(class_group, range(count)))
        if names:
            named = zip(groups, names, strict=True)
            groups = tuple(replace(group, name=shortened(name, 12)) for group, name in named)
        return cls(index, groups, "class")

    def __len__(self) -> int:
        return len(self.index)

    def of(self, part: slice | NDArray[Any]) -> Groups:
        """Return the groups of some of the points."""
        return Groups(self.index[part], self.groups, self.title)

    @property
    def present(self) -> Sequence[int]:
        """The groups that have points, in order."""
        counts = np.bincount(self.index, minlength=len(self.groups))
        return [*map(int, np.flatnonzero(counts))]


COPIES = Group("copied", "second", "square", "o", "o")
"""Points that copy a training point."""

MOST_CROSSES = 256
"""Most training points that are drawn as crosses: more would hide the others."""


MOST_TICKS = 64
"""Most training points that are marked along a line."""


def crosses(finite: TrainingSet | None) -> Groups | None:
    """Return training points as a group of crosses; None if there are none, or too many."""
    if finite is None or len(finite) > MOST_CROSSES:
        return None
    return Groups(
        np.zeros(len(finite), np.int64), (Group("training set", "text", "cross", "×", "x"),)
    )


def class_group(label: int) -> Group:
    """Return how the points of a class are drawn."""
    turn, hue = divmod(label, HUES)
    return Group(
        f"{label}",
        f"class {hue}",
        SHAPES[(hue + turn) % len(SHAPES)],
        _CELL_MARKS[turn % len(_CELL_MARKS)],
        _SIGNS[label % len(_SIGNS)],
    )


def groups_of(
    trajectory: Trajectory, copies: Tensor | None = None, role: str = "network"
) -> Groups | None:
    """Return the groups of a trajectory's points: their classes, if they have labels.

    Otherwise they are the points that end as ``copies`` (n,) of a training set, if it is given, and
    the others, which have the colour ``role``.
    """
    labels = trajectory.labels
    if labels is None and copies is not None:
        index = copies.numpy().astype(np.int64)
        return Groups(index, (Group("new", role, sign="."), COPIES))
    if labels is None:
        return None
    index = labels.cpu().numpy()
    if trajectory.experiment is None:
        return Groups.of_classes(index)
    data = trajectory.experiment.data
    return Groups.of_classes(index, data.classes, data.class_names)


def first(groups: Groups | None, count: int) -> Groups | None:
    """Return the groups of the first points, at most ``count``."""
    return None if groups is None else groups.of(slice(count))


def stacked_counts(
    values: Floats, groups: Groups | None, bins: int, span: Range
) -> tuple[list[tuple[Group | None, NDArray[np.int64]]], Floats]:
    """Return the tops of stacked bars by group, from below, as counts (bins,), and their edges.

    Without groups, and without a group, there is one bar for all ``values`` (n,).
    """
    finite = np.isfinite(values)
    edges = np.linspace(*span, bins + 1)
    if groups is None:
        return [(None, np.histogram(values[finite], edges)[0])], edges
    parts = [
        (groups.groups[k], np.histogram(values[finite & (groups.index == k)], edges)[0])
        for k in groups.present
    ]
    tops = np.cumsum([counts for _, counts in parts], axis=0)
    return [(group, top) for (group, _), top in zip(parts, tops, strict=True)], edges
