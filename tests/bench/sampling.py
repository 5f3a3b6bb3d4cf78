"""Sampling: seconds and memory against the number of points."""

from __future__ import annotations

import resource
from time import perf_counter

import torch

from tests.bench.table import show
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import denoise


def run(rounds: int) -> None:
    """Print what sampling 1e3 to 1e6 points through 20 levels costs, and stepping through them."""
    torch.set_num_threads(1)
    experiment = PRESETS["ddpm-multimodal"].experiment
    denoiser = Trainer(experiment).denoiser
    rows = []
    for points in (1_000, 10_000, 100_000, 1_000_000):
        begin = perf_counter()
        trajectory = denoise(experiment, denoiser, points=points)
        seconds = perf_counter() - begin
        begin = perf_counter()
        for k in range(trajectory.levels):
            trajectory.step(k)
        step = (perf_counter() - begin) / trajectory.levels
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append([f"{points:,}", f"{seconds:.2f}", f"{1e3 * step:.2f}", f"{peak:,.0f}"])
    show(
        "Sampling 20 levels of ddpm-multimodal, one thread",
        ["points", "seconds", "ms a step looked at", "peak MiB of the process"],
        rows,
    )
