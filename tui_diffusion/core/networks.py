"""Denoising networks: multilayer perceptrons on a point and its noise level."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .tensors import placed

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
}


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A linear layer with PyTorch's default initialisation, U(±1/√inputs), from one generator.

    The default would draw from the process-wide generator, which other threads may use meanwhile.
    """
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)  # type: ignore[no-untyped-call]
    bound = inputs**-0.5
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return layer  # type: ignore[no-any-return]


def mlp(
    inputs: int, outputs: int, width: int, depth: int, activation: str, generator: torch.Generator
) -> nn.Sequential:
    """inputs → width → … → width → outputs, with ``depth`` hidden layers."""
    layers: list[nn.Module] = []
    size = inputs
    for _ in range(depth):
        layers += [_linear(size, width, generator), _ACTIVATIONS[activation]()]
        size = width
    return nn.Sequential(*layers, _linear(size, outputs, generator))


def octaves(x: Tensor, count: int) -> list[Tensor]:
    """sin and cos of π/2 · 2^j · x for j = 0 … count − 1, each of x's shape.

    Fourier features: Tancik et al. 2020. Each octave follows from the one below, as
    sin 2a = 2 sin a cos a and cos 2a = 1 − 2 sin² a.
    """
    if not count:
        return []
    sin, cos = (math.pi / 2 * x).sin(), (math.pi / 2 * x).cos()
    features = [sin, cos]
    for _ in range(count - 1):
        twice = 2 * sin
        sin, cos = twice * cos, 1 - twice * sin
        features += [sin, cos]
    return features


class Network(nn.Module):
    """Points and a number that tells their level, to an output of the points' shape.

    One body for all levels takes ``cat(x, c)`` and, where there are some, the `octaves` of both;
    with one body a level, each takes what is of x alone.
    """

    def __init__(
        self,
        dim: int,
        levels: int,
        *,
        width: int,
        depth: int,
        activation: str,
        per_level: bool,
        generator: torch.Generator,
        fourier: int = 0,
        level_fourier: int = 0,
    ) -> None:
        super().__init__()
        self.per_level = per_level
        self.fourier, self.level_fourier = fourier, level_fourier
        inputs = dim * (1 + 2 * fourier) + (0 if per_level else 1 + 2 * level_fourier)
        self.bodies = nn.ModuleList(
            mlp(inputs, dim, width, depth, activation, generator)
            for _ in range(levels if per_level else 1)
        )

    def features(
        self, x: Tensor, c: Tensor | float, *, axis: int = -1, out: Tensor | None = None
    ) -> Tensor:
        """What a body is fed: x of shape (…, d) and c, a number or (…, 1), side by side.

        Coordinates are along another ``axis`` where points are columns; ``out`` takes the result.
        """
        parts = [x, *octaves(x, self.fourier)]
        if not self.per_level:
            told = placed(c, x)
            shape = list(x.shape)
            shape[axis] = 1
            parts += [part.expand(shape) for part in (told, *octaves(told, self.level_fourier))]
        return torch.cat(parts, axis, out=out)

    def body(self, index: int | None) -> nn.Module:
        """The body that serves level ``index``."""
        return self.bodies[index if self.per_level and index is not None else 0]

    def forward(self, x: Tensor, c: Tensor | float, index: int | None = None) -> Tensor:
        """The output at level ``index``; x of shape (n, d)."""
        output: Tensor = self.body(index)(self.features(x, c))
        return output
