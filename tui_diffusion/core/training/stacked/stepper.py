"""Gradient steps of many multilayer perceptrons of one shape, as one batched computation.

A layer of S networks has weights W (S, out, in) and biases b (S, out, 1); points are columns, so
with an input h (S, in, batch) and δ = ∂loss/∂z,

    z = W h + b,    ∂loss/∂W = δ hᵀ,    ∂loss/∂b = Σ δ over the batch,
    ∂loss/∂h = Wᵀ δ,    δ' = φ'(z') ⊙ ∂loss/∂h.

No product, sum or update mixes two networks, so one that diverges leaves the others as they are.

All memory is allocated once, and a step reads what differs between steps from it, at an index that
the step itself increments: on CUDA one graph holds a step, and the host never waits within a run.
"""

from __future__ import annotations

from collections.abc import Sequence

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

    ``shapes`` are those of the parameters of one network, W and b of every layer. ``trained``
    (1 or 2, n) holds all weights and, if ``averaged``, their running averages; ``moments`` (0 or 2,
    n) those of Adam, whose number of steps is ``count``. Within a row, a parameter of all networks
    is one contiguous tensor; `views` returns them. ``capture`` records a step, which is then
    replayed; without it, steps are executed one by one.
    """

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
        self._shapes = [torch.Size((cells, *shape)) for shape in shapes]
        size = sum(padded(shape.numel(), _ALIGNED) for shape in self._shapes)
        self.trained = torch.zeros((1 + averaged, size), device=device)
        self.moments = torch.zeros((2 * (self._training.optimizer != "sgd"), size), device=device)
        self.count = torch.zeros((), device=device)
        self._gradient, self._update = (torch.zeros(size, device=device) for _ in range(2))
        # The cell of every weight.
        self._owner = torch.zeros(size, dtype=torch.int32, device=device)
        for view in self.views(self._owner):
            view += torch.arange(cells, device=device).view(-1, *[1] * (view.ndim - 1))
        room, outputs, batch = (batches.targets.shape[axis] for axis in (0, 2, 3))
        self._numbers = torch.zeros((room, 2, cells), device=device)
        self._losses = torch.zeros((room, cells), device=device)
        self._place = torch.zeros(1, dtype=torch.long, device=device)
        self._hidden = [torch.zeros((cells, s[0], batch), device=device) for s in shapes[:-2:2]]
        # Only the slopes of ReLU and tanh follow from the activations alone.
        overwrites = self._activation in ("relu", "tanh")
        self._sums = [h if overwrites else torch.zeros_like(h) for h in self._hidden]
        self._deltas = [torch.zeros_like(h) for h in self._hidden]
        self._error = torch.zeros((cells, outputs, batch), device=device)
        parameters, gradients = self.views(self.trained[0]), self.views(self._gradient)
        self._weights, self._biases = parameters[::2], [b[..., None] for b in parameters[1::2]]
        self._by_weight, self._by_bias = gradients[::2], gradients[1::2]
        self._replay = self._step
        if capture is not None:
            self._replay = capture(self._warm_up, self._step, device)
            # The warm-up must not train.
            for memory in (self.trained, self.moments, self.count):
                memory.zero_()

    def views(self, row: Tensor) -> list[Tensor]:
        """Split a row of memory into one tensor per parameter, (cells, …)."""
        return split(row, self._shapes, _ALIGNED)

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
        held, source = self._batches, self._batches.source
        rows = self._place * held.features.shape[1] + source
        seen, wanted = (
            block.flatten(0, 1).index_select(0, rows) for block in (held.features, held.targets)
        )
        weights, biases = self._weights, self._biases
        inputs = [seen, *self._hidden]
        for z, h, x, weight, bias in zip(
            self._sums, self._hidden, inputs, weights, biases, strict=False
        ):
            torch.baddbmm(bias, weight, x, out=z)
            self._activate(z, h)
        torch.baddbmm(biases[-1], weights[-1], inputs[-1], out=self._error)
        loss, delta = self._loss(wanted)
        for index in reversed(range(len(weights))):
            torch.bmm(delta, inputs[index].mT, out=self._by_weight[index])
            torch.sum(delta, 2, out=self._by_bias[index])
            if index:
                below = self._deltas[index - 1]
                torch.bmm(weights[index].mT, delta, out=below)
                delta = below
                self._slope(delta, self._sums[index - 1])
        # The rate and the blend of each weight are those of its cell.
        numbers = self._numbers.index_select(0, self._place)[0, : len(self.trained)]
        rate, *blend = numbers.index_select(1, self._owner)
        self._descend(rate)
        if blend:
            self.trained[1].lerp_(self.trained[0], blend[0])
        self._losses.index_copy_(0, self._place, loss[None])
        self._place += 1

    def _activate(self, z: Tensor, h: Tensor) -> None:
        if self._activation == "relu":
            h.relu_()
        elif self._activation == "tanh":
            h.tanh_()
        else:
            getattr(aten, self._activation).out(z, out=h)

    def _slope(self, delta: Tensor, z: Tensor) -> None:
        """Multiply ∂loss/∂h by φ'(z) in place; for ReLU and tanh, ``z`` holds h."""
        if self._activation == "relu":
            aten.threshold_backward.grad_input(delta, z, 0, grad_input=delta)
        else:
            getattr(aten, f"{self._activation}_backward").grad_input(delta, z, grad_input=delta)

    def _loss(self, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss L of each cell and δ: 2e for Σe², e/L for its root, 2e/n for its mean."""
        error = self._error.sub_(wanted)
        loss = error.square().sum((1, 2))
        match self._training.loss:
            case "norm":
                loss = loss.sqrt()
                return loss, error.div_(loss[:, None, None])
            case "mean":
                each = error[0].numel()
                return loss / each, error.mul_(2 / each)
            case _:
                return loss, error.mul_(2)

    def _descend(self, rate: Tensor) -> None:
        """Update the weights; torch's kernel for Adam knows one rate, so it gives Δ for rate 1."""
        weights, optimizer = self.trained[0], self._training.optimizer
        if optimizer == "sgd":
            weights.addcmul_(self._gradient, rate, value=-1)
            return
        _, decays = ADAM[optimizer]
        if decays["weight_decay"]:
            weights.addcmul_(weights, rate, value=-decays["weight_decay"])
        options = {**decays, "weight_decay": 0.0}
        self.count += 1
        change = [self._update.zero_()]
        moments = [[row] for row in self.moments]
        torch._fused_adam_(change, [self._gradient], *moments, [], [self.count], lr=1.0, **options)
        weights.addcmul_(change[0], rate)
