"""Gradient steps of a multilayer perceptron in closed form, for a CPU.

A network so small is held back by what each tensor operation costs besides its arithmetic. Here a
step is a list of about twenty operations that are bound once to fixed memory, and a run of steps is
a loop that calls them. Points are columns: with a row of ones under the inputs of every layer, a
layer's weight and bias are one matrix W, and for the layer input h, its output z = W h and
δ = ∂loss/∂z

    ∂loss/∂W = δ hᵀ,    ∂loss/∂h = Wᵀ δ (without the row of ones),    δ' = φ'(z') ⊙ ∂loss/∂h.

Plain gradient descent has its rate in the δ of the output, so that a gradient comes out as the step
to take. Small products and elementwise operations go through numpy, whose calls cost a third of
torch's; large products through torch, whose kernels are faster. Both see the same memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .experiment import Experiment

Operation = Callable[[], object]

_SMALL_PRODUCT = 2**18
"""Multiplications of a product up to which numpy does it: its BLAS then keeps to one thread."""

_SMALL_VECTOR_PRODUCT = 2**13
"""The same where one factor is a vector."""

_SMALL_LAYER = 2**13
"""Numbers in a layer's output up to which three numpy calls cost less than one of torch's."""

_LINE = 16
"""Floats in a cache line, at which every matrix begins, so that results do not hang on chance."""


class FastStepper:
    """A `Stepper` without autograd; ``body`` is what `networks.mlp` makes, on the CPU.

    A run of steps takes the weights from ``body`` (and their average from ``average``) and brings
    them back at its end; one that is broken off, as by the keyboard, never happened.
    """

    note = ""

    def __init__(
        self,
        experiment: Experiment,
        body: nn.Module,
        average: nn.Module | None,
        places: int,
    ) -> None:
        training = self._training = experiment.training
        self._layers = [m for m in body.modules() if isinstance(m, nn.Linear)]
        self._averaged = (
            [m for m in average.modules() if isinstance(m, nn.Linear)] if average else []
        )
        self._done = 0
        sizes = [(layer.in_features + 1, layer.out_features) for layer in self._layers]
        # Rows: weights, gradients, then as needed the average and the two moments of Adam.
        self._memory = torch.zeros(5, sum(_padded(a * b) for a, b in sizes))
        self._weights, self._gradients, self._average, *self._moments = (
            _matrices(row, sizes) for row in self._memory
        )
        self._now = _Step(sizes[0][0] - 1, sizes[-1][1], training.batch)
        self._steps = torch.zeros(places, len(self._now.memory))
        block = self._now.block(self._steps)
        self.features, self.targets = block.features, block.targets
        block.ones.fill_(1)
        hidden = [_Hidden(width, training.batch) for _, width in sizes[:-1]]
        self._program = self._make_program(hidden, _ACTIVATIONS[experiment.network.activation])

    # --- the protocol ------------------------------------------------------------------------

    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        """Take the steps of a block from place ``first`` on, one for each rate; their losses."""
        done, steps = self._done, self._steps[first : first + len(rates)]
        block = self._now.block(steps)
        block.scales.copy_(torch.tensor(self._factors(rates)))
        block.rates.copy_(torch.tensor(rates))
        block.blends.copy_(torch.tensor(blends))
        block.counts.copy_(torch.arange(done + 1, done + 1 + len(rates)))
        _read(self._layers, self._weights)
        _read(self._averaged, self._average)
        before = self._memory.clone()
        now, square, program = self._now.memory.numpy(), self._now.square.numpy(), self._program
        squares = np.empty(len(rates), np.float32)
        try:
            with np.errstate(all="ignore"):
                for place, step in enumerate(steps.numpy()):
                    np.copyto(now, step)
                    for operation in program:
                        operation()
                    squares[place] = square
        except BaseException:
            self._memory.copy_(before)
            raise
        self._done += len(rates)
        _write(self._weights, self._layers)
        _write(self._average, self._averaged)
        return self._losses(squares)

    def state(self) -> dict[str, Tensor]:
        """The optimizer's state, named as torch's optimizers name it: ``<parameter>.<name>``."""
        if self._training.optimizer == "sgd":
            return {}
        state: dict[str, Tensor] = {}
        for name, matrices in zip(("exp_avg", "exp_avg_sq"), self._moments, strict=True):
            for index, (weight, bias) in enumerate(map(_parts, matrices)):
                state |= {f"{2 * index}.{name}": weight, f"{2 * index + 1}.{name}": bias}
        count = torch.tensor(float(self._done))
        return state | {f"{index}.step": count for index in range(2 * len(self._layers))}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a saved `state`."""
        for name, mine in self.state().items():
            if name.endswith(".step"):
                self._done = int(state[name])
            else:
                mine.copy_(state[name])

    # --- one step ----------------------------------------------------------------------------

    def _make_program(self, hidden: list[_Hidden], activation: _Activation) -> list[Operation]:
        """The operations of a gradient step."""
        now = self._now
        fed = [now.inputs, *(layer.output for layer in hidden)]
        made = [*(layer.sum_for(activation) for layer in hidden), now.error]
        program: list[Operation] = []
        for index, (w, h, z) in enumerate(zip(self._weights, fed, made, strict=True)):
            program.append(_product(w.t(), h, z))
            if index < len(hidden):
                program += activation.forward(hidden[index])
        program += self._loss()
        delta = now.delta
        for index in reversed(range(len(fed))):
            program.append(_product(fed[index], delta.t(), self._gradients[index]))
            if index:
                layer = hidden[index - 1]
                program.append(_product(self._weights[index][:-1], delta, layer.delta))
                program += activation.backward(layer)
                delta = layer.delta
        return [*program, *self._update(), *self._follow()]

    def _loss(self) -> list[Operation]:
        """From the output to its δ, times the rate in plain gradient descent."""
        now = self._now
        flat = now.error.flatten()
        program = [
            _call(np.subtract, now.error, now.target, out=now.error),
            _product(flat[None], flat[:, None], now.square.view(1, 1)),
        ]
        if self._training.loss == "norm":
            program.append(_call(np.sqrt, now.square, out=now.norm))
            program.append(_call(np.divide, now.scale, now.norm, out=now.scale))
        return [*program, _call(np.multiply, now.error, now.scale, out=now.delta)]

    def _factors(self, rates: Sequence[float]) -> list[float]:
        """What the error is multiplied with to give δ, but for the norm of a norm."""
        count = self._now.target.numel()
        factor = {"sum": 2.0, "norm": 1.0, "mean": 2.0 / count}[self._training.loss]
        if self._training.optimizer == "sgd":
            return [factor * rate for rate in rates]
        return [factor] * len(rates)

    def _losses(self, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        """The losses of batches from their sums of squares."""
        match self._training.loss:
            case "sum":
                return squares
            case "norm":
                roots: NDArray[np.float32] = np.sqrt(squares)
                return roots
            case _:
                return squares / np.float32(self._now.target.numel())

    def _update(self) -> list[Operation]:
        """Gradients to weights, by torch's own kernel where the optimizer has moments."""
        weights, gradients, _, first, second = self._memory.unbind()
        kernels = {"adam": (torch._fused_adam_, 0.0), "adamw": (torch._fused_adamw_, 0.01)}
        if self._training.optimizer not in kernels:
            return [_call(np.subtract, weights, gradients, out=weights)]
        kernel, decay = kernels[self._training.optimizer]
        lists = [[weights], [gradients], [first], [second], [], [self._now.count]]
        return [
            partial(
                kernel,
                *lists,
                lr=self._now.rate,
                beta1=0.9,
                beta2=0.999,
                weight_decay=decay,
                eps=1e-8,
                amsgrad=False,
                maximize=False,
            )
        ]

    def _follow(self) -> list[Operation]:
        """The average a little nearer to the weights."""
        if not self._averaged:
            return []
        weights, _, average, *_ = self._memory.unbind()
        return [partial(average.lerp_, weights, self._now.blend)]


# --- memory --------------------------------------------------------------------------------------


def _padded(count: int) -> int:
    return -(-count // _LINE) * _LINE


def _matrices(row: Tensor, sizes: list[tuple[int, int]]) -> list[Tensor]:
    """A row of memory as one matrix for each layer."""
    matrices, first = [], 0
    for a, b in sizes:
        matrices.append(row[first : first + a * b].view(a, b))
        first += _padded(a * b)
    return matrices


def _parts(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The weight and the bias in a layer's matrix."""
    return matrix[:-1].t(), matrix[-1]


def _read(layers: list[nn.Linear], matrices: list[Tensor]) -> None:
    for layer, matrix in zip(layers, matrices, strict=False):
        weight, bias = _parts(matrix)
        weight.copy_(layer.weight.detach())
        bias.copy_(layer.bias.detach())


def _write(matrices: list[Tensor], layers: list[nn.Linear]) -> None:
    for layer, matrix in zip(layers, matrices, strict=False):
        weight, bias = _parts(matrix)
        layer.weight.detach().copy_(weight)
        layer.bias.detach().copy_(bias)


class _Step:
    """What changes from step to step, side by side, so that one copy brings it all.

    Points with a row of ones, and targets; then four numbers.
    """

    def __init__(self, inputs: int, outputs: int, batch: int) -> None:
        self._sizes = [inputs * batch, batch, outputs * batch, 1, 1, 1, 1]
        self._shapes = (inputs, batch), (outputs, batch)
        self.memory = torch.zeros(sum(self._sizes))
        points, ones, targets, *numbers = torch.split(self.memory, self._sizes)
        self.inputs = self.memory[: points.numel() + ones.numel()].view(inputs + 1, batch)
        self.target = targets.view(outputs, batch)
        self.scale, self.rate, self.blend, self.count = (number[0] for number in numbers)
        self.error, self.delta = torch.zeros((2, outputs, batch))
        self.square, self.norm = torch.zeros(2)

    def block(self, steps: Tensor) -> _Block:
        """The parts of many steps, of shape (steps, len(memory))."""
        points, ones, targets, *numbers = torch.split(steps, self._sizes, 1)
        features, wanted = (
            part.view(-1, *shape)
            for part, shape in zip((points, targets), self._shapes, strict=True)
        )
        return _Block(features, ones, wanted, *(number[:, 0] for number in numbers))


@dataclass(frozen=True)
class _Block:
    """The parts of the steps of a block: points, targets, and a number of each kind a step."""

    features: Tensor
    ones: Tensor
    targets: Tensor
    scales: Tensor
    rates: Tensor
    blends: Tensor
    counts: Tensor


class _Hidden:
    """What a hidden layer needs to remember; every tensor (width, batch) but ``output``."""

    def __init__(self, width: int, batch: int) -> None:
        self.output = torch.ones((width + 1, batch))
        self.value = self.output[:-1]
        self.delta = torch.empty((width, batch))
        self.sum = torch.empty((width, batch))
        self.aside = torch.empty((width, batch))

    def sum_for(self, activation: _Activation) -> Tensor:
        """Where W h goes: to the output itself, where the activation works in place."""
        return self.value if activation.in_place else self.sum


# --- operations ----------------------------------------------------------------------------------


def _call(function: Callable[..., object], *inputs: Tensor | float, out: Tensor) -> Operation:
    """A numpy function of tensors."""
    arrays = (x.numpy() if isinstance(x, Tensor) else np.float32(x) for x in inputs)
    return partial(function, *arrays, out=out.numpy())


def _product(a: Tensor, b: Tensor, out: Tensor) -> Operation:
    """out = a b."""
    rows, inner, columns = *a.shape, b.shape[1]
    most = _SMALL_PRODUCT if min(rows, columns) > 1 else _SMALL_VECTOR_PRODUCT
    if rows * inner * columns <= most and rows * columns <= _SMALL_LAYER:
        return partial(np.dot, a.numpy(), b.numpy(), out.numpy())
    return partial(torch.mm, a, b, out=out)


@dataclass(frozen=True)
class _Activation:
    """φ: ``forward`` makes a layer's output of W h; ``backward`` makes ∂loss/∂z of ∂loss/∂h."""

    in_place: bool
    forward: Callable[[_Hidden], list[Operation]]
    backward: Callable[[_Hidden], list[Operation]]


def _relu(layer: _Hidden) -> list[Operation]:
    h = layer.value
    if h.numel() > _SMALL_LAYER:
        return [partial(torch.relu_, h)]
    return [_call(np.maximum, h, torch.zeros_like(h), out=h)]


def _relu_back(layer: _Hidden) -> list[Operation]:
    """φ' = 1 where h > 0, else 0: min(1, h·10³⁸)."""
    h, slope, delta = layer.value, layer.aside, layer.delta
    if h.numel() > _SMALL_LAYER:
        kernel = torch.ops.aten.threshold_backward.grad_input
        return [partial(kernel, delta, h, 0, grad_input=delta)]
    return [
        _call(np.multiply, h, 1e38, out=slope),
        _call(np.minimum, slope, torch.ones_like(h), out=slope),
        _call(np.multiply, delta, slope, out=delta),
    ]


def _tanh(layer: _Hidden) -> list[Operation]:
    return [_call(np.tanh, layer.value, out=layer.value)]


def _tanh_back(layer: _Hidden) -> list[Operation]:
    """φ' = 1 − h²."""
    h, slope, delta = layer.value, layer.aside, layer.delta
    return [
        _call(np.multiply, h, h, out=slope),
        _call(np.subtract, 1.0, slope, out=slope),
        _call(np.multiply, delta, slope, out=delta),
    ]


def _silu(layer: _Hidden) -> list[Operation]:
    """h = z s with the logistic s = ½ + ½ tanh(z/2), of which numpy has the fastest kernel."""
    h, z, s = layer.value, layer.sum, layer.aside
    return [
        _call(np.multiply, z, 0.5, out=s),
        _call(np.tanh, s, out=s),
        _call(np.multiply, s, 0.5, out=s),
        _call(np.add, s, 0.5, out=s),
        _call(np.multiply, z, s, out=h),
    ]


def _silu_back(layer: _Hidden) -> list[Operation]:
    """φ' = s (1 + z − h)."""
    h, slope, s, delta = layer.value, layer.sum, layer.aside, layer.delta
    return [
        _call(np.subtract, slope, h, out=slope),
        _call(np.add, slope, 1.0, out=slope),
        _call(np.multiply, slope, s, out=slope),
        _call(np.multiply, delta, slope, out=delta),
    ]


def _gelu(layer: _Hidden) -> list[Operation]:
    return [partial(torch.ops.aten.gelu.out, layer.sum, out=layer.value)]


def _gelu_back(layer: _Hidden) -> list[Operation]:
    kernel = torch.ops.aten.gelu_backward.grad_input
    return [partial(kernel, layer.delta, layer.sum, grad_input=layer.delta)]


_ACTIVATIONS = {
    "relu": _Activation(True, _relu, _relu_back),
    "tanh": _Activation(True, _tanh, _tanh_back),
    "silu": _Activation(False, _silu, _silu_back),
    "gelu": _Activation(False, _gelu, _gelu_back),
}
