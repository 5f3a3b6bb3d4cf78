"""The inside of square axes: points, paths and densities as dots and shades of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from numpy.typing import ArrayLike, NDArray
from textual.geometry import Region
from textual.strip import Strip

from ...core.arrays import Range
from ...core.axes import Axis
from ...export.groups import Groups
from ...interface.glyphs import Glyphs
from ..drawing.dots import (
    DotGrid,
    DotLayer,
    Mark,
    bin_paths,
    bin_points,
    braille,
    count_points,
    equal_ranges,
    point_cells,
    shade,
)
from ..drawing.figure import LegendEntry
from ..drawing.grouped import group_layers, plain
from ..drawing.palette import Palette
from ..drawing.plot import inner_size, plot_frame


@dataclass(frozen=True)
class Area:
    """The inside of the axes: its part of the plane, its size in cells, and its appearance."""

    ranges: tuple[Range, Range]
    size: tuple[int, int]
    palette: Palette
    glyphs: Glyphs

    def bins(self, points: ArrayLike) -> DotGrid:
        """Return the dots of points (n, 2)."""
        return bin_points(points, *self.ranges, *self.size)

    def paths(self, lanes: ArrayLike) -> DotGrid:
        """Return the dots of paths (n, steps, 2)."""
        return bin_paths(lanes, *self.ranges, *self.size)

    def followed(self, point: ArrayLike) -> list[Mark]:
        """Return the mark of the followed point, if it is inside."""
        cells = point_cells(point, *self.ranges, *self.size)
        return [Mark(*cell, "◆", "mark") for cell in cells if cell is not None]

    def draw(self, layers: Sequence[DotLayer], marks: Sequence[Mark] = ()) -> list[Strip]:
        """Draw layers, and marks over them."""
        return braille(layers, marks, *self.size, self.palette, self.glyphs)

    def layers(self, points: ArrayLike, role: str, groups: Groups | None) -> list[DotLayer]:
        """Return points (n, 2) as dots, by group if they have groups."""
        if groups is None:
            return [DotLayer(self.bins(points), role)]
        return group_layers(points, groups, self.ranges, self.size, self.plain)

    @property
    def plain(self) -> bool:
        """Whether series differ by characters alone."""
        return plain(self.palette, self.glyphs)

    def points(self, points: ArrayLike, role: str, groups: Groups | None) -> list[Strip]:
        """Draw points (n, 2)."""
        return self.draw(self.layers(points, role, groups))

    def shade(self, values: NDArray[Any]) -> list[Strip]:
        """Draw a density (2·height, width)."""
        return shade(values, *self.size, self.palette, self.glyphs)

    def density(self, points: ArrayLike) -> list[Strip]:
        """Draw the density of points (n, 2)."""
        return self.shade(count_points(points, *self.ranges, *self.size))


@lru_cache(maxsize=64)
def square_axes(
    middle: tuple[float, float],
    half: float,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
    own: tuple[Axis, Axis],
    legend: tuple[LegendEntry, ...],
) -> tuple[tuple[Range, Range], list[Strip], Region]:
    """Return axes with one scale at unit size, labelled in own units; cached for all levels."""
    # The inner size depends on the width of the labels, and these depend on the ranges; two
    # iterations suffice.
    size = inner_size(width, height)
    for _ in range(2):
        ranges = equal_ranges(middle, half, *size)
        lines, region = plot_frame(*ranges, width, height, palette, glyphs, legend=legend, axes=own)
        size = (region.width, region.height)
    return ranges, lines, region
