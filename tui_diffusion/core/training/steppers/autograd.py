"""Training steps by plain autograd, the reference for every other stepper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...config.experiment import Experiment
from ...networks import OwnBody


def loss_of(kind: str, error: Tensor) -> Tensor:
    """Return the loss of a batch with residuals ``error`` (n, d).

    ``kind``: the sum of squares, the 2-norm, or the mean of squares.
    """
    match kind:
        case "sum":
            return error.square().sum()
        case "norm":
            return error.square().sum().sqrt()
        case _:
            return error.square().mean()


class PlainStepper:
    """A `Stepper` with autograd and torch's optimizers, on any device."""

    note = ""

    def __init__(
        self, experiment: Experiment, body: nn.Module, average: nn.Module | None, capacity: int
    ) -> None:
        self._loss = experiment.training.loss
        self._body = body
        self._weights = list(body.parameters())
        self._average = list(average.parameters()) if average is not None else []
        # Only a module of someone else has buffers, such as the moments of a batch norm.
        buffers = average.buffers() if average is not None else ()
        self._buffers = list(zip(buffers, body.buffers(), strict=False))
        kinds: dict[str, Any] = {
            "sgd": torch.optim.SGD,
            "adam": torch.optim.Adam,
            "adamw": torch.optim.AdamW,
        }
        self._optimizer: torch.optim.Optimizer = kinds[experiment.training.optimizer](
            self._weights, lr=0.0, fused=True
        )
        inputs = body.inputs if isinstance(body, OwnBody) else self._weights[0].shape[1]
        batch = experiment.training.batch
        device = self._weights[0].device
        self.features = torch.zeros((capacity, inputs, batch), device=device)
        self.targets = torch.zeros((capacity, experiment.dim, batch), device=device)

    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        losses = []
        self._body.train()
        for index, (rate, blend) in enumerate(zip(rates, blends, strict=True), first):
            self._optimizer.param_groups[0]["lr"] = rate
            self._optimizer.zero_grad()
            output = self._body(self.features[index].mT)
            loss = loss_of(self._loss, output - self.targets[index].mT)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            if self._average:
                torch._foreach_lerp_(
                    [p.data for p in self._average], [p.data for p in self._weights], blend
                )
            losses.append(loss.detach())
        self._body.eval()
        for averaged, buffer in self._buffers:
            averaged.copy_(buffer)
        values: NDArray[np.float32] = torch.stack(losses).cpu().numpy()
        return values

    def state(self) -> dict[str, Tensor]:
        return {
            f"{index}.{name}": torch.as_tensor(value)
            for index, values in self._optimizer.state_dict()["state"].items()
            for name, value in values.items()
            if value is not None
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        saved = self._optimizer.state_dict()
        device = self._weights[0].device
        for name, value in state.items():
            index, key = name.split(".")
            saved["state"].setdefault(int(index), {})[key] = value.to(device)
        self._optimizer.load_state_dict(saved)
