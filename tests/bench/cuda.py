"""A CUDA device beside a CPU core: every preset, the lab, sampling, and the choice of ``auto``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch

from tests.bench.lab import rate_headless, rate_in_lab
from tests.bench.plain import plain_loop
from tests.bench.rates import WARM_UP, Trainings, loop_rate, threads
from tests.bench.table import budget, show
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.training.devices import choose_device
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import denoise

LARGE = {
    "network.width": 512,
    "training.batch": 8192,
    "training.steps": 10_000,
    "training.lr": 1e-4,
}
"""Settings with which a step is work for a GPU."""

EVEN = 1.1
"""Ratio of two trainings' times up to which either choice is right."""

_START = """
from time import perf_counter
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.training.trainer import Trainer
begin = perf_counter()
next(Trainer(PRESETS["ddpm-1d"].experiment.with_settings({"device": "DEVICE"})).run(every=1))
print(perf_counter() - begin)
"""


def run(rounds: int, device: str = "cuda") -> None:
    """Print every table; without a device, one line. ``device`` may be a CPU to try them out."""
    if device == "cuda" and not torch.cuda.is_available():
        print("No CUDA device here: nothing to measure")
        return
    rounds = min(rounds, 2)
    with threads(1):
        presets(rounds, device)
        sampling(rounds, device)
    lab(device)


# --- trainings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """A preset's steps per second: the plain loop and the trainer there, and the trainer here."""

    name: str
    experiment: Experiment
    plain: float
    there: float
    here: float

    def seconds(self, kind: str, start: float) -> float:
        """Return the time of the whole training on the device, after its ``start``, or here."""
        steps = self.experiment.training.steps
        return steps / self.here if kind == "cpu" else start + steps / self.there


def presets(rounds: int, device: str, names: Iterable[str] = PRESETS) -> None:
    """Measure every preset, and a large one, and hold the choice of ``auto`` against both."""
    start = first_step(device)
    experiments = {name: PRESETS[name].experiment for name in names}
    experiments["edm-multimodal, large"] = PRESETS["edm-multimodal"].experiment.with_settings(LARGE)
    measured = [measure(rounds, name, device, e) for name, e in experiments.items()]
    rows = []
    for one in measured:
        ratios = (f"{one.there / one.plain:.1f}", f"{one.there / one.here:.2f}")
        rates = (f"{rate:,.0f}" for rate in (one.plain, one.there, one.here))
        rows.append([one.name, *rates, *ratios])
    head = [
        "training, steps/s",
        f"plain loop, {device}",
        f"trainer, {device}",
        "one CPU core",
        "over plain",
        "over the core",
    ]
    show(f"Every preset on {name_of(device)} and on one CPU core", head, rows)
    chosen = [choice(one, device, start) for one in measured]
    show(
        f"The choice of auto; the first step on {device} takes {start:.1f} s",
        ["whole training, s", device, "one CPU core", "auto", ""],
        [row for row, _ in chosen],
    )
    right = sum(is_right for _, is_right in chosen)
    figure = f"{right} of {len(chosen)}"
    budget(f"auto within {EVEN} of the faster device", figure, "all", right == len(chosen))


def measure(rounds: int, name: str, device: str, experiment: Experiment) -> Measured:
    """Let the three take turns."""
    there = experiment.with_settings({"device": device})
    steps = plain_loop(there)
    trainings = Trainings(there), Trainings(experiment.with_settings({"device": "cpu"}))
    for _ in range(WARM_UP):
        next(steps)
    turns = [(loop_rate(steps), *(one.rate() for one in trainings)) for _ in range(rounds)]
    return Measured(name, experiment, *(median(rates) for rates in zip(*turns, strict=True)))


def choice(one: Measured, device: str, start: float) -> tuple[list[str], bool]:
    """Return a row about what ``auto`` chooses, and whether that is right."""
    kind = choose_device(one.experiment.with_settings({"device": "auto"})).device.type
    there, here = (one.seconds(which, start) for which in (device, "cpu"))
    taken = here if kind == "cpu" else there
    is_right = taken <= EVEN * min(there, here)
    return [
        one.name,
        f"{there:.1f}",
        f"{here:.1f}",
        kind,
        "right" if is_right else "WRONG",
    ], is_right


def first_step(device: str) -> float:
    """Return the seconds until a new process has taken its first step, after its imports."""
    done = subprocess.run(
        [sys.executable, "-c", _START.replace("DEVICE", device)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def name_of(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else device


# --- sampling ------------------------------------------------------------------------------------


def sampling(rounds: int, device: str, counts: Iterable[int] = (2_000, 100_000, 1_000_000)) -> None:
    """Time the sampling of many points there, and of up to 100,000 on a CPU core."""
    rows = []
    for count in counts:
        there = sampling_time(rounds, device, count)
        here = sampling_time(1, "cpu", count) if count <= 100_000 else None
        ratio = f"{here / there:.1f}" if here else "–"
        rows.append([f"{count:,}", f"{there:.3f}", f"{here:.3f}" if here else "–", ratio])
    show(
        f"Sampling 20 levels of ddpm-multimodal on {name_of(device)}",
        ["points", f"seconds, {device}", "one CPU core", "ratio"],
        rows,
    )


def sampling_time(rounds: int, device: str, points: int) -> float:
    """Return the median of the seconds until all points are there, after a first sampling."""
    experiment = PRESETS["ddpm-multimodal"].experiment.with_settings({"device": device})
    denoiser, times = Trainer(experiment).denoiser, []
    denoise(experiment, denoiser, points=1000, device=device)
    for _ in range(rounds):
        begin = perf_counter()
        denoise(experiment, denoiser, points=points, device=device).x.sum().item()
        times.append(perf_counter() - begin)
    return median(times)


# --- the lab -------------------------------------------------------------------------------------


def lab(device: str, name: str = "edm-multimodal", steps: int = 300_000) -> None:
    """Measure the training in the lab on the device against the one without it."""
    inside, alone = rate_in_lab(name, steps, device), rate_headless(name, steps, device)
    ratio = inside / alone
    budget(f"{name}: the lab over headless, {device}", f"{ratio:.2f}", "> 0.9", ratio > 0.9)
    show(
        f"Training in the lab at 120×40 on {name_of(device)}",
        ["", "in the lab", "headless", "ratio"],
        [[name, f"{inside:,.0f}/s", f"{alone:,.0f}/s", f"{ratio:.2f}"]],
    )
