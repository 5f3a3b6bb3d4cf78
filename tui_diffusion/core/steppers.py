"""What takes gradient steps: the plain way that every network can go, and the choice of a faster.

A `Stepper` trains one body of a network. A block of batches is drawn into its memory, and it is
told to take some of the steps; when it returns, the body's parameters are the trained ones. Which
one is chosen hangs on the device and on what torch can do there, not on the experiment, and where a
run of steps begins and ends changes no loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .experiment import Experiment
from .fast import FastStepper
from .script import ScriptError

if TYPE_CHECKING:
    from .cuda_graph import Capture


class Stepper(Protocol):
    """See the module's docstring.

    The block goes to ``features`` (places, inputs, batch) and ``targets`` (places, d, batch).
    ``note`` is what a person should know of how it steps, mostly nothing.
    """

    features: Tensor
    targets: Tensor
    note: str

    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        """Take the steps of the block from its ``first`` on; their losses, from before each step.

        Each has a learning rate, and its blend: the share of the way to the new weights that their
        average goes.
        """
        ...

    def state(self) -> dict[str, Tensor]:
        """The optimizer's state, named as torch's optimizers name it: ``<parameter>.<name>``."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a saved `state`; the weights are the body's own."""
        ...


def make_stepper(
    experiment: Experiment,
    body: nn.Module,
    average: nn.Module | None,
    places: int,
    *,
    plain: bool = False,
) -> Stepper:
    """The stepper for a body on its device, for blocks of up to ``places`` steps.

    ``average`` is where a running average of the weights goes. ``plain``: the reference, always.
    """
    kind = next(body.parameters()).device.type
    if kind == "cuda" and not plain:
        return graph_stepper(experiment, body, average, places)
    if kind == "cpu" and not plain:
        return script_stepper(experiment, body, average, places)
    return PlainStepper(experiment, body, average, places)


def script_stepper(
    experiment: Experiment, body: nn.Module, average: nn.Module | None, places: int
) -> Stepper:
    """Steps in closed form, or the plain ones with a note where they cannot be compiled."""
    try:
        return FastStepper(experiment, body, average, places)
    except ScriptError as error:
        stepper = PlainStepper(experiment, body, average, places)
        stepper.note = f"with autograd, for its steps cannot be compiled ({_line(error)})"
        return stepper


def graph_stepper(
    experiment: Experiment,
    body: nn.Module,
    average: nn.Module | None,
    places: int,
    capture: Capture | None = None,
) -> Stepper:
    """Steps recorded as a CUDA graph, or the plain ones with a note where that cannot be done."""
    from .cuda_graph import GraphStepper
    from .cuda_graph import capture as record

    try:
        return GraphStepper(experiment, body, average, places, capture or record)
    except Exception as error:  # whatever a driver says, there is another way
        stepper = PlainStepper(experiment, body, average, places)
        stepper.note = f"without a CUDA graph, which cannot be recorded ({_line(error)})"
        return stepper


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def loss_of(kind: str, error: Tensor) -> Tensor:
    """The loss of a batch: its sum of squares, 2-norm, or mean of squares. ``error`` is (n, d)."""
    match kind:
        case "sum":
            return error.square().sum()
        case "norm":
            return error.square().sum().sqrt()
        case _:
            return error.square().mean()


class PlainStepper:
    """Gradients by autograd, steps by torch's optimizers, on any device."""

    note = ""

    def __init__(
        self, experiment: Experiment, body: nn.Module, average: nn.Module | None, places: int
    ) -> None:
        self._loss = experiment.training.loss
        self._body = body
        self._weights = list(body.parameters())
        self._average = list(average.parameters()) if average is not None else []
        kinds: dict[str, Any] = {
            "sgd": torch.optim.SGD,
            "adam": torch.optim.Adam,
            "adamw": torch.optim.AdamW,
        }
        self._optimizer: torch.optim.Optimizer = kinds[experiment.training.optimizer](
            self._weights, lr=0.0, fused=True
        )
        inputs, batch = self._weights[0].shape[1], experiment.training.batch
        device = self._weights[0].device
        self.features = torch.zeros((places, inputs, batch), device=device)
        self.targets = torch.zeros((places, experiment.dim, batch), device=device)

    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        losses = []
        for place, (rate, blend) in enumerate(zip(rates, blends, strict=True), first):
            self._optimizer.param_groups[0]["lr"] = rate
            self._optimizer.zero_grad()
            output = self._body(self.features[place].mT)
            loss = loss_of(self._loss, output - self.targets[place].mT)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            if self._average:
                torch._foreach_lerp_(
                    [p.data for p in self._average], [p.data for p in self._weights], blend
                )
            losses.append(loss.detach())
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
