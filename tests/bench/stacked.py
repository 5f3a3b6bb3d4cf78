"""Many networks trained as one batch, beside single trainings on a CPU core and on the device."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from statistics import median

import torch

from tests.bench import rates
from tests.bench.rates import Trainings, threads
from tests.bench.table import budget, show
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.training.stacked.trainer import StackedTrainer

NAME = "ddpm-1d"
COUNTS = {"cpu": (1, 8, 64, 512), "cuda": (1, 8, 64, 512, 4096)}
GOAL = 100.0
"""What 512 networks on CUDA should do, in trainings on one CPU core."""


def run(rounds: int) -> None:
    """Print a table for the CPU and, if there is one, for a CUDA device."""
    with threads(1):
        for device, counts in COUNTS.items():
            if device == "cpu" or torch.cuda.is_available():
                table(rounds, device, counts)
            else:
                print(f"\nStacked trainings on {device}: no device here, not measured")


def table(rounds: int, device: str, counts: Sequence[int]) -> None:
    """Let stacks of each size, of cells with other seeds, and single trainings take turns."""
    experiment = PRESETS[NAME].experiment.with_settings({"training.steps": 1_000_000})
    singles = {kind: Trainings(experiment.with_settings({"device": kind}))
               for kind in dict.fromkeys(("cpu", device))}  # fmt: skip
    rows = []
    for count in counts:
        stack = Stack(experiment.with_settings({"device": device}), count)
        turns = [(stack.rate(), *(one.rate() for one in singles.values())) for _ in range(rounds)]
        ratios = [
            median(turn[0] / turn[1 + place] for turn in turns) for place in range(len(singles))
        ]
        values = [median(values) for values in zip(*turns, strict=True)]
        rows.append(
            [f"{count:,}", *(f"{value:,.0f}" for value in values), *(f"{r:.2f}" for r in ratios)]
        )
        if device == "cuda" and count == 512:
            figure = f"{ratios[0]:.0f}"
            budget(f"{count} x {NAME} stacked over one CPU core", figure, f"> {GOAL:g}",
                   ratios[0] > GOAL)  # fmt: skip
    names = ["one CPU core", *([f"one on {device}"] if device != "cpu" else [])]
    head = ["networks", "stacked", *names, *(f"over {name}" for name in names)]
    show(f"{NAME} stacked on {device}, network-steps/s", head, rows)


class Stack:
    """A stack of trainings of other seeds, begun and warm."""

    def __init__(self, experiment: Experiment, count: int) -> None:
        cells = [experiment.with_settings({"seed": seed}) for seed in range(count)]
        self._trainer = StackedTrainer(cells)
        self._go_on(rates.SLICE)

    def rate(self) -> float:
        """Return the network-steps a second over a slice of time, in whole blocks of batches."""
        trainer = self._trainer
        before, seconds = trainer.step, trainer.seconds
        self._go_on(rates.SLICE)
        return (trainer.step - before) * len(trainer) / (trainer.seconds - seconds)

    def _go_on(self, seconds: float) -> None:
        end = self._trainer.seconds + seconds
        with closing(self._trainer.run(every=self._trainer.block_steps)) as progress:
            while self._trainer.seconds < end:
                next(progress)
