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
    across, down, inside = lattice_positions(points, *ranges, 2 * width, 4 * height)
    across, down, index = across[inside], down[inside], groups.index[inside]
    count, cells = len(groups.groups), height * width
    cell = (down // 4) * width + across // 2
    per_cell = np.bincount(index * cells + cell, minlength=count * cells)
    winner = _winners(per_cell.reshape(count, height, width))
    shown = winner.ravel()[cell] == index
    layers = []
    for k in np.unique(index[shown]).tolist():
        of = shown & (index == k)
        dots = np.zeros((4 * height, 2 * width), dtype=np.bool_)
        dots[down[of], across[of]] = True
        group = groups.groups[k]
        layers.append(DotLayer(dots, group.role, sign_of(group, signs)))
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
    winners = counts.argmax(axis=0)
    rows = np.arange(counts.shape[1])
    for x in range(1, counts.shape[2]):
        before = winners[:, x - 1]
        keeps = counts[before, rows, x] == most[:, x]  # an empty cell continues the run, too
        winners[keeps, x] = before[keeps]
    return winners


def points_legend(
    sample: str, text: NumberedText, role: str, groups: Groups | None, signs: bool
) -> list[LegendEntry]:
    """Return the legend of points: their source and, if they have groups, these."""
    if groups is None:
        return [(sample, text, role)]
    by = joined([text, f" by {groups.title}"]) if groups.title else text
    return [(sample, by, "text"), *group_legend(groups, signs)]


def group_legend(groups: Groups, signs: bool) -> list[LegendEntry]:
    """Return an entry for each group that has points: its name in its colour."""
    entries: list[LegendEntry] = []
    for k in groups.present:
        group = groups.groups[k]
        sign = sign_of(group, signs)
        sample = group.name if sign in ("", group.name) else f"{sign} {group.name}"
        entries.append((sample, "", group.role))
    return entries
