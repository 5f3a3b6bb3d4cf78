"""Gradient steps of many multilayer perceptrons of one shape, as one batched computation.

A layer of S networks has one tensor V (S, out, in + 1): its weights, and its biases as the last
column. Points are columns, and an input h (S, in + 1, batch) ends with a row of ones, so a product
includes the bias and its gradient. With δ = ∂loss/∂z and W = V without the biases,

    z = V h,    ∂loss/∂V = δ hᵀ,    ∂loss/∂h = Wᵀ δ,    δ' = φ'(z') ⊙ ∂loss/∂h.

No product and no update mixes two networks, so one that diverges leaves the others as they are.

All memory is allocated once, and a step reads what differs between steps from it, at an index that
the step itself increments: on CUDA one graph holds a step, and the host never waits within a run.
About twenty-five kernels a step, each of which waits for the one before, are what a step of few
networks costs there; so there are as few as torch's operations allow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ...config.experiment import Experiment
from ..steppers.cuda_graph import Capture
from ..steppers.optimizers import ADAM, padded, split
from .batches import StackedBatches

_ALIGNED = 64
"""Floats in 256 bytes, at which the weights of every layer begin."""

_WARM_UP = 3
"""Steps before a capture, in which libraries allocate their memory."""

aten = torch.ops.aten


class StackedStepper:
    """The steps of S networks on the features and targets of their ``batches``.

    ``shapes`` are those of the parameters of one network: weights and biases of every layer.
    ``trained`` (1 or 2, n) holds all weights and, if ``averaged``, their running averages;
    ``moments`` (0 or 2, n) those of Adam, whose number of steps is ``count``. `parameters` finds
    the parameters in such a row. ``capture`` records a step, which is then replayed; without it,
    steps are executed one by one. ``note`` is a message for the user if a graph failed, else ''.
    """

    note = ""

    @torch.no_grad()
    def __init__(
        self,
        experiment: Experiment,
        shapes: Sequence[torch.Size],
        batches: StackedBatches,
        *,
        averaged: bool,
        capture: Capture | None = None,
    ) -> None:
        self._training, self._activation = experiment.training, experiment.network.activation
        self._batches = batches
        cells, device = len(batches.source), batches.source.device
        self._shapes = [torch.Size((cells, rows, inputs + 1)) for rows, inputs in shapes[::2]]
        size = sum(padded(shape.numel(), _ALIGNED) for shape in self._shapes)
        room, sources, _, batch = batches.features.shape

        def memory(*shape: int) -> Tensor:
            return torch.zeros(shape, device=device)

        self.trained = memory(1 + averaged, size)
        self.moments = memory(2 * (self._training.optimizer != "sgd"), size)
        self.count = memory()
        self._gradient, self._change = memory(size), memory(size)
        self._layers, self._gradients = self.layers(self.trained[0]), self.layers(self._gradient)
        # The cell of every weight.
        self._owner = torch.zeros(size, dtype=torch.int32, device=device)
        for layer in self.layers(self._owner):
            layer += torch.arange(cells, device=device)[:, None, None]
        # The data that differ between steps: rows of the held batches, rates and blends.
        self._rows = torch.arange(room, device=device)[:, None] * sources + batches.source
        self._numbers = memory(room, 2, cells)
        self._losses = memory(room, cells)
        self._place = torch.zeros(1, dtype=torch.long, device=device)
        self._error = memory(cells, batches.targets.shape[2], batch)
        self._sums = [memory(cells, s[1], batch) for s in self._shapes[:-1]]
        self._deltas = [torch.zeros_like(z) for z in self._sums]
        self._hidden = [memory(cells, s[1] + 1, batch).fill_(1) for s in self._shapes[:-1]]
        self._replay: Callable[[], object] = self._step
        if capture is not None:
            self._replay = capture(self._warm_up, self._step, device)
            # The warm-up must not train.
            for changed in (self.trained, self.moments, self.count):
                changed.zero_()

    # --- memory ------------------------------------------------------------------------------

    def layers(self, row: Tensor) -> list[Tensor]:
        """Split a row of memory into one tensor for each layer, (cells, out, in + 1)."""
        return split(row, self._shapes, _ALIGNED)

    def parameters(self, row: Tensor) -> list[Tensor]:
        """Return the weights (cells, out, in) and biases (cells, out) of every layer in turn."""
        return [part for v in self.layers(row) for part in (v[..., :-1], v[..., -1])]

    def of_weights(self, values: Tensor) -> Tensor:
        """Return the value of its cell for every weight: (cells,) to (n,)."""
        return values.index_select(0, self._owner)

    # --- runs of steps -----------------------------------------------------------------------

    @torch.no_grad()
    def run(self, first: int, numbers: Tensor) -> None:
        """Take the steps from index ``first`` of the held batches on.

        ``numbers`` (steps, 2, cells) are the learning rates, and the weights of the new parameters
        in their running average. Does not wait for the device.
        """
        self._numbers[first : first + len(numbers)].copy_(numbers)
        self._place.fill_(first)
        for _ in range(len(numbers)):
            self._replay()

    def losses(self, first: int, count: int) -> Tensor:
        """Return the losses before each of these steps, (count, cells), on the CPU."""
        return self._losses[first : first + count].cpu()

    # --- one step ----------------------------------------------------------------------------

    def _warm_up(self) -> None:
        for _ in range(_WARM_UP):
            self._place.zero_()
            self._step()
        self._place.zero_()

    def _step(self) -> None:
        """Take the step at the current index and increment the index."""
        features, targets = self._batches.features, self._batches.targets
        rows = self._rows.index_select(0, self._place)[0]
        h = features.flatten(0, 1).index_select(0, rows)
        torch.index_select(targets.flatten(0, 1), 0, rows, out=self._error)
        inputs = [h, *self._hidden]
        for v, z, x, h in zip(self._layers, self._sums, inputs, self._hidden, strict=False):
            torch.bmm(v, x, out=z)
            self._activate(z, h[:, :-1])
        self._error.baddbmm_(self._layers[-1], inputs[-1], beta=-1)
        loss, delta = self._loss()
        for index in reversed(range(len(self._layers))):
            torch.bmm(delta, inputs[index].mT, out=self._gradients[index])
            if index:
                below = self._deltas[index - 1]
                torch.bmm(self._layers[index][..., :-1].mT, delta, out=below)
                delta = below
                self._slope(delta, self._sums[index - 1], self._hidden[index - 1][:, :-1])
        # The rate and the blend of each weight are those of its cell.
        numbers = self._numbers.index_select(0, self._place)[0, : len(self.trained)]
        rate, *blend = numbers.index_select(1, self._owner)
        self._descend(rate)
        if blend:
            self.trained[1].lerp_(self.trained[0], blend[0])
        self._losses.index_copy_(0, self._place, loss[None])
        self._place += 1

    def _activate(self, z: Tensor, h: Tensor) -> None:
        """Write φ(z) to h."""
        match self._activation:
            case "relu":
                torch.clamp_min(z, 0, out=h)
            case "gelu":
                h.copy_(aten.gelu(z))  # torch writes it wrongly to a part of a tensor
            case name:
                getattr(aten, name).out(z, out=h)

    def _slope(self, delta: Tensor, z: Tensor, h: Tensor) -> None:
        """Multiply ∂loss/∂h by φ'(z) in place; that of tanh follows from h."""
        match self._activation:
            case "relu":
                aten.threshold_backward.grad_input(delta, z, 0, grad_input=delta)
            case "tanh":
                aten.tanh_backward.grad_input(delta, h, grad_input=delta)
            case name:
                getattr(aten, f"{name}_backward").grad_input(delta, z, grad_input=delta)

    def _loss(self) -> tuple[Tensor, Tensor]:
        """Return the loss L of each cell and δ: 2e for Σe², e/L for its root, 2e/n for its mean."""
        error = self._error
        norm = torch.linalg.vector_norm(error, dim=(1, 2))
        match self._training.loss:
            case "norm":
                return norm, error.div_(norm[:, None, None])
            case "mean":
                count = error[0].numel()
                return norm.square() / count, error.mul_(2 / count)
            case _:
                return norm.square(), error.mul_(2)

    def _descend(self, rate: Tensor) -> None:
        """Update the weights; torch's kernel for Adam knows one rate, so it gives Δ for rate 1."""
        weights, optimizer = self.trained[0], self._training.optimizer
        if optimizer == "sgd":
            weights.addcmul_(self._gradient, rate, value=-1)
            return
        kernel, options = ADAM["adam"]
        if decay := ADAM[optimizer][1]["weight_decay"]:
            weights.addcmul_(weights, rate, value=-decay)
        self.count += 1
        change, gradient, *moments = (
            [row] for row in (self._change.zero_(), self._gradient, *self.moments)
        )
        getattr(torch, kernel)(change, gradient, *moments, [], [self.count], lr=1.0, **options)
        weights.addcmul_(self._change, rate)


def make_stacked_stepper(
    experiment: Experiment,
    shapes: Sequence[torch.Size],
    batches: StackedBatches,
    *,
    averaged: bool,
    capture: Capture | None,
) -> StackedStepper:
    """Return a stepper; if ``capture`` fails, one that takes its steps one by one, with a note."""
    if capture is not None:
        try:
            return StackedStepper(experiment, shapes, batches, averaged=averaged, capture=capture)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # drivers raise anything, and there is a fallback
            reason = " ".join(str(error).split())[:120] or type(error).__name__
    # Only now, because the error holds the memory of the failed recording.
    stepper = StackedStepper(experiment, shapes, batches, averaged=averaged)
    if capture is not None:
        stepper.note = f"without a CUDA graph, which cannot be recorded ({reason})"
    return stepper
