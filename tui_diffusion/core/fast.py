"""Gradient steps of a multilayer perceptron in closed form, on a CPU: autograd's, bit for bit.

A network so small is held back by what each operation of autograd costs besides its arithmetic.
Here a step is a list of about twenty-five operations on fixed memory, and a run of steps is one
`Script`, in which torch goes from one to the next by itself. For a layer with input h (batch, in),
weight W (out, in), bias b and δ = ∂loss/∂z,

    z = h Wᵀ + b,    ∂loss/∂W = δᵀ h,    ∂loss/∂b = Σ δ over the batch,
    ∂loss/∂h = δ W,    δ' = φ'(z') ⊙ ∂loss/∂h.

Products, sums and activations are the very kernels that autograd calls, on the same shapes, since
another would add in another order and round otherwise. A cheaper one stands in only where it is
found to round alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .experiment import Experiment
from .script import Script

_LINE = 16
"""Floats in a cache line, at which every tensor begins, so that results do not hang on chance."""


class FastStepper:
    """A `Stepper` without autograd; ``body`` is what `networks.mlp` makes, on the CPU.

    A run of steps takes the weights from ``body`` (and their average from ``average``) and brings
    them back at its end; one that is broken off, as by the keyboard, never happened.
    """

    note = ""

    @torch.inference_mode()
    def __init__(
        self,
        experiment: Experiment,
        body: nn.Module,
        average: nn.Module | None,
        places: int,
    ) -> None:
        self._training = training = experiment.training
        shapes = [parameter.shape for parameter in body.parameters()]
        self._sizes = [shape.numel() for shape in shapes]
        # Rows: weights, gradients, average, and the two moments of Adam where it is that.
        rows = 3 if training.optimizer == "sgd" else 5
        self._memory = torch.zeros(rows, sum(map(_padded, self._sizes)))
        self._weights, self._gradients, self._average, *self._moments = (
            _tensors(row, shapes) for row in self._memory
        )
        self._done = torch.zeros(())
        self._averages = average is not None
        self._inside = self._weights + (self._average if self._averages else [])
        networks = [body] if average is None else [body, average]
        self._outside = [p.detach() for network in networks for p in network.parameters()]
        inputs, outputs, batch = shapes[0][1], shapes[-1][0], training.batch
        with torch.inference_mode(False):  # for a block comes from outside
            self.features = _block(places, inputs, batch)
            self.targets = _block(places, batch, outputs).mT
        self._losses = torch.zeros(places)
        # What differs from step to step.
        self._seen = [columns.mT for columns in self.features]
        self._wanted = [columns.mT for columns in self.targets]
        self._lost = list(self._losses)
        self._error, self._delta = _empty(batch, outputs), _empty(batch, outputs)
        self._square = _empty(batch, outputs)
        self._hidden: list[_Hidden] = []
        fed = self._seen[0]
        for width, _ in shapes[:-2:2]:
            self._hidden.append(_Hidden(fed, width, experiment.network.activation))
            fed = self._hidden[-1].value
        # What a layer has made is of no more use once the δ before it is made: less to go through.
        for layer, later in pairwise(self._hidden):
            layer.delta = later.value
        self._run = self._write().compile()

    # --- the protocol ------------------------------------------------------------------------

    @torch.inference_mode()
    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        """Take the steps of a block from place ``first`` on, one for each rate; their losses."""
        part = slice(first, first + len(rates))
        torch._foreach_copy_(self._inside, self._outside)
        moments = self._memory[3:]
        before, done = moments.clone(), self._done.clone()
        try:
            self._run(self._seen[part], self._wanted[part], self._lost[part], rates, blends)
        except BaseException:
            moments.copy_(before)
            self._done.copy_(done)
            raise
        torch._foreach_copy_(self._outside, self._inside)
        losses: NDArray[np.float32] = self._losses[part].numpy().copy()
        if self._training.loss == "mean":
            losses /= np.float32(self._error.numel())
        return losses

    def state(self) -> dict[str, Tensor]:
        """The optimizer's state, named as torch's optimizers name it: ``<parameter>.<name>``."""
        if not self._moments:
            return {}
        state: dict[str, Tensor] = {}
        for name, tensors in zip(("exp_avg", "exp_avg_sq"), self._moments, strict=True):
            state |= {f"{index}.{name}": tensor for index, tensor in enumerate(tensors)}
        return state | {f"{index}.step": self._done for index in range(len(self._weights))}

    @torch.inference_mode()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a saved `state`."""
        for name, mine in self.state().items():
            mine.copy_(state[name])

    # --- one step ----------------------------------------------------------------------------

    def _write(self) -> Script:
        """The operations of a gradient step."""
        do = Script(tensors=("seen", "wanted", "loss"), numbers=("rate", "blend"))
        layers = list(zip(self._weights[::2], self._weights[1::2], strict=True))
        gradients = list(zip(self._gradients[::2], self._gradients[1::2], strict=True))
        fed: list[Tensor | str] = ["seen", *(layer.value for layer in self._hidden)]
        for layer, h, (weight, bias) in zip(self._hidden, fed, layers, strict=False):
            layer.forward(do, h, weight, bias)
        weight, bias = layers[-1]
        do("addmm", bias, fed[-1], weight.t(), out=self._error)
        self._write_loss(do)
        delta = self._delta
        for index in reversed(range(len(layers))):
            by_weight, by_bias = gradients[index]
            do("mm", delta.t(), fed[index], out=by_weight)
            do("sum", delta, [0], out=by_bias)
            if index:
                layer = self._hidden[index - 1]
                do("mm", delta, layers[index][0], out=layer.delta)
                layer.backward(do)
                delta = layer.delta
        self._write_update(do)
        if self._averages:
            weights, _, average, *_ = self._memory.unbind()
            do("lerp_", average, weights, "blend")
        return do

    def _write_loss(self, do: Script) -> None:
        """From the output to its loss L and δ: 2e for Σe², e/L for its root, 2e/n for its mean."""
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
        """Gradients to weights, by torch's own kernels."""
        weights, gradients, _, *moments = (_runs(row, self._sizes) for row in self._memory)
        if not moments:
            do(
                "_fused_sgd_",
                weights,
                gradients,
                [],
                lr="rate",
                momentum=0.0,
                dampening=0.0,
                nesterov=False,
                weight_decay=0.0,
                maximize=False,
                is_first_step=False,
            )
            return
        kernel, decay = {"adam": ("_fused_adam_", 0.0), "adamw": ("_fused_adamw_", 0.01)}[
            self._training.optimizer
        ]
        do("add_", self._done, 1)
        do(
            kernel,
            weights,
            gradients,
            *moments,
            [],
            [self._done] * len(weights),
            lr="rate",
            beta1=0.9,
            beta2=0.999,
            weight_decay=decay,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )


class _Hidden:
    """A hidden layer's z, h = φ(z) and δ, each (batch, width); ``fed`` is like what it is fed.

    ReLU and tanh have their slope from h alone, and h takes the place of z.
    """

    def __init__(self, fed: Tensor, width: int, activation: str) -> None:
        batch = len(fed)
        self._activation = activation
        self._affine = _cheapest_affine(fed, width)
        self.value = _empty(batch, width)
        self.sum = self.value if activation in ("relu", "tanh") else _empty(batch, width)
        self.delta = _empty(batch, width)

    def forward(self, do: Script, fed: Tensor | str, weight: Tensor, bias: Tensor) -> None:
        """From the layer before to h."""
        z, h, relu = self.sum, self.value, self._activation == "relu"
        match self._affine:
            case "mm" if relu:
                do("mm", fed, weight.t(), out=h)
                do("_add_relu", h, bias, out=h)
                return
            case "addcmul":
                do("addcmul", bias, fed, weight.t(), out=z)
            case _:
                do("addmm", bias, fed, weight.t(), out=z)
        if relu:
            do("relu_", h)
        else:
            do(self._activation, z, out=h)

    def backward(self, do: Script) -> None:
        """From ∂loss/∂h to δ = φ'(z) ⊙ ∂loss/∂h."""
        z, h, delta = self.sum, self.value, self.delta
        if self._activation == "relu":
            do("threshold_backward", delta, h, 0, grad_input=delta)
        else:
            do(f"{self._activation}_backward", delta, z, grad_input=delta)


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


def _block(places: int, rows: int, columns: int) -> Tensor:
    """Zeros (places, rows, columns), the matrix of every place beginning a cache line."""
    room = _padded(rows * columns)
    return _empty(places, room)[:, : rows * columns].view(places, rows, columns)


def _cheapest_affine(fed: Tensor, width: int) -> str:
    """The operation that begins b + h Wᵀ at the least cost, and makes of it what ``addmm`` does.

    Whether a product and then a sum are the same to the last bit hangs on the library: it is tried.
    """
    random = torch.Generator().manual_seed(0)
    inputs = fed.shape[1]
    h = torch.empty_like(fed).normal_(generator=random)
    weight, bias = _empty(width, inputs), _empty(width)
    for tensor in (weight, bias):
        tensor.normal_(generator=random)
    exact = torch.addmm(bias, h, weight.t(), out=_empty(len(h), width))
    if inputs == 1 and torch.equal(torch.addcmul(bias, h, weight.t()), exact):
        return "addcmul"
    apart = torch.mm(h, weight.t(), out=_empty(len(h), width)).add_(bias)
    return "mm" if torch.equal(apart, exact) else "addmm"
