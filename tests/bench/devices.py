"""What is chosen for an experiment, device and threads, beside what else there is."""

from __future__ import annotations

import json
import os
import subprocess
from statistics import median
from time import perf_counter

import torch

from tests.bench.rates import Trainings, threads
from tests.bench.table import budget, show
from tests.program import PROGRAM
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.training.devices import choose_device, use_threads

LARGE = {"network.width": 512, "training.batch": 8192, "training.steps": 200, "training.lr": 1e-4}
"""Settings with which a step is work for many threads, or for a GPU."""

CHOICES = {
    "ddpm-1d": {},
    "ddpm-multimodal": {},
    "edm-multimodal": {},
    "edm-multimodal, large": LARGE,
}
"""Presets with what is changed in them."""


def run(rounds: int) -> None:
    """Print a table for the threads and one for the device."""
    use(rounds)
    auto(min(rounds, 3))


def _experiment(name: str, **changes: object) -> Experiment:
    """One of `CHOICES`, changed further."""
    preset = PRESETS[name.partition(",")[0]].experiment
    return preset.with_settings({**CHOICES[name], **changes})


# --- threads -------------------------------------------------------------------------------------


def use(rounds: int) -> None:
    """A small experiment and a large one with 1 thread, with all, and with those chosen."""
    cores, rows = os.cpu_count() or 1, []
    request = os.environ.get("OMP_NUM_THREADS")
    for name in ("ddpm-multimodal", "edm-multimodal, large"):
        experiment = _experiment(name, device="cpu")
        chosen = use_threads(experiment)
        rates = _thread_rates(rounds, experiment, {1, cores, chosen})
        shown = [f"{rates[count]:,.1f}" for count in (1, cores, chosen)]
        ratio = f"{rates[chosen] / max(rates.values()):.2f}"
        rows.append([name, *shown[:2], str(chosen), shown[2], ratio])
        if not request and name == "ddpm-multimodal":
            budget(f"{name}: threads", str(chosen), "1", chosen == 1)
    told = (
        f"OMP_NUM_THREADS is {request}, and wins"
        if request
        else "OMP_NUM_THREADS, not set, would win"
    )
    show(
        f"Training by threads, steps/s; {told}",
        ("", "1 thread", f"all {cores}", "chosen", "rate", "over the best"),
        rows,
    )


def _thread_rates(rounds: int, experiment: Experiment, counts: set[int]) -> dict[int, float]:
    """The median rate with each of these counts, in turns."""
    rates: dict[int, list[float]] = {count: [] for count in sorted(counts)}
    trainings = Trainings(experiment)
    for _ in range(rounds):
        for count, found in rates.items():
            with threads(count):
                found.append(trainings.rate())
    return {count: median(found) for count, found in rates.items()}


# --- the device ----------------------------------------------------------------------------------


def auto(rounds: int) -> None:
    """What ``auto`` chooses and why; beside a GPU, what whole trainings take on both."""
    choices = {name: choose_device(_experiment(name, device="auto")) for name in CHOICES}
    widest = max(len(choice.reason) for choice in choices.values())
    rows = [[name, it.label, it.reason.ljust(widest)] for name, it in choices.items()]
    show("What device auto chooses", ("", "device", "reason".ljust(widest)), rows)
    gpu = _gpu()
    if gpu is None:
        print("No GPU here: nothing else to measure")
        return
    rows = []
    for name, choice in choices.items():
        kind = choice.device.type
        other = "cpu" if kind != "cpu" else gpu
        turns = [(_whole(name, kind), _whole(name, other)) for _ in range(rounds)]
        ratio = median(mine[0] / theirs[0] for mine, theirs in turns)
        cells = [
            f"{median(turn[position][part] for turn in turns):{form}}"
            for position in (0, 1)
            for part, form in ((1, ",.0f"), (0, ".1f"))
        ]
        rows.append([name, kind, *cells, f"{ratio:.2f}"])
        budget(f"{name}: seconds on auto's over the other", f"{ratio:.2f}", "< 1", ratio < 1)
    show(
        "Whole trainings, from the start of the process",
        ("", "auto", "steps/s", "seconds", "the other's steps/s", "seconds", "ratio"),
        rows,
    )


def _gpu() -> str | None:
    """The kind of GPU here."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


def _whole(name: str, device: str) -> tuple[float, float]:
    """Seconds of a process that trains this headless, and its steps a second while training."""
    changes = [f"--set={path}={value}" for path, value in CHOICES[name].items()]
    command = [*PROGRAM, "train", name.partition(",")[0], "--no-save", "--json"]
    begin = perf_counter()
    done = subprocess.run(
        [*command, "--device", device, *changes], capture_output=True, text=True, check=True
    )
    return perf_counter() - begin, float(json.loads(done.stdout)["steps_per_second"])
