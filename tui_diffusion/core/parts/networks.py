"""The networks. Their layers are in `core.networks`."""

from __future__ import annotations

from dataclasses import dataclass

from .part import Part, by_name


@dataclass(frozen=True, kw_only=True)
class NetworkPart(Part):
    """A network; its function takes ``dim``, the coordinates of a point, and returns a module.

    The module maps points x (n, d) and the condition of their level, c (n, 1), to outputs (n, d).
    ``formula`` is what it computes.
    """

    formula: str = ""


NETWORK_PARTS = by_name(
    NetworkPart(
        name="mlp",
        function="Network",
        help="multilayer perceptron",
        uses=(
            *("width", "depth", "activation", "per_level", "fourier", "level_fourier"),
            *("labels", "guide"),
        ),
        formula="net(x, c) = W·φ(… φ(W·[x, c] + b) …) + b",
    ),
)
"""Every network by its name in a configuration."""
