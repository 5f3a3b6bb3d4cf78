"""Training rates against the same mathematics as a plain PyTorch loop, and a step's growth.

One thread each, in one process, taking turns.
"""

from __future__ import annotations

from statistics import median

import torch
from torch.utils.benchmark import Timer

from tests.bench.rates import against_plain, threads
from tests.bench.table import budget, show
from tui_diffusion.core.config.presets import PRESETS

BUDGETS = {"cpu": 5.0, "cuda": 10.0}
"""What the ratio of the post's presets of one network should be at least, on a device."""

LARGE = 1024
"""Rows and columns of the product that shows what a core reaches."""

GROWTH = {
    "training.batch": (32, 128, 512, 2048, 8192, 32768),
    "network.width": (16, 32, 64, 128, 256, 512),
    "training.steps": (1_000, 10_000, 100_000, 1_000_000),
    "schedule.levels": (8, 100, 1000),
}
"""What a step's cost is measured against; of all the steps, those of the first slices are taken."""


def run(rounds: int) -> None:
    """Print the rate of every preset on every device, and how the cost of a step grows."""
    with threads(1):
        presets(rounds, "cpu")
        if torch.cuda.is_available():
            presets(rounds, "cuda")
        else:
            print("\nTraining on CUDA: no CUDA device here, not measured")
        products(rounds)
        growth(rounds)


def presets(rounds: int, device: str) -> None:
    """Every preset against the plain loop on this device."""
    rows, least = [], BUDGETS[device]
    for name, preset in PRESETS.items():
        rates = against_plain(rounds, preset.experiment.with_settings({"device": device}))
        rows.append([name, f"{rates.plain:,.0f}", f"{rates.ours:,.0f}", f"{rates.ratio:.1f}"])
        if preset.script and not (device == "cpu" and preset.experiment.network.per_level):
            what = f"{name}: training over the plain loop, {device}"
            budget(what, f"{rates.ratio:.1f}", f"> {least:g}", rates.ratio > least)
    head = ["training, steps/s", "plain loop", "headless", "ratio"]
    show(f"Training against the plain PyTorch loop on {device}, one thread each", head, rows)


def products(rounds: int) -> None:
    """The matrix products of a step of a network a level, against one large product.

    There the products take most of a step, so the plain loop is no measure.
    """
    experiment = PRESETS["ddpm-1d-per-level"].experiment
    batch, width = experiment.training.batch, experiment.network.width
    hidden, delta = torch.randn(batch, width), torch.randn(batch, width)
    weight, large = torch.randn(width, width), torch.randn(LARGE, LARGE)
    of_a_step = {
        "h Wᵀ": (hidden, weight.T),
        "δ W": (delta, weight),
        "δᵀ h": (delta.T, hidden),
    }
    reached = _rate(large, large, rounds)
    rows = [["one large", f"{LARGE}×{LARGE}×{LARGE}", f"{reached:.0f}", ""]]
    operations, seconds = 0.0, 0.0
    for name, (left, right) in of_a_step.items():
        rate = _rate(left, right, rounds)
        size = left.shape[0] * left.shape[1] * right.shape[1]
        operations, seconds = operations + size, seconds + size / rate
        shape = "×".join(map(str, (*left.shape, right.shape[1])))
        rows.append([name, shape, f"{rate:.0f}", f"{rate / reached:.0%}"])
    share = operations / seconds / reached
    budget("a network a level: its products over a large one", f"{share:.0%}", "> 70%", share > 0.7)
    show("Matrix products, one thread", ["product", "size", "GFLOP/s", "of the large"], rows)


def _rate(left: torch.Tensor, right: torch.Tensor, rounds: int) -> float:
    """Return the rate of a product in GFLOP/s."""
    out = torch.empty(left.shape[0], right.shape[1])
    names = {"mm": torch.mm, "left": left, "right": right, "out": out}
    timer = Timer("mm(left, right, out=out)", globals=names, num_threads=1)
    seconds = median(timer.blocked_autorange(min_run_time=0.2).median for _ in range(rounds))
    return 2e-9 * left.shape[0] * left.shape[1] * right.shape[1] / seconds


def growth(rounds: int) -> None:
    """Cost of a step against all that can grow."""
    base, rows = PRESETS["ddpm-multimodal"].experiment, []
    for field, values in GROWTH.items():
        for value in values:
            # With these betas, data remain visible through a thousand levels.
            settings = {
                field: value,
                "device": "cpu",
                "training.lr": 1e-6,
                "schedule.beta_max": 0.05,
            }
            rates = against_plain(rounds, base.with_settings(settings))
            costs = [f"{1e6 / rate:,.0f}" for rate in (rates.plain, rates.ours)]
            rows.append([f"{field} = {value:,}", *costs, f"{rates.ratio:.1f}"])
    show(
        "Growth from ddpm-multimodal, one thread each",
        ["microseconds a step", "plain loop", "headless", "ratio"],
        rows,
    )
