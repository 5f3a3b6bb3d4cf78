"""Axes in the data's own units, for pictures whose geometry is at unit size."""

from __future__ import annotations

import math
from dataclasses import dataclass

_FAR = 1000.0
"""Ratio of the numbers to the visible range above which ticks show differences from an offset."""


@dataclass(frozen=True)
class Axis:
    """One coordinate: own units = centre + scale · x, where x is at unit size."""

    centre: float = 0.0
    scale: float = 1.0

    def own(self, x: float) -> float:
        """Convert a coordinate at unit size to own units."""
        return self.centre + self.scale * x

    def unit(self, own: float) -> float:
        """Convert a coordinate from the data's units to unit size."""
        return (own - self.centre) / self.scale

    @property
    def differences(self) -> Axis:
        """The axis of differences between two coordinates."""
        return Axis(0.0, self.scale)

    @property
    def densities(self) -> Axis:
        """The axis of a density over this coordinate, or of its score."""
        return Axis(0.0, 1 / self.scale)

    def offset(self, low: float, high: float) -> float:
        """Return a round number near low to high, to subtract from ticks too long to read; or 0."""
        span, middle = self.scale * (high - low), self.own((low + high) / 2)
        if not span * _FAR < abs(middle) < math.inf:
            return 0.0
        step = 10.0 ** math.ceil(math.log10(span))
        return round(middle / step) * step


AS_IT_IS = Axis()
"""The axis of numbers that have no other unit."""
