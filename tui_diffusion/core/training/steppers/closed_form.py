"""Gradient steps of a multilayer perceptron in closed form on a CPU, bit for bit equal to autograd.

For such a small network the overhead of autograd exceeds its arithmetic. Here a step is a list of
about twenty-five operations on fixed memory, and a run of steps is one `Script`, which torch
executes without Python. For a layer with input h (batch, in), weight W (out, in), bias b and δ =
∂loss/∂z,

    z = h Wᵀ + b,    ∂loss/∂W = δᵀ h,    ∂loss/∂b = Σ δ over the batch,
    ∂loss/∂h = δ W,    δ' = φ'(z') ⊙ ∂loss/∂h.

Products, sums and activations use the kernels of autograd on the same shapes, because another
kernel would sum in another order and round differently. A cheaper kernel replaces one only after a
test that it rounds alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...config.experiment import Experiment
from .optimizers import ADAM, SGD, padded, split, state_of
from .torchscript import Script

_LINE = 16
"""Floats in a cache line: every tensor begins at one, because alignment affects rounding."""


class FastStepper:
    """A `Stepper` without autograd; ``body`` comes from `networks.mlp`, on the CPU.

    A run of steps copies the weights from ``body`` (and their average from ``average``) and copies
    them back at its end. An interrupted run, as by Ctrl+C, either has no effect or is complete
    except for its losses. The memory belongs to torch's inference mode, in which calls are
    cheapest.
    """

    note = ""

    @torch.inference_mode()
    def __init__(
        self,
        experiment: Experiment,
        body: nn.Module,
        average: nn.Module | None,
        capacity: int,
    ) -> None:
        self._training = training = experiment.training
        networks = [body] if average is None else [body, average]
        self._shapes = shapes = [parameter.shape for parameter in body.parameters()]
        room = sum(padded(shape.numel(), _LINE) for shape in shapes)
        # Rows: the weights and, if configured, their average; then the moments of Adam.
        self._trained = torch.zeros(len(networks), room)
        self._gradient = torch.zeros(room)
        self._moments = torch.zeros(0 if training.optimizer == "sgd" else 2, room)
        self._step_count = torch.zeros(())
        self._inside = [weight for row in self._trained for weight in split(row, shapes, _LINE)]
        self._outside = [p.detach() for network in networks for p in network.parameters()]
        inputs, outputs, batch = shapes[0][1], shapes[-1][0], training.batch
        with torch.inference_mode(False):  # batches are drawn outside that mode
            self.features = _block(capacity, inputs, batch)
            self.targets = _block(capacity, batch, outputs).mT
        self._losses = torch.zeros(capacity)
        # The data that differ between steps.
        self._feature_items = [columns.mT for columns in self.features]
        self._target_items = [columns.mT for columns in self.targets]
        self._loss_items = list(self._losses)
        self._error, self._delta = _empty(batch, outputs), _empty(batch, outputs)
        self._square = _empty(batch, outputs)
        self._hidden = [
            _Hidden(batch, weight[0], experiment.network.activation) for weight in shapes[:-2:2]
        ]
        self._run = self._write().compile()

    # --- the protocol ------------------------------------------------------------------------

    @torch.inference_mode()
    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        """Take the steps of the block from ``first`` on, one per rate; return their losses."""
        part = slice(first, first + len(rates))
        torch._foreach_copy_(self._inside, self._outside)
        moments, count = self._moments.clone(), self._step_count.clone()
        try:
            self._run(
                self._feature_items[part],
                self._target_items[part],
                self._loss_items[part],
                rates,
                blends,
            )
        except BaseException:
            self._moments.copy_(moments)
            self._step_count.copy_(count)
            raise
        torch._foreach_copy_(self._outside, self._inside)
        losses: NDArray[np.float32] = self._losses[part].numpy().copy()
        if self._training.loss == "mean":
            losses /= np.float32(self._error.numel())
        return losses

    def state(self) -> dict[str, Tensor]:
        """Return the optimizer's state by torch's names for it: ``<parameter>.<name>``."""
        moments = (split(row, self._shapes, _LINE) for row in self._moments)
        return state_of(moments, self._step_count)

    @torch.inference_mode()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore a saved `state`."""
        for name, mine in self.state().items():
            mine.copy_(state[name])

    # --- one step ----------------------------------------------------------------------------

    def _write(self) -> Script:
        """Write the operations of a gradient step."""
        do, shapes = Script(("seen", "wanted", "loss"), ("rate", "blend")), self._shapes
        layers, gradients = _pairs(self._trained[0], shapes), _pairs(self._gradient, shapes)
        activations = [layer.value for layer in self._hidden]
        fed: list[Tensor | str] = ["seen", *activations]
        for layer, h, (weight, bias) in zip(self._hidden, fed, layers, strict=False):
            layer.forward(do, h, weight, bias)
        weight, bias = layers[-1]
        do("addmm", bias, fed[-1], weight.t(), out=self._error)
        self._write_loss(do)
        # A layer's δ overwrites the activations of the next layer, which are no longer needed.
        room = [*activations[1:], _empty(*activations[-1].shape)]
        delta = self._delta
        for index in reversed(range(len(layers))):
            by_weight, by_bias = gradients[index]
            do("mm", delta.t(), fed[index], out=by_weight)
            do("sum", delta, [0], out=by_bias)
            if index:
                do("mm", delta, layers[index][0], out=room[index - 1])
                delta = room[index - 1]
                self._hidden[index - 1].backward(do, delta)
        self._write_update(do)
        if len(self._trained) > 1:
            do("lerp_", self._trained[1], self._trained[0], "blend")
        return do

    def _write_loss(self, do: Script) -> None:
        """Write the loss L of the output and δ: 2e for Σe², e/L for its root, 2e/n for its mean."""
        error, square, delta = self._error, self._square, self._delta
        factor = torch.tensor(2.0 / error.numel() if self._training.loss == "mean" else 2.0)
        do("sub", error, "wanted", out=error)
        do("mul", error, error, out=square)
        do("sum", square.flatten(), [0], out="loss")
        if self._training.loss == "norm":
            do("sqrt", "loss", out="loss")
            do("reciprocal", "loss", out=factor)
        do("mul", error, factor, out=delta)

    def _write_update(self, do: Script) -> None:
        """Write the update of the weights, with torch's own kernels."""
        rows = (self._trained[0], self._gradient, *self._moments)
        weights, gradients, *moments = (_runs(row, self._shapes) for row in rows)
        if not moments:
            do("_fused_sgd_", weights, gradients, [], lr="rate", **SGD)
            return
        kernel, options = ADAM[self._training.optimizer]
        do("add_", self._step_count, 1)
        counts = [self._step_count] * len(weights)
        do(kernel, weights, gradients, *moments, [], counts, lr="rate", **options)


class _Hidden:
    """A hidden layer's z and h = φ(z), each (batch, width).

    The slopes of ReLU and tanh follow from h alone, so h overwrites z.
    """

    def __init__(self, batch: int, width: int, activation: str) -> None:
        self._activation = activation
        self.value = _empty(batch, width)
        self.sum = self.value if activation in ("relu", "tanh") else _empty(batch, width)

    def forward(self, do: Script, fed: Tensor | str, weight: Tensor, bias: Tensor) -> None:
        """Write the operations from the previous layer to h."""
        z, h = self.sum, self.value
        if weight.shape[1] == 1 and _needs_no_product(*z.shape):
            do("addcmul", bias, fed, weight.t(), out=z)
        else:
            do("addmm", bias, fed, weight.t(), out=z)
        if self._activation == "relu":
            do("relu_", h)
        else:
            do(self._activation, z, out=h)

    def backward(self, do: Script, delta: Tensor) -> None:
        """Write the operations from ∂loss/∂h to δ = φ'(z) ⊙ ∂loss/∂h, in place."""
        if self._activation == "relu":
            do("threshold_backward", delta, self.value, 0, grad_input=delta)
        else:
            do(f"{self._activation}_backward", delta, self.sum, grad_input=delta)


@cache
def _needs_no_product(batch: int, width: int) -> bool:
    """Return whether b + h wᵀ of one input equals ``addmm`` bit for bit.

    It does if both round once, which depends on how they were compiled, so it is tested.
    """
    random = torch.Generator().manual_seed(0)
    bias, row = torch.randn((2, width), generator=random)
    h = torch.randn((batch, 1), generator=random)
    return torch.equal(torch.addcmul(bias, h, row), torch.addmm(bias, h, row[None]))


# --- memory --------------------------------------------------------------------------------------


def _empty(*shape: int) -> Tensor:
    """Return zeros that begin at a cache line."""
    size = torch.Size(shape).numel()
    memory = torch.zeros(size + _LINE)
    start = -memory.data_ptr() // memory.itemsize % _LINE
    return memory[start : start + size].view(shape)


def _pairs(row: Tensor, shapes: list[torch.Size]) -> list[tuple[Tensor, Tensor]]:
    """Split a row of memory into W and b of every layer."""
    tensors = split(row, shapes, _LINE)
    return list(zip(tensors[::2], tensors[1::2], strict=True))


def _runs(row: Tensor, shapes: list[torch.Size]) -> list[Tensor]:
    """Split the same memory into few tensors that end where a parameter ends within a line.

    A kernel may round the last numbers of a tensor, beyond its last full line, differently.
    """
    runs, start, stop = [], 0, 0
    for size in (shape.numel() for shape in shapes):
        end, stop = stop + size, stop + padded(size, _LINE)
        if end < stop or stop == len(row):
            runs.append(row[start:end])
            start = stop
    return runs


def _block(capacity: int, rows: int, columns: int) -> Tensor:
    """Return zeros (capacity, rows, columns); each matrix begins at a cache line."""
    room = padded(rows * columns, _LINE)
    return _empty(capacity, room)[:, : rows * columns].view(capacity, rows, columns)
