"""Gradient steps on a CUDA device as one captured graph, which the host only launches.

A step of a small network is about forty kernels of a few microseconds; most of the time goes into
launching them one by one. A CUDA graph captures them once, with their memory, and replays them for
the cost of one launch. It can take no input from the host, so the data that differ between steps
lie in memory on the device: the batches of a block, a learning rate and a blend for each step, and
the index of the step, which the graph itself increments. Losses stay on the device too and are read
once per run of steps; within a run, the host never waits.

The steps are those of `PlainStepper`, by autograd and with the kernels of torch's optimizers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...config.experiment import Experiment
from .autograd import loss_of
from .optimizers import ADAM, SGD, padded, split, state_of

Work = Callable[[], None]
Capture = Callable[[Work, Work, torch.device], Callable[[], object]]
"""A function of (warm-up, work, device) that runs the first, captures the second and returns its
replay."""

_WARM_UP = 3
"""Steps before the capture, in which libraries allocate their memory."""

_ALIGNED = 64
"""Floats in 256 bytes, the alignment of a separate allocation, at which every matrix begins."""


def capture(warm_up: Work, work: Work, device: torch.device) -> Callable[[], object]:
    """Capture a CUDA graph on a side stream, as torch's notes on CUDA graphs require.

    The mode "thread_local" lets other threads, such as one that samples, use the device meanwhile.
    """
    with torch.cuda.device(device):
        usual, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        graph = torch.cuda.CUDAGraph()
        aside.wait_stream(usual)
        try:
            # A failed capture does not restore the stream; leaving this block does.
            with torch.cuda.stream(aside):
                warm_up()
                with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):
                    work()
        finally:
            usual.wait_stream(aside)
    return graph.replay


class GraphStepper:
    """A `Stepper` that replays a captured step; raises what ``capture`` raises.

    The weights move into one block of memory, of which the body's parameters become views, together
    with their average and the moments of Adam: one kernel then updates all of them.
    """

    note = ""

    def __init__(
        self,
        experiment: Experiment,
        body: nn.Module,
        average: nn.Module | None,
        capacity: int,
        capture: Capture = capture,
    ) -> None:
        training = self._training = experiment.training
        self._body = body
        self._weights = list(body.parameters())
        inputs, device = self._weights[0].shape[1], self._weights[0].device
        # Rows: weights, their average, and the two moments of Adam.
        self._memory = torch.zeros(
            (4, sum(padded(w.numel(), _ALIGNED) for w in self._weights)), device=device
        )
        _move(self._weights, self._memory[0])
        if average is not None:
            _move(list(average.parameters()), self._memory[1])
        self._averaged = average is not None
        self._moments = [_views(self._weights, row) for row in self._memory[2:]]
        self._count = torch.zeros((), device=device)
        self.features = torch.zeros((capacity, inputs, training.batch), device=device)
        self.targets = torch.zeros((capacity, experiment.dim, training.batch), device=device)
        self._numbers = torch.zeros((capacity, 2), device=device)
        self._losses = torch.zeros(capacity, device=device)
        self._place = torch.zeros(1, dtype=torch.long, device=device)
        before = self._memory.clone()
        try:
            self._replay = capture(self._warm_up, self._step, device)
        finally:
            # The warm-up must not train.
            self._memory.copy_(before)
            self._count.zero_()

    # --- the protocol ------------------------------------------------------------------------

    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        """Take the steps of the block from ``first`` on, one per rate; return their losses."""
        part = slice(first, first + len(rates))
        self._numbers[part].copy_(torch.tensor([rates, blends]).T)
        self._place.fill_(first)
        for _ in rates:
            self._replay()
        losses: NDArray[np.float32] = self._losses[part].cpu().numpy()
        return losses.copy()

    def state(self) -> dict[str, Tensor]:
        """Return the optimizer's state by torch's names for it: ``<parameter>.<name>``."""
        return {} if self._training.optimizer == "sgd" else state_of(self._moments, self._count)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore a saved `state` in place, because the graph is bound to this memory."""
        self._memory[2:].zero_()
        self._count.zero_()
        for name, mine in self.state().items():
            if name in state:
                mine.copy_(state[name])

    # --- one step ----------------------------------------------------------------------------

    def _warm_up(self) -> None:
        """Take a few steps at the first index, because a block may have no other."""
        for _ in range(_WARM_UP):
            self._place.zero_()
            self._step()
        self._place.zero_()

    def _step(self) -> None:
        """Take the step at the current index of the block and increment the index."""
        features, targets = (
            block.index_select(0, self._place)[0].mT for block in (self.features, self.targets)
        )
        rate, blend = self._numbers.index_select(0, self._place)[0].unbind()
        with torch.enable_grad():
            loss = loss_of(self._training.loss, self._body(features) - targets)
            gradients = torch.autograd.grad(loss, self._weights)
        with torch.no_grad():
            self._update(list(gradients), rate)
            if self._averaged:
                self._memory[1].lerp_(self._memory[0], blend)
            self._losses.index_copy_(0, self._place, loss.detach()[None])
            self._place += 1

    def _update(self, gradients: list[Tensor], rate: Tensor) -> None:
        """Update the weights from the gradients, with the kernels of torch's fused optimizers."""
        weights = [w.detach() for w in self._weights]
        if self._training.optimizer == "sgd":
            torch._fused_sgd_(weights, gradients, [], lr=rate, **SGD)
            return
        self._count += 1
        kernel, options = ADAM[self._training.optimizer]
        counts = [self._count] * len(weights)
        getattr(torch, kernel)(weights, gradients, *self._moments, [], counts, lr=rate, **options)


def _views(weights: Sequence[Tensor], row: Tensor) -> list[Tensor]:
    """Split a row of memory into one tensor per weight, of its shape."""
    return split(row, [weight.shape for weight in weights], _ALIGNED)


def _move(weights: Sequence[Tensor], row: Tensor) -> None:
    """Move weights into a row of memory."""
    for weight, view in zip(weights, _views(weights, row), strict=True):
        view.copy_(weight.detach())
        weight.data = view
