"""What takes gradient steps: the plain way that every network can go, and the choice of a faster.

A `Stepper` trains one body of a network. A block of batches is drawn into its memory, and it is
told to take some of the steps; when it returns, the body's parameters are the trained ones. Which
one is chosen hangs on the device and on what torch can do there, not on the experiment, and where a
run of steps begins and ends changes no loss.
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
