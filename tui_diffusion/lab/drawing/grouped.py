"""Points of several groups as dots of a terminal: a cell has the colour of one group."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.arrays import Range
from ...core.numbered_text import NumberedText, joined
from ...export.groups import Group, Groups
from ...interface.glyphs import Glyphs
from .dots import DotLayer, bin_paths, lattice_positions
from .figure import LegendEntry
from .palette import Palette

_LONG = 16
"""Cells of the names of groups that leave no room for the source of the points."""


def plain(palette: Palette, glyphs: Glyphs) -> bool:
    """Return whether series differ by characters alone, because colours or dots cannot tell."""
    return palette.colourless or glyphs == "ascii"


def sign_of(group: Group, signs: bool) -> str:
    """Return the character that stands for a group in a cell; '' for dots."""
    return group.sign if signs else group.mark


def group_layers(
    points: ArrayLike,
    groups: Groups,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
    signs: bool,
) -> list[DotLayer]:
    """Return the dots of each group of `points` `(n, 2)`, in the cells where it has most points.

    Dots of another group in the colour of this one would be misleading, so a cell shows the dots
    of one group. Where two have as many points, it is that of the cell at the left, as every
    change of colour takes bytes.
    """
    width, height = size
    if width <= 0 or height <= 0:
        return []
    columns, rows, count = 2 * width, 4 * height, len(groups.groups)
    across, down, inside = lattice_positions(points, *ranges, columns, rows)
    dot = (groups.index * rows + down) * columns + across
    cell = (groups.index * height + down // 4) * width + across // 2
    dots = np.zeros((count, rows, columns), dtype=np.bool_)
    dots.ravel()[dot[inside]] = True
    counts = np.bincount(cell[inside], minlength=count * height * width)
    winners = _winners(counts.reshape(count, height, width))
    layers = []
    for k in groups.present:
        shown = dots[k] & (winners == k).repeat(4, axis=0).repeat(2, axis=1)
        group = groups.groups[k]
        layers.append(DotLayer(shown, group.role, sign_of(group, signs)))
    return layers


def path_layers(
    lanes: NDArray[np.floating],
    groups: Groups | None,
    role: str,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> list[DotLayer]:
    """Return the lines along `lanes` `(n, steps, 2)`: in `role`, or in the colours of groups."""
    if groups is None:
        return [DotLayer(bin_paths(lanes, *ranges, *size), role)]
    return [
        DotLayer(bin_paths(lanes[groups.index == k], *ranges, *size), groups.groups[k].role)
        for k in groups.present
    ]


def _winners(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the group with most points in each cell; `counts` is `(groups, height, width)`."""
    most = counts.max(axis=0)
    winners = np.asarray(counts.argmax(axis=0), np.int64)
    rows = np.arange(counts.shape[1])
    for x in range(1, counts.shape[2]):
        before = winners[:, x - 1]
        keeps = counts[before, rows, x] == most[:, x]  # an empty cell continues the run, too
        winners[keeps, x] = before[keeps]
    return winners


def points_legend(
    sample: str, text: NumberedText, role: str, groups: Groups | None, signs: bool
) -> list[LegendEntry]:
    """Return the legend of points: their source, and their groups if they have any."""
    if groups is None:
        return [(sample, text, role)]
    entries = group_legend(groups, signs)
    if sum(len(name) + 1 for name, _, _ in entries) > _LONG:
        return [(sample, groups.title, "text"), *entries]
    return [(sample, joined([text, f" by {groups.title}"]), "text"), *entries]


def group_legend(groups: Groups, signs: bool) -> list[LegendEntry]:
    """Return an entry for each group that has points: its name in its colour."""
    entries: list[LegendEntry] = []
    for k in groups.present:
        group = groups.groups[k]
        sign = sign_of(group, signs)
        apart = " " if len(group.name) > 2 else ""  # a number needs no space
        sample = group.name if sign in ("", group.name) else f"{sign}{apart}{group.name}"
        entries.append((sample, "", group.role))
    return entries
