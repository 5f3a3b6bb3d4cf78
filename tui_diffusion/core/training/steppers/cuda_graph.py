"""Gradient steps on a CUDA device as one recorded graph, which the host only sets off.

A step of a small network is some forty kernels of a few microseconds; what takes the time is that
the host calls them one after another. A CUDA graph records them once, with the memory they work on,
and plays them again for the price of one call. Nothing in it may come from the host, so whatever
differs from step to step lies in memory on the device: the batches of a block, a learning rate and
a blend for each of its steps, and the place in the block, which the graph itself moves on. Losses
are left on the device too, and read once a run of steps: within one, the host never waits.

The steps are those of `PlainStepper`, by autograd and with the same kernels of torch's optimizers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...config.experiment import Experiment
from .autograd import loss_of

Work = Callable[[], None]
Capture = Callable[[Work, Work, torch.device], Callable[[], object]]
"""Given a warm-up and work on a device: does the one, records the other, returns what plays it."""

_WARM_UP = 3
"""Steps taken before one is recorded, so that libraries have set up all that they need."""

_ALIGNED = 64
"""Floats in 256 bytes, at which every matrix begins, as if it had been allocated alone."""


def capture(warm_up: Work, work: Work, device: torch.device) -> Callable[[], object]:
    """`Capture` by torch, on a stream of its own, as its notes on CUDA graphs ask for.

    Other threads, such as one that samples, may use the device meanwhile: "thread_local".
    """
    with torch.cuda.device(device):
        usual, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        graph = torch.cuda.CUDAGraph()
        aside.wait_stream(usual)
        try:
            # A recording that fails does not put the stream back; leaving this block does.
            with torch.cuda.stream(aside):
                warm_up()
                with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):
                    work()
        finally:
            usual.wait_stream(aside)
    return graph.replay


class GraphStepper:
    """A `Stepper` that plays a recorded step; raises what ``capture`` raises.

    The weights move into one stretch of memory, of which the body's parameters become views, and so
    do their average and the moments of Adam: what works on all of them is then one kernel.
    """

    note = ""

    def __init__(
        self,
        experiment: Experiment,
        body: nn.Module,
        average: nn.Module | None,
        places: int,
        capture: Capture = capture,
    ) -> None:
        training = self._training = experiment.training
        self._body = body
        self._weights = list(body.parameters())
        inputs, device = self._weights[0].shape[1], self._weights[0].device
        # Rows: weights, their average, and the two moments of Adam.
        self._memory = torch.zeros((4, sum(map(_room, self._weights))), device=device)
        _move(self._weights, self._memory[0])
        if average is not None:
            _move(list(average.parameters()), self._memory[1])
        self._averaged = average is not None
        self._moments = [_views(self._weights, row) for row in self._memory[2:]]
        self._count = torch.zeros((), device=device)
        self.features = torch.zeros((places, inputs, training.batch), device=device)
        self.targets = torch.zeros((places, experiment.dim, training.batch), device=device)
        self._numbers = torch.zeros((places, 2), device=device)
        self._losses = torch.zeros(places, device=device)
        self._place = torch.zeros(1, dtype=torch.long, device=device)
        before = self._memory.clone()
        try:
            self._replay = capture(self._warm_up, self._step, device)
        finally:
            # To warm up is not to train.
            self._memory.copy_(before)
            self._count.zero_()

    # --- the protocol ------------------------------------------------------------------------

    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        """Take the steps of the block from place ``first`` on; their losses."""
        part = slice(first, first + len(rates))
        self._numbers[part].copy_(torch.tensor([rates, blends]).T)
        self._place.fill_(first)
        for _ in rates:
            self._replay()
        losses: NDArray[np.float32] = self._losses[part].cpu().numpy()
        return losses.copy()

    def state(self) -> dict[str, Tensor]:
        """The optimizer's state, named as torch's optimizers name it: ``<parameter>.<name>``."""
        if self._training.optimizer == "sgd":
            return {}
        return {
            f"{index}.{name}": value
            for name, values in zip(("exp_avg", "exp_avg_sq"), self._moments, strict=True)
            for index, value in enumerate(values)
        } | {f"{index}.step": self._count for index in range(len(self._weights))}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a saved `state`, in place: the graph knows this memory alone."""
        self._memory[2:].zero_()
        self._count.zero_()
        for name, mine in self.state().items():
            if name in state:
                mine.copy_(state[name])

    # --- one step ----------------------------------------------------------------------------

    def _warm_up(self) -> None:
        """A few steps at the first place, for a block may have no other."""
        for _ in range(_WARM_UP):
            self._place.zero_()
            self._step()
        self._place.zero_()

    def _step(self) -> None:
        """The step at the place of the block where this stands, and on to the next place."""
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
        """Gradients to weights, by the kernels behind torch's fused optimizers."""
        weights = [w.detach() for w in self._weights]
        if self._training.optimizer == "sgd":
            torch._fused_sgd_(
                weights,
                gradients,
                [],
                weight_decay=0.0,
                momentum=0.0,
                lr=rate,
                dampening=0.0,
                nesterov=False,
                maximize=False,
                is_first_step=False,
            )
            return
        self._count += 1
        kernel, decay = {
            "adam": (torch._fused_adam_, 0.0),
            "adamw": (torch._fused_adamw_, 0.01),
        }[self._training.optimizer]
        first, second = self._moments
        kernel(
            weights,
            gradients,
            first,
            second,
            [],
            [self._count] * len(weights),
            lr=rate,
            beta1=0.9,
            beta2=0.999,
            weight_decay=decay,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )


def _room(weight: Tensor) -> int:
    """Floats that a weight takes up in a row of memory."""
    return -(-weight.numel() // _ALIGNED) * _ALIGNED


def _views(weights: Sequence[Tensor], row: Tensor) -> list[Tensor]:
    """A row of memory as one tensor for each weight, of its shape."""
    parts = torch.split(row, [_room(w) for w in weights])
    return [part[: w.numel()].view(w.shape) for part, w in zip(parts, weights, strict=True)]


def _move(weights: Sequence[Tensor], row: Tensor) -> None:
    """Move weights to a row of memory."""
    for weight, view in zip(weights, _views(weights, row), strict=True):
        view.copy_(weight.detach())
        weight.data = view
