"""Denoising networks: multilayer perceptrons on a point and its noise level."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn

from .arguments import check_function
from .short_repr import short_repr, short_value
from .tensors import placed

Call = Callable[[nn.Module, Tensor, Tensor], Tensor]

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
}


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """Return a linear layer, initialised from ``generator``."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)  # type: ignore[no-untyped-call]
    _initialise(layer, generator)
    return layer


@torch.no_grad()
def _initialise(layer: nn.Linear, generator: torch.Generator) -> None:
    """Apply PyTorch's default initialisation of a linear layer, U(±1/√inputs).

    The numbers come from ``generator``: PyTorch uses the process-wide one, which other threads may
    use at the same time.
    """
    bound = layer.in_features**-0.5
    for parameter in layer.parameters():
        parameter.uniform_(-bound, bound, generator=generator)


def mlp(
    inputs: int, outputs: int, width: int, depth: int, activation: str, generator: torch.Generator
) -> nn.Sequential:
    """Return inputs → width → … → width → outputs, with ``depth`` hidden layers."""
    layers: list[nn.Module] = []
    size = inputs
    for _ in range(depth):
        layers += [_linear(size, width, generator), _ACTIVATIONS[activation]()]
        size = width
    return nn.Sequential(*layers, _linear(size, outputs, generator))


def octaves(x: Tensor, count: int) -> list[Tensor]:
    """Return sin and cos of π/2 · 2^j · x for j = 0 … count − 1, each of x's shape.

    Fourier features: Tancik et al. 2020. Each octave follows from the previous one by
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


HIDDEN = -1
"""The label of a point whose class is hidden from the network."""


def features_per_point(dim: int, fourier: int, level_fourier: int | None, classes: int = 0) -> int:
    """Return the number of inputs of a body: d coordinates, one condition, and their `octaves`.

    ``level_fourier`` is None for a body of one level, which takes no condition. Each of the
    ``classes`` adds one.
    """
    condition = 0 if level_fourier is None else 1 + 2 * level_fourier
    return dim * (1 + 2 * fourier) + condition + classes


class Network(nn.Module):
    """A network that maps points and the number that encodes their level to outputs of their shape.

    One body for all levels takes ``cat(x, c)`` and the `octaves` of both, if configured; with one
    body per level, each takes the features of x alone. A network of labels also takes one number
    for each of its ``classes``: 1 for that of the point, 0 for the others, and all 0 if the label
    is hidden.
    """

    classes = 0

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
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.per_level, self.classes = per_level, classes
        self.fourier, self.level_fourier = fourier, level_fourier
        inputs = features_per_point(dim, fourier, None if per_level else level_fourier, classes)
        self.bodies = nn.ModuleList(
            mlp(inputs, dim, width, depth, activation, generator)
            for _ in range(levels if per_level else 1)
        )

    def __repr__(self) -> str:
        layers = [layer for layer in self.bodies[0].modules() if isinstance(layer, nn.Linear)]
        sizes = [layers[0].in_features, *(layer.out_features for layer in layers)]
        weights = sum(parameter.numel() for parameter in self.parameters())
        return short_repr(self, layers=sizes, bodies=len(self.bodies), weights=weights)

    def same_layers(self, other: Network) -> bool:
        """Return whether another network has the same layers, activations and features."""
        return nn.Module.__repr__(self) == nn.Module.__repr__(other) and (
            (self.per_level, self.fourier, self.level_fourier, self.classes)
            == (other.per_level, other.fourier, other.level_fourier, other.classes)
        )

    def features(
        self,
        x: Tensor,
        c: Tensor | float,
        labels: Tensor | int | None = None,
        *,
        axis: int = -1,
        out: Tensor | None = None,
    ) -> Tensor:
        """Return the input of a body: x of shape (…, d) and c, a number or (…, 1), concatenated.

        ``labels`` (…) are the classes of the points, or one for all; None, or `HIDDEN`, hides
        them. ``axis`` is that of the coordinates, if points are columns; ``out`` receives the
        result.
        """
        parts = [x, *octaves(x, self.fourier)]
        if not self.per_level:
            condition = placed(c, x)
            shape = list(x.shape)
            shape[axis] = 1
            parts += [
                part.expand(shape) for part in (condition, *octaves(condition, self.level_fourier))
            ]
        if self.classes:
            parts.append(self._one_hot(x, HIDDEN if labels is None else labels, axis))
        return torch.cat(parts, axis, out=out)

    def _one_hot(self, x: Tensor, labels: Tensor | int, axis: int) -> Tensor:
        """Return 1 for the class of each point and 0 for the others, (…, classes)."""
        shape = list(x.shape)
        shape[axis] = self.classes
        every = torch.arange(self.classes, device=x.device)
        every = every.view([-1 if size == axis % x.ndim else 1 for size in range(x.ndim)])
        if isinstance(labels, Tensor):
            labels = labels.to(x.device).unsqueeze(axis)
        return (every == labels).to(x.dtype).expand(shape)

    def initialise(self, generator: torch.Generator) -> None:
        """Initialise all weights, as those of a new network of this generator."""
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                _initialise(layer, generator)

    def body(self, index: int | None) -> nn.Module:
        """Return the body of level ``index``."""
        return self.bodies[index if self.per_level and index is not None else 0]

    def forward(
        self,
        x: Tensor,
        c: Tensor | float,
        index: int | None = None,
        labels: Tensor | int | None = None,
    ) -> Tensor:
        """Return the output (n, d) at level ``index`` for x (n, d) and their ``labels`` (n,)."""
        output: Tensor = self.body(index)(self.features(x, c, labels))
        return output


def call_module(module: nn.Module, x: Tensor, c: Tensor) -> Tensor:
    """Return the output of a module for points x (n, d) and their condition c (n, 1)."""
    output: Tensor = module(x, c)
    return output


class OwnBody(nn.Module):
    """A module of points and condition, as a body: a function of features, their columns.

    ``call`` calls the module, as `call_module` does.
    """

    def __init__(self, module: nn.Module, dim: int, call: Call = call_module) -> None:
        super().__init__()
        self.module = module
        self.inputs = dim + 1
        self._call = call

    def forward(self, features: Tensor) -> Tensor:
        return self._call(self.module, features[:, :-1], features[:, -1:])


class OwnNetwork(Network):
    """A module in place of a network of this program; one body for all levels.

    ``module`` takes x (n, d) and the condition of the level, c (n, 1), and returns (n, d). Raises
    TypeError and ValueError if it does not.
    """

    def __init__(self, module: nn.Module, dim: int, call: Call = call_module) -> None:
        nn.Module.__init__(self)
        self.per_level, self.fourier, self.level_fourier = False, 0, 0
        check_function("network", module.forward, ("x", "c"), "Tensor")
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise ValueError("network must have parameters to train (got none)")
        self.bodies = nn.ModuleList([OwnBody(module, dim, call)])
        self._check(dim)

    def __repr__(self) -> str:
        module = type(self.bodies[0].module).__name__
        weights = sum(parameter.numel() for parameter in self.parameters())
        return short_repr(self, module=module, weights=weights)

    @torch.no_grad()
    def _check(self, dim: int) -> None:
        """Call a copy of the module once, without its random layers."""
        device = next(self.parameters()).device
        x, c = torch.zeros((2, dim), device=device), torch.zeros((2, 1), device=device)
        try:
            output = deepcopy(self.bodies[0]).eval()(torch.cat([x, c], 1))
        except Exception as error:  # a module of someone else may raise anything
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise ValueError(
                f"network must take x {tuple(x.shape)} and c {tuple(c.shape)} in float32 ({reason})"
            ) from error
        if not isinstance(output, Tensor) or output.shape != x.shape:
            raise ValueError(
                f"network must return the shape of x, {tuple(x.shape)} (got {short_value(output)})"
            )
