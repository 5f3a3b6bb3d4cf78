"""Gradient steps of a multilayer perceptron in closed form, on a CPU: autograd's, bit for bit.

A network so small is held back by what each operation of autograd costs besides its arithmetic.
Here a step is a list of about twenty-five operations that are bound once to fixed memory, and a run
of steps is a loop that calls them. For a layer with input h (batch, in), weight W (out, in), bias b
and δ = ∂loss/∂z,

    z = h Wᵀ + b,    ∂loss/∂W = δᵀ h,    ∂loss/∂b = Σ δ over the batch,
    ∂loss/∂h = δ W,    δ' = φ'(z') ⊙ ∂loss/∂h.

Products, sums and activations are the very kernels that autograd calls, on the same shapes, since
another would add in another order and round otherwise. What is rounded the same whoever computes
it, number by number, goes through numpy, whose calls cost a third of torch's; both see the same
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .experiment import Experiment

Operation = Callable[[], object]

_LINE = 16
"""Floats in a cache line, at which every tensor begins, so that results do not hang on chance."""

_SMALL_LAYER = 2**13
"""Numbers in a layer's output up to which two simple calls cost less than one of a rarer kind."""


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
        self._training = training = experiment.training
        self._body = list(body.parameters())
        self._averaged = list(average.parameters()) if average else []
        shapes = [parameter.shape for parameter in self._body]
        self._sizes = [shape.numel() for shape in shapes]
        # Rows: weights, gradients, then as needed the average and the two moments of Adam.
        self._memory = torch.zeros(5, sum(map(_padded, self._sizes)))
        self._weights, self._gradients, self._average, *self._moments = (
            _tensors(row, shapes) for row in self._memory
        )
        self._done = torch.zeros(())
        self._rate = torch.zeros((), dtype=torch.float64)
        self._blend = torch.zeros(())
        inputs, outputs, batch = shapes[0][1], shapes[-1][0], training.batch
        # Features and targets of a step side by side, so that one copy brings both.
        self._steps = torch.zeros(places, (inputs + outputs) * batch)
        self.features, self.targets = _sides(self._steps, inputs, batch)
        self._now = torch.zeros(1, (inputs + outputs) * batch)
        features, targets = _sides(self._now, inputs, batch)
        self._features, self._target = features[0].mT, targets[0].mT
        self._error, self._delta = _empty(batch, outputs), _empty(batch, outputs)
        self._square = _empty(batch, outputs)
        self._loss = torch.zeros(())
        self._hidden = [
            _Hidden(batch, weight[0], experiment.network.activation) for weight in shapes[:-2:2]
        ]
        self._program = self._make_program()

    # --- the protocol ------------------------------------------------------------------------

    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        """Take the steps of a block from place ``first`` on, one for each rate; their losses."""
        done = int(self._done)
        _copy(self._body, self._weights)
        _copy(self._averaged, self._average)
        before = self._memory.clone()
        now, rate, blend = self._now[0].numpy(), self._rate.numpy(), self._blend.numpy()
        count, loss, program = self._done.numpy(), self._loss.numpy(), self._program
        steps = self._steps[first : first + len(rates)].numpy()
        losses = np.empty(len(rates), np.float32)
        try:
            with np.errstate(all="ignore"):
                for place, step in enumerate(steps):
                    np.copyto(now, step)
                    rate[...], blend[...] = rates[place], blends[place]
                    count[...] = done + place + 1
                    for operation in program:
                        operation()
                    losses[place] = loss
        except BaseException:
            self._memory.copy_(before)
            self._done.fill_(done)
            raise
        _copy(self._weights, self._body)
        _copy(self._average, self._averaged)
        if self._training.loss == "mean":
            losses /= np.float32(self._error.numel())
        return losses

    def state(self) -> dict[str, Tensor]:
        """The optimizer's state, named as torch's optimizers name it: ``<parameter>.<name>``."""
        if self._training.optimizer == "sgd":
            return {}
        state: dict[str, Tensor] = {}
        for name, tensors in zip(("exp_avg", "exp_avg_sq"), self._moments, strict=True):
            state |= {f"{index}.{name}": tensor for index, tensor in enumerate(tensors)}
        return state | {f"{index}.step": self._done for index in range(len(self._body))}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a saved `state`."""
        for name, mine in self.state().items():
            mine.copy_(state[name])

    # --- one step ----------------------------------------------------------------------------

    def _make_program(self) -> list[Operation]:
        """The operations of a gradient step."""
        program: list[Operation] = []
        layers = list(zip(self._weights[::2], self._weights[1::2], strict=True))
        gradients = list(zip(self._gradients[::2], self._gradients[1::2], strict=True))
        fed = [self._features, *(layer.value for layer in self._hidden)]
        made = [*(layer.sum for layer in self._hidden), self._error]
        for index, ((weight, bias), h, z) in enumerate(zip(layers, fed, made, strict=True)):
            program.append(partial(torch.addmm, bias, h, weight.t(), out=z))
            if index < len(self._hidden):
                program += self._hidden[index].forward()
        program += self._make_loss()
        delta = self._delta
        for index in reversed(range(len(layers))):
            by_weight, by_bias = gradients[index]
            program.append(partial(torch.mm, delta.t(), fed[index], out=by_weight))
            program.append(partial(torch.sum, delta, 0, out=by_bias))
            if index:
                layer = self._hidden[index - 1]
                program.append(partial(torch.mm, delta, layers[index][0], out=layer.delta))
                program += layer.backward()
                delta = layer.delta
        return [*program, *self._update(), *self._follow()]

    def _make_loss(self) -> list[Operation]:
        """From the output to its loss L and δ: 2e for Σe², e/L for its root, 2e/n for its mean."""
        error, square, delta, loss = self._error, self._square, self._delta, self._loss
        factor = torch.tensor(2.0 / error.numel() if self._training.loss == "mean" else 2.0)
        program: list[Operation] = [
            _call(np.subtract, error, self._target, out=error),
            _call(np.multiply, error, error, out=square),
            partial(torch.sum, square.flatten(), 0, out=loss),
        ]
        if self._training.loss == "norm":
            # Torch's root is not always the one that is nearest.
            program.append(partial(torch.sqrt, loss, out=loss))
            program.append(_call(np.divide, torch.ones(()), loss, out=factor))
        return [*program, _call(np.multiply, error, factor, out=delta)]

    def _update(self) -> list[Operation]:
        """Gradients to weights, by torch's own kernels."""
        weights, gradients, _, first, second = (_runs(row, self._sizes) for row in self._memory)
        lists = [weights, gradients]
        options: dict[str, Any] = {"lr": self._rate, "maximize": False}
        kernel: Callable[..., object] = torch._fused_sgd_
        if self._training.optimizer == "sgd":
            lists += [[]]
            options |= {"momentum": 0.0, "dampening": 0.0, "nesterov": False}
            options |= {"weight_decay": 0.0, "is_first_step": False}
        else:
            lists += [first, second, [], [self._done] * len(weights)]
            options |= {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "amsgrad": False}
            kernels = {"adam": (torch._fused_adam_, 0.0), "adamw": (torch._fused_adamw_, 0.01)}
            kernel, options["weight_decay"] = kernels[self._training.optimizer]
        return [partial(kernel, *lists, **options)]

    def _follow(self) -> list[Operation]:
        """The average a little nearer to the weights."""
        if not self._averaged:
            return []
        weights, _, average, *_ = self._memory.unbind()
        return [partial(average.lerp_, weights, self._blend)]


# --- memory --------------------------------------------------------------------------------------


def _padded(count: int) -> int:
    return -(-count // _LINE) * _LINE


def _empty(*shape: int) -> Tensor:
    """Zeros that begin a cache line."""
    size = torch.Size(shape).numel()
    memory = torch.zeros(size + _LINE)
    start = -memory.data_ptr() // memory.itemsize % _LINE
    return memory[start : start + size].view(shape)


def _tensors(row: Tensor, shapes: list[torch.Size]) -> list[Tensor]:
    """A row of memory as one tensor for each parameter."""
    tensors, first = [], 0
    for shape in shapes:
        tensors.append(row[first : first + shape.numel()].view(shape))
        first += _padded(shape.numel())
    return tensors


def _runs(row: Tensor, sizes: list[int]) -> list[Tensor]:
    """The same memory as few tensors: one ends where a parameter ends within a line.

    A kernel may round the last numbers of a tensor, short of a line, in a way of their own.
    """
    runs, start, stop = [], 0, 0
    for size in sizes:
        end, stop = stop + size, stop + _padded(size)
        if end < stop or stop == len(row):
            runs.append(row[start:end])
            start = stop
    return runs


def _sides(steps: Tensor, inputs: int, batch: int) -> tuple[Tensor, Tensor]:
    """Features (places, inputs, batch) and targets (places, d, batch) in the memory of steps.

    In memory each feature is a column, as they are made, and each target a row, as it is read.
    """
    places, split = len(steps), inputs * batch
    features, targets = steps[:, :split], steps[:, split:]
    return features.view(places, inputs, batch), targets.view(places, batch, -1).mT


def _copy(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> None:
    for a, b in zip(ours, theirs, strict=False):
        b.detach().copy_(a.detach())


# --- operations ----------------------------------------------------------------------------------


def _call(function: Callable[..., object], *inputs: Tensor, out: Tensor) -> Operation:
    """A numpy function of tensors."""
    return partial(function, *(x.numpy() for x in inputs), out=out.numpy())


class _Hidden:
    """A hidden layer's z, h = φ(z) and δ, each (batch, width).

    ReLU and tanh have their slope from h alone, and h takes the place of z.
    """

    def __init__(self, batch: int, width: int, activation: str) -> None:
        self._activation = activation
        self.value = _empty(batch, width)
        self.sum = self.value if activation in ("relu", "tanh") else _empty(batch, width)
        self.delta = _empty(batch, width)

    def forward(self) -> list[Operation]:
        """From z to h."""
        z, h, kernels = self.sum, self.value, torch.ops.aten
        match self._activation:
            case "relu":
                return [partial(torch.relu_, h)]
            case "tanh":
                return [partial(torch.tanh, h, out=h)]
            case "silu":
                return [partial(kernels.silu.out, z, out=h)]
            case _:
                return [partial(kernels.gelu.out, z, out=h)]

    def backward(self) -> list[Operation]:
        """From ∂loss/∂h to δ = φ'(z) ⊙ ∂loss/∂h."""
        z, h, delta, kernels = self.sum, self.value, self.delta, torch.ops.aten
        match self._activation:
            case "relu" if h.numel() <= _SMALL_LAYER:
                slope = torch.empty_like(h)
                return [
                    partial(torch.sign, h, out=slope),
                    _call(np.multiply, delta, slope, out=delta),
                ]
            case "relu":
                kernel = kernels.threshold_backward.grad_input
                return [partial(kernel, delta, h, 0, grad_input=delta)]
            case "tanh":
                return [partial(kernels.tanh_backward.grad_input, delta, h, grad_input=delta)]
            case "silu":
                return [partial(kernels.silu_backward.grad_input, delta, z, grad_input=delta)]
            case _:
                return [partial(kernels.gelu_backward.grad_input, delta, z, grad_input=delta)]
