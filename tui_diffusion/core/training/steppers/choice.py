"""The choice of a stepper: the fastest one that the device supports.

A `Stepper` trains one body of a network. A block of batches is drawn into its memory; it takes some
of the steps and updates the parameters of the body. The choice depends on the device and on what
torch supports there, not on the experiment. How steps are grouped into calls changes no loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from ...config.experiment import Experiment
from .autograd import PlainStepper
from .closed_form import FastStepper
from .protocol import Stepper
from .torchscript import ScriptError

if TYPE_CHECKING:
    from .cuda_graph import Capture


def make_stepper(
    experiment: Experiment,
    body: nn.Module,
    average: nn.Module | None,
    capacity: int,
    *,
    plain: bool = False,
) -> Stepper:
    """Return the stepper for a body on its device, for blocks of up to ``capacity`` steps.

    ``average`` receives a running average of the weights. ``plain`` selects the reference stepper.
    """
    kind = next(body.parameters()).device.type
    if kind == "cuda" and not plain:
        return graph_stepper(experiment, body, average, capacity)
    if kind == "cpu" and not plain:
        return script_stepper(experiment, body, average, capacity)
    return PlainStepper(experiment, body, average, capacity)


def script_stepper(
    experiment: Experiment, body: nn.Module, average: nn.Module | None, capacity: int
) -> Stepper:
    """Return a closed-form stepper; if it cannot be compiled, a plain one with a note."""
    try:
        return FastStepper(experiment, body, average, capacity)
    except ScriptError as error:
        stepper = PlainStepper(experiment, body, average, capacity)
        stepper.note = f"with autograd, for its steps cannot be compiled ({_line(error)})"
        return stepper


def graph_stepper(
    experiment: Experiment,
    body: nn.Module,
    average: nn.Module | None,
    capacity: int,
    capture: Capture | None = None,
) -> Stepper:
    """Return a CUDA graph stepper; if no graph can be captured, a plain one with a note."""
    from .cuda_graph import GraphStepper
    from .cuda_graph import capture as record

    try:
        return GraphStepper(experiment, body, average, capacity, capture or record)
    except Exception as error:  # drivers raise anything, and there is a fallback
        note = f"without a CUDA graph, which cannot be recorded ({_line(error)})"
    # Only now, because the error holds the memory of the failed recording.
    stepper = PlainStepper(experiment, body, average, capacity)
    stepper.note = note
    return stepper


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
