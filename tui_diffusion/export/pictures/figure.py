"""The content of a picture, independent of the format: panels of layers over axes, and a legend.

A layer holds data in the coordinates of its panel and takes the colour of a role. On a logarithmic
axis, coordinates and range are logarithms to base 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...core.arrays import Floats, Range
from ...core.axes import AS_IT_IS, Axis
from ...core.mixtures import GaussianMixture
from ...core.trajectory_view import CONTOUR_SHARE
from ..groups import Groups, PointShape

Sample = Literal["line", "dashes", "ring", "block", "arrow"] | PointShape


@dataclass(frozen=True, eq=False)
class ShadeGrid:
    """Values from 0 (rows, columns) over a rectangle, the top row first; ``top`` is the darkest.

    Without ``top`` that is the largest value.
    """

    values: Floats
    xs: Range
    ys: Range
    top: float | None = None


@dataclass(frozen=True, eq=False)
class Shade:
    """A density as a background: of a mixture, of points (n, 2), or values on a grid."""

    of: GaussianMixture | Floats | ShadeGrid
    label: str = ""
    role: str = "shade"
    sample: Sample = "block"


@dataclass(frozen=True, eq=False)
class Contour:
    """The contour that encloses a share of a mixture in the plane."""

    truth: GaussianMixture
    share: float = CONTOUR_SHARE
    label: str = ""
    role: str = "truth"
    sample: Sample = "line"


@dataclass(frozen=True, eq=False)
class Dots:
    """Points (n, 2), drawn fainter if there are very many; those of ``groups`` as these say."""

    points: Floats
    role: str
    label: str = ""
    sample: Sample = "dot"
    groups: Groups | None = None


@dataclass(frozen=True, eq=False)
class Rings:
    """Circles about some centres (k, 2)."""

    positions: Floats
    role: str = "mark"
    label: str = ""
    sample: Sample = "ring"


@dataclass(frozen=True, eq=False)
class Curves:
    """Lines (k, m, 2) of m vertices each; a vertex that is not finite is a gap."""

    lines: Floats
    role: str
    label: str = ""
    width: float = 2.0
    opacity: float = 1.0
    dashed: bool = False

    @property
    def sample(self) -> Sample:
        """The legend sample of this layer."""
        return "dashes" if self.dashed else "line"


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars from 0 to ``heights`` (n,) between ``edges`` (n + 1,).

    Stacked bars start at ``bases`` (n,) in place of 0. ``wide`` is the share of the space between
    two edges that a bar fills. A height that is not finite has no bar.
    """

    edges: Floats
    heights: Floats
    role: str
    label: str = ""
    wide: float = 1.0
    sample: Sample = "block"
    bases: Floats | None = None

    @property
    def floor(self) -> Floats:
        """The lower end of every bar, (n,)."""
        return np.zeros_like(self.heights) if self.bases is None else self.bases


@dataclass(frozen=True, eq=False)
class Band:
    """The area between two curves over the same ``xs``, each (n,)."""

    xs: Floats
    lows: Floats
    highs: Floats
    role: str
    label: str = ""
    sample: Sample = "block"


@dataclass(frozen=True, eq=False)
class Arrows:
    """Arrows (k, 2) that start at points (k, 2), both in the panel's coordinates."""

    positions: Floats
    vectors: Floats
    role: str
    label: str = ""
    sample: Sample = "arrow"


@dataclass(frozen=True, eq=False)
class HeatMap:
    """Cells of a grid about whole coordinates, row 0 at the bottom.

    ``strengths`` (rows, columns) are from 0 to 1, nan for an empty cell. ``texts`` holds the lines
    of text of each cell, by row and column. ``marked`` (rows, columns) cells have a frame.
    """

    strengths: Floats
    texts: tuple[tuple[tuple[str, ...], ...], ...]
    marked: NDArray[np.bool_]
    role: str = "mark"
    label: str = ""
    sample: Sample = "line"


Layer = HeatMap | Shade | Contour | Dots | Rings | Curves | Bars | Band | Arrows


@dataclass(frozen=True, eq=False)
class PicturePanel:
    """A plot.

    ``notes`` are alternatives for the text at the right of the title; the first that fits is drawn.
    ``square`` gives both axes one scale. ``names`` label whole numbers on the x axis,
    ``y_names`` on the y axis. ``axes`` give the ticks their units.
    """

    xs: Range
    ys: Range
    layers: tuple[Layer, ...]
    title: str = ""
    notes: tuple[str, ...] = ()
    x_label: str = ""
    y_label: str = ""
    square: bool = False
    log_x: bool = False
    log_y: bool = False
    names: tuple[str, ...] = ()
    y_names: tuple[str, ...] = ()
    axes: tuple[Axis, Axis] = (AS_IT_IS, AS_IT_IS)


@dataclass(frozen=True, eq=False)
class Figure:
    """A picture.

    ``facts`` are numbers beside their exact values: name, value, exact value. The layout leaves
    room for a note as long as ``longest``, so that it is the same in every frame of an animation.
    """

    title: str
    panels: tuple[PicturePanel, ...]
    note: str = ""
    longest: str = ""
    facts: tuple[tuple[str, str, str], ...] = ()

    @property
    def entries(self) -> list[tuple[Sample, str, str]]:
        """Sample, role and label of every legend entry, each once."""
        layers = (layer for panel in self.panels for layer in panel.layers if layer.label)
        return [*dict.fromkeys(entry for layer in layers for entry in _entries(layer))]


def _entries(layer: Layer) -> list[tuple[Sample, str, str]]:
    """Return the legend of a layer: one entry, or that of its points' groups."""
    if not isinstance(layer, Dots) or layer.groups is None:
        return [(layer.sample, layer.role, layer.label)]
    entries: list[tuple[Sample, str, str]] = []
    for k in layer.groups.present:
        group = layer.groups.groups[k]
        entries.append((group.shape, group.role, f"{layer.groups.title} {group.name}".strip()))
    return entries


def curve(xs: Floats, ys: Floats) -> Floats:
    """Return one line (1, m, 2) through the points with these coordinates."""
    return np.stack([np.asarray(xs, np.float64), np.asarray(ys, np.float64)], -1)[None]
