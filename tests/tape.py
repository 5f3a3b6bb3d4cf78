"""A stand-in for CUDA graphs on a machine without a device."""

from __future__ import annotations

import pytest

from tui_diffusion.core.training.steppers.autograd import PlainStepper
from tui_diffusion.core.training.steppers.choice import graph_stepper


class Tape:
    """A capture that keeps the work and repeats it at every replay, on any device."""

    def __init__(self) -> None:
        self.recorded = self.played = 0

    def __call__(self, warm_up, work, device):
        warm_up()
        self.recorded += 1

        def play() -> None:
            self.played += 1
            work()

        return play


def record_on_tape(monkeypatch: pytest.MonkeyPatch) -> Tape:
    """Let every `Trainer` take the steps of a `GraphStepper`, replayed from a tape."""
    tape = Tape()

    def make(experiment, body, average, places, *, plain=False):
        if plain:
            return PlainStepper(experiment, body, average, places)
        return graph_stepper(experiment, body, average, places, tape)

    monkeypatch.setattr("tui_diffusion.core.training.trainer.make_stepper", make)
    return tape
