"""Training rates against the same mathematics as a plain PyTorch loop, and a step's growth.

One thread each, in one process, taking turns.
"""

from __future__ import annotations

import torch

from tests.bench.rates import against_plain, threads
from tests.bench.table import budget, show
from tui_diffusion.core.config.presets import PRESETS

BUDGETS = {"cpu": 5.0, "cuda": 10.0}
"""What the ratio of the post's presets should be at least, on a device."""

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
        growth(rounds)


def presets(rounds: int, device: str) -> None:
    """Every preset against the plain loop on this device."""
    rows, least = [], BUDGETS[device]
    for name, preset in PRESETS.items():
        rates = against_plain(rounds, preset.experiment.with_settings({"device": device}))
        rows.append([name, f"{rates.plain:,.0f}", f"{rates.ours:,.0f}", f"{rates.ratio:.1f}"])
        if preset.script:
            what = f"{name}: training over the plain loop, {device}"
            budget(what, f"{rates.ratio:.1f}", f"> {least:g}", rates.ratio > least)
    head = ["training, steps/s", "plain loop", "headless", "ratio"]
    show(f"Training against the plain PyTorch loop on {device}, one thread each", head, rows)


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
