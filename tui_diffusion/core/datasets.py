"""Named data sets, each a mixture of Gaussians, and the scaling of points from a file.

The components of curves and areas are of one width and at most a standard deviation apart, so that
the density is smooth; those of a tree are elongated. The shapes are shifted and scaled to mean 0
and a pooled standard deviation of 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .axes import Axis
from .short_repr import short_repr

MAX_COMPONENTS = 512
"""Maximum number of components of a curve, however narrow they are."""


@dataclass(frozen=True)
class Scaling:
    """The affine map from the data's own units to unit size, y = (x − centre)/scale.

    ``centre`` and ``scale`` have shape (d,). A network sees unit size, in float32; own units need
    float64, which distinguishes 1e9 + 1 from 1e9.
    """

    centre: Tensor
    scale: Tensor

    def __repr__(self) -> str:
        return short_repr(self, centre=self.centre.tolist(), scale=self.scale.tolist())

    @classmethod
    def of(cls, points: Tensor, shared: bool = False) -> Scaling:
        """Return the scaling that gives points (n, d) mean 0 and std 1.

        Each coordinate is scaled separately, or both by their pooled std if ``shared``. A constant
        column takes the scale of the other, or 1.
        """
        centre = points.mean(0)
        squares = (points - centre).square()
        if shared:
            spread = squares.mean().sqrt().expand(points.shape[1])
        else:
            spread = squares.mean(0).sqrt()
        spread = torch.where((points == points[0]).all(0), 0.0, spread)
        if not bool((spread > 0).all()):
            spread = (spread.max() or torch.ones_like(spread[0])).expand(len(spread))
        return cls(centre, spread)

    @classmethod
    def none(cls, dim: int) -> Scaling:
        """Return the identity scaling."""
        return cls(
            torch.zeros(dim, dtype=torch.float64),
            torch.ones(dim, dtype=torch.float64),
        )

    @property
    def axes(self) -> tuple[Axis, ...]:
        """One `Axis` per coordinate."""
        pairs = zip(self.centre.tolist(), self.scale.tolist(), strict=True)
        return tuple(Axis(centre, scale) for centre, scale in pairs)

    @property
    def changes(self) -> bool:
        """True if own units differ from unit size."""
        return bool((self.centre != 0).any() or (self.scale != 1).any())

    def unit(self, x: Tensor) -> Tensor:
        """Convert points (…, d) to unit size."""
        return (x.double() - self.centre) / self.scale

    def inverse(self, x: Tensor) -> Tensor:
        """Convert points (…, d) of unit size to own units, on the CPU in float64.

        The identity scaling returns them unchanged.
        """
        return self.inverse_lengths(x) + self.centre if self.changes else x.cpu()

    def inverse_lengths(self, x: Tensor) -> Tensor:
        """Convert differences of points, such as a std, to own units."""
        return x.cpu().double() * self.scale if self.changes else x.cpu()


def spread_of(points: Tensor, weights: Tensor) -> float:
    """Return the pooled std of points (n, d) with weights (n,) of sum 1; 1 if there is none."""
    centred = points - weights @ points
    return float((weights @ centred.square()).mean().sqrt()) or 1.0


# --- shapes, at any size, for components of a given std -------------------------------------------


class Shape(NamedTuple):
    """Points (n, 2) where the components are, their weights (n,) and their classes (n,).

    ``covariances`` (n, 2, 2) are in the units of the points; None: all components have one std.
    """

    points: Tensor
    weights: Tensor
    labels: Tensor
    covariances: Tensor | None = None


def polar(radius: Tensor, angle: Tensor) -> Tensor:
    """Return the points at these radii and angles (radians), shape (n, 2)."""
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


def _along(curve: Tensor, spacing: float, most: int = MAX_COMPONENTS) -> Tensor:
    """Return points ``spacing`` apart in arc length along a polyline (m, 2).

    The last point of a closed curve is left out, because it is the first one again.
    """
    arc = torch.cat([torch.zeros(1), (curve[1:] - curve[:-1]).norm(dim=1).cumsum(0)]).double()
    count = min(max(math.ceil(float(arc[-1]) / spacing), 2), most)
    closed = bool((curve[0] - curve[-1]).norm() < 1e-6)
    positions = torch.linspace(0, float(arc[-1]), count + closed, dtype=torch.float64)[:count]
    right = torch.searchsorted(arc, positions).clamp(1, len(arc) - 1)
    share = ((positions - arc[right - 1]) / (arc[right] - arc[right - 1]))[:, None]
    return curve[right - 1] * (1 - share) + curve[right] * share


def _line(start: float, stop: float) -> Tensor:
    return torch.linspace(start, stop, 2001, dtype=torch.float64)


def _equal(*curves: Tensor) -> Shape:
    """Return curves that have equal weight, whatever their lengths; each is a class."""
    weights = [torch.full((len(c),), 1 / len(c), dtype=torch.float64) for c in curves]
    labels = [torch.full((len(c),), label) for label, c in enumerate(curves)]
    return Shape(torch.cat(curves), torch.cat(weights), torch.cat(labels))


def moons(std: float) -> Shape:
    """Two half circles of radius 1, one turned over."""
    turn = _line(0, math.pi)
    upper = _along(torch.stack([turn.cos(), turn.sin()], 1), 0.7 * std, MAX_COMPONENTS // 2)
    return _equal(upper, torch.tensor([1.0, 0.5], dtype=torch.float64) - upper)


def circles(std: float) -> Shape:
    """Two circles of radius 1 and 0.5."""
    turn = _line(0, 2 * math.pi)
    return _equal(
        *(
            _along(polar(r * torch.ones_like(turn), turn), 0.6 * std, MAX_COMPONENTS // 2)
            for r in (1.0, 0.5)
        )
    )


def swiss_roll(std: float) -> Shape:
    """A spiral of one and a half turns, radius growing with the angle."""
    turn = _line(1.5 * math.pi, 4.5 * math.pi)
    return _equal(_along(polar(turn / 8, turn), 0.7 * std))


def spirals(std: float) -> Shape:
    """Two arms of a spiral of one and a half turns each, one the mirror image of the other."""
    turn = _line(0.5 * math.pi, 3.5 * math.pi)
    arm = _along(polar(turn / 8, turn), 0.7 * std, MAX_COMPONENTS // 2)
    return _equal(arm, -arm)


def checkerboard(std: float) -> Shape:
    """Eight of sixteen squares of side 1, each filled with a grid of components."""
    side = min(max(math.ceil(1 / (1.2 * std)), 2), int((MAX_COMPONENTS / 8) ** 0.5))
    fraction = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    cell = torch.cartesian_prod(fraction, fraction)
    corners = [(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0]
    return _equal(*(cell + torch.tensor(c, dtype=torch.float64) for c in corners))


def pinwheel(std: float) -> Shape:
    """Five arms of radius N(1, 0.3²); the rotation grows with the radius."""
    radius = torch.linspace(0.2, 1.8, 2001, dtype=torch.float64)
    arm = _along(polar(radius, 0.9 * radius.exp()), 0.7 * std, MAX_COMPONENTS // 5)
    weight = (-((arm.norm(dim=1) - 1) ** 2) / (2 * 0.3**2)).exp()
    turns = [2 * math.pi * k / 5 for k in range(5)]
    rotate = [
        torch.tensor([[math.cos(t), math.sin(t)], [-math.sin(t), math.cos(t)]], dtype=torch.float64)
        for t in turns
    ]
    labels = torch.arange(5).repeat_interleave(len(arm))
    return Shape(torch.cat([arm @ r for r in rotate]), weight.repeat(5), labels)


def tree(std: float) -> Shape:
    """Two trees that grow from one root, each a class: arms that fork four times.

    Every arm is two elongated Gaussians. The next ones are 0.76 as long and 0.85 as thick, in which
    ``std`` is the trunk's across. A toy example of guidance, after appendix C of Karras et al. 2024
    (autoguidance).
    """
    arms, rows = [(0.0, 0.0, lean, label) for label, lean in enumerate((-0.5, 0.5))], []
    for depth in range(5):
        length, grown = 0.76**depth, []
        for x, y, angle, label in arms:
            dx, dy = length * math.sin(angle), length * math.cos(angle)
            rows += [(x + at * dx, y + at * dy, angle, depth, label) for at in (0.25, 0.75)]
            grown += [(x + dx, y + dy, angle + turn, label) for turn in (-0.36, 0.5)]
        arms = grown
    table = torch.tensor(rows, dtype=torch.float64)
    points, (angles, depths, labels) = table[:, :2], table[:, 2:].unbind(1)
    weights = (0.76 * 0.85) ** depths
    weights = weights / weights.sum()
    points = points - weights @ points
    size = (weights @ points.square()).mean().sqrt()
    one = torch.ones_like(angles)
    axes = torch.stack([polar(one, math.pi / 2 - angles), polar(one, -angles)], 2)
    widths = torch.stack([0.3 * 0.76**depths / size, std * 0.85**depths], 1)
    covariances = (axes * widths[:, None] ** 2) @ axes.mT
    return Shape(points / size, weights, labels.long(), covariances)


def drawing(std: float) -> Shape:
    """An animal of 142 points, evenly spaced along its strokes; each point is a component."""
    corners = [torch.tensor([*map(float, stroke.split())]).double() for stroke in STROKES]
    return _equal(torch.cat([_along(_rounded(c.view(-1, 2)), SPACING) for c in corners]))


def _rounded(stroke: Tensor) -> Tensor:
    """Cut the corners of a stroke twice: Chaikin 1974."""
    for _ in range(2):
        start, stop = stroke[:-1], stroke[1:]
        cut = torch.stack([0.75 * start + 0.25 * stop, 0.25 * start + 0.75 * stop], 1)
        stroke = torch.cat([stroke[:1], cut.flatten(0, 1), stroke[-1:]])
    return stroke


SPACING = 0.252
STROKES = (
    "0.2 0.6  0.9 1.1  1.6 1.5  2.3 2.1  3 2.6  3.8 2.7  4.5 2.5  5 2.6  5.4 3.2  5.7 4  "
    "6 4.7  6.4 5.1  6.9 5.2  7.4 5  7.7 4.7  7.5 4.5  7 4.45  6.7 4.3  6.5 3.8  6.2 3  "
    "5.9 2.2  5.6 1.6  5.5 1  5.6 0.2  5 0.2  4.9 0.9  4.5 1.1  3.9 1.1  3.4 1  3.3 0.2  "
    "2.7 0.2  2.7 0.9  2.3 1.2  1.6 0.9  0.9 0.7  0.2 0.6",
    "6.75 4.9  6.85 4.95  6.95 4.9  6.85 4.82  6.75 4.9",
    "7.05 4.62  7.35 4.68  7.68 4.72",
    "2.6 2.3  2.75 2.75  3.1 2.65  3.3 3  3.6 2.7  3.9 3  4.15 2.63  4.4 2.85  4.6 2.52",
    "3.3 1.35  3.7 1.5  4.2 1.5  4.7 1.3",
    "-0.3 0.05  1.2 0.1  2.4 0  4.1 0.1  6 0  7.6 0.1",
)
"""Body, eye, mouth, plates, belly and ground of the drawing: x and y of the corners."""
