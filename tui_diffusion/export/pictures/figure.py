"""What a picture holds, however it is drawn: panels with layers over axes, and a legend.

A layer is data in the coordinates of its panel, in the colour of a role. Where an axis is
logarithmic, its coordinates and its range are logarithms to base 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...core.axes import AS_IT_IS, Axis
from ...core.mixtures import GaussianMixture

Floats = NDArray[np.float64]
Range = tuple[float, float]
Sample = Literal["dot", "line", "dashes", "ring", "block", "arrow"]


@dataclass(frozen=True, eq=False)
class Shade:
    """A density as a ground: of a mixture, or of points (n, 2)."""

    of: GaussianMixture | Floats
    label: str = ""
    role: str = "shade"
    sample: Sample = "block"


@dataclass(frozen=True, eq=False)
class Contour:
    """The line inside which a share of a mixture in the plane lies."""

    truth: GaussianMixture
    share: float = 0.95
    label: str = ""
    role: str = "truth"
    sample: Sample = "line"


@dataclass(frozen=True, eq=False)
class Dots:
    """Points (n, 2), fainter where there are very many."""

    points: Floats
    role: str
    label: str = ""
    sample: Sample = "dot"


@dataclass(frozen=True, eq=False)
class Rings:
    """A circle about each of some places (k, 2)."""

    places: Floats
    role: str = "mark"
    label: str = ""
    sample: Sample = "ring"


@dataclass(frozen=True, eq=False)
class Curves:
    """Lines (k, m, 2) of m places each; a place that is not finite is a gap."""

    lines: Floats
    role: str
    label: str = ""
    width: float = 2.0
    opacity: float = 1.0
    dashed: bool = False

    @property
    def sample(self) -> Sample:
        """What stands for it in the legend."""
        return "dashes" if self.dashed else "line"


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars from 0 to ``heights`` (n,) between ``edges`` (n + 1,); ``wide`` is their share of it.

    A height that is not finite has no bar.
    """

    edges: Floats
    heights: Floats
    role: str
    label: str = ""
    wide: float = 1.0
    sample: Sample = "block"


@dataclass(frozen=True, eq=False)
class Band:
    """What lies between two curves over the same ``xs``, each (n,)."""

    xs: Floats
    lows: Floats
    highs: Floats
    role: str
    label: str = ""
    sample: Sample = "block"


@dataclass(frozen=True, eq=False)
class Arrows:
    """Arrows (k, 2) from places (k, 2), both in the panel's coordinates."""

    places: Floats
    vectors: Floats
    role: str
    label: str = ""
    sample: Sample = "arrow"


Layer = Shade | Contour | Dots | Rings | Curves | Bars | Band | Arrows


@dataclass(frozen=True, eq=False)
class Panel:
    """One plot. ``notes`` are what stands at the right of its title, the first that fits.

    ``square``: both axes have one scale. ``names`` are those of whole numbers on the x axis.
    ``axes`` give the ticks their units.
    """

    xs: Range
    ys: Range
    layers: tuple[Layer, ...]
    title: str = ""
    notes: tuple[str, ...] = ()
    x_label: str = ""
    y_label: str = ""
    square: bool = False
    log_y: bool = False
    names: tuple[str, ...] = ()
    axes: tuple[Axis, Axis] = (AS_IT_IS, AS_IT_IS)


@dataclass(frozen=True, eq=False)
class Figure:
    """A picture. ``facts`` are numbers beside what is exact: name, value, exact value.

    The layout leaves room for a note as long as ``longest``, so that it is the same in every frame
    of a film.
    """

    title: str
    panels: tuple[Panel, ...]
    note: str = ""
    longest: str = ""
    facts: tuple[tuple[str, str, str], ...] = ()

    @property
    def entries(self) -> list[tuple[Sample, str, str]]:
        """Sample, role and label of everything in the legend, each once."""
        found = {
            (layer.sample, layer.role, layer.label): None
            for panel in self.panels
            for layer in panel.layers
            if layer.label
        }
        return [*found]


def curve(xs: Floats, ys: Floats) -> Floats:
    """One line (1, m, 2) through places given by coordinate."""
    return np.stack([np.asarray(xs, np.float64), np.asarray(ys, np.float64)], -1)[None]
