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
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...config.experiment import Experiment
from .torchscript import Script

_LINE = 16
"""Floats in a cache line, at which every tensor begins, so that results do not hang on chance."""


class FastStepper:
    """A `Stepper` without autograd; ``body`` is what `networks.mlp` makes, on the CPU.

    A run of steps takes the weights from ``body`` (and their average from ``average``) and brings
    them back at its end; one that is broken off, as by the keyboard, never happened, or is whole
    but for its losses. All memory is of torch's inference mode, in which calls cost least.
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
        networks = [body] if average is None else [body, average]
        self._shapes = shapes = [parameter.shape for parameter in body.parameters()]
        room = sum(_padded(shape.numel()) for shape in shapes)
        # In rows: the weights, and their average where there is one; the moments of Adam.
        self._trained = torch.zeros(len(networks), room)
        self._gradient = torch.zeros(room)
        self._moments = torch.zeros(0 if training.optimizer == "sgd" else 2, room)
        self._done = torch.zeros(())
        self._inside = [weight for row in self._trained for weight in _tensors(row, shapes)]
        self._outside = [p.detach() for network in networks for p in network.parameters()]
        inputs, outputs, batch = shapes[0][1], shapes[-1][0], training.batch
        with torch.inference_mode(False):  # a block is drawn by what knows nothing of that mode
            self.features = _block(places, inputs, batch)
            self.targets = _block(places, batch, outputs).mT
        self._losses = torch.zeros(places)
        # What differs from step to step.
        self._seen = [columns.mT for columns in self.features]
        self._wanted = [columns.mT for columns in self.targets]
        self._lost = list(self._losses)
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
        """Take the steps of a block from place ``first`` on, one for each rate; their losses."""
        part = slice(first, first + len(rates))
        torch._foreach_copy_(self._inside, self._outside)
        moments, done = self._moments.clone(), self._done.clone()
        try:
            self._run(self._seen[part], self._wanted[part], self._lost[part], rates, blends)
        except BaseException:
            self._moments.copy_(moments)
            self._done.copy_(done)
            raise
        torch._foreach_copy_(self._outside, self._inside)
        losses: NDArray[np.float32] = self._losses[part].numpy().copy()
        if self._training.loss == "mean":
            losses /= np.float32(self._error.numel())
        return losses

    def state(self) -> dict[str, Tensor]:
        """The optimizer's state, named as torch's optimizers name it: ``<parameter>.<name>``."""
        state: dict[str, Tensor] = {}
        for name, row in zip(("exp_avg", "exp_avg_sq"), self._moments, strict=False):
            moments = enumerate(_tensors(row, self._shapes))
            state |= {f"{index}.{name}": moment for index, moment in moments}
            state |= {f"{index}.step": self._done for index in range(len(self._shapes))}
        return state

    @torch.inference_mode()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a saved `state`."""
        for name, mine in self.state().items():
            mine.copy_(state[name])

    # --- one step ----------------------------------------------------------------------------

    def _write(self) -> Script:
        """The operations of a gradient step."""
        do, shapes = Script(("seen", "wanted", "loss"), ("rate", "blend")), self._shapes
        layers, gradients = _pairs(self._trained[0], shapes), _pairs(self._gradient, shapes)
        made = [layer.value for layer in self._hidden]
        fed: list[Tensor | str] = ["seen", *made]
        for layer, h, (weight, bias) in zip(self._hidden, fed, layers, strict=False):
            layer.forward(do, h, weight, bias)
        weight, bias = layers[-1]
        do("addmm", bias, fed[-1], weight.t(), out=self._error)
        self._write_loss(do)
        # A layer's δ takes the place of what the next one has made, which is of no more use then.
        room = [*made[1:], _empty(*made[-1].shape)]
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
        rows = (self._trained[0], self._gradient, *self._moments)
        weights, gradients, *moments = (_runs(row, self._shapes) for row in rows)
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
    """A hidden layer's z and h = φ(z), each (batch, width).

    ReLU and tanh have their slope from h alone, and h takes the place of z.
    """

    def __init__(self, batch: int, width: int, activation: str) -> None:
        self._activation = activation
        self.value = _empty(batch, width)
        self.sum = self.value if activation in ("relu", "tanh") else _empty(batch, width)

    def forward(self, do: Script, fed: Tensor | str, weight: Tensor, bias: Tensor) -> None:
        """From the layer before to h."""
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
        """From ∂loss/∂h to δ = φ'(z) ⊙ ∂loss/∂h, in its place."""
        if self._activation == "relu":
            do("threshold_backward", delta, self.value, 0, grad_input=delta)
        else:
            do(f"{self._activation}_backward", delta, self.sum, grad_input=delta)


@cache
def _needs_no_product(batch: int, width: int) -> bool:
    """Whether b + h wᵀ of one input is number by number what ``addmm`` makes of it.

    It is where both round once, which hangs on how they were compiled: it is tried.
    """
    random = torch.Generator().manual_seed(0)
    bias, row = torch.randn((2, width), generator=random)
    h = torch.randn((batch, 1), generator=random)
    return torch.equal(torch.addcmul(bias, h, row), torch.addmm(bias, h, row[None]))


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


def _pairs(row: Tensor, shapes: list[torch.Size]) -> list[tuple[Tensor, Tensor]]:
    """A row of memory as W and b of every layer."""
    tensors = _tensors(row, shapes)
    return list(zip(tensors[::2], tensors[1::2], strict=True))


def _runs(row: Tensor, shapes: list[torch.Size]) -> list[Tensor]:
    """The same memory as few tensors: one ends where a parameter ends within a line.

    A kernel may round the last numbers of a tensor, short of a line, in a way of their own.
    """
    runs, start, stop = [], 0, 0
    for size in (shape.numel() for shape in shapes):
        end, stop = stop + size, stop + _padded(size)
        if end < stop or stop == len(row):
            runs.append(row[start:end])
            start = stop
    return runs


def _block(places: int, rows: int, columns: int) -> Tensor:
    """Zeros (places, rows, columns), the matrix of every place beginning a cache line."""
    room = _padded(rows * columns)
    return _empty(places, room)[:, : rows * columns].view(places, rows, columns)
