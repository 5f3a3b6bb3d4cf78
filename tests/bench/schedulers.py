"""The schedulers of diffusers with the exact denoiser on four Gaussians: orders, and last steps."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from tests.bench.table import show
from tui_diffusion.core.analysis.report import quality
from tui_diffusion.core.assemble import make_ideal, make_mixture, sampler_function
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS
from tui_diffusion.core.samplers import Step, heun
from tui_diffusion.core.schedules import Schedule, karras
from tui_diffusion.core.trajectory import denoise

FINE = 1000
"""Steps of Heun's method that stand for the exact solution between two levels of the grid."""
LEVELS = 20
POINTS = 8000


def run(rounds: int) -> None:
    """Measure every one of them, beside two samplers of the program's own; no rounds are taken."""
    torch.set_num_threads(1)
    names = [name for name, part in SAMPLER_PARTS.items() if part.scheduler]
    of = experiment()
    mixture = make_mixture(of)
    real = 1000 * quality(denoise(of, make_ideal(of, mixture)), mixture).energy_distance_real
    show(
        "Ideal denoiser, four Gaussians (edm, karras, sigma 80 to 0.002, exact start); the energy "
        f"distance of a true sample is 0 ± {real:.1f}",
        (
            "",
            "order",
            "energy e-3, 10 levels",
            "20",
            "40",
            "in-mode std",
            "with sigma_min 0.02",
            "last step from 0.02: error before",
            "after",
        ),
        [_row(name) for name in ("euler", "heun", "dpm++2m", *names)],
    )


def experiment(**settings: object) -> Experiment:
    """An experiment on four Gaussians with the levels of Karras et al. 2022."""
    base = {
        "schedule.sigma_min": 0.002,
        "schedule.sigma_max": 80.0,
        "schedule.rho": 7.0,
        "schedule.levels": LEVELS,
        "sampling.start": "exact",
        "sampling.points": POINTS,
    }
    return PRESETS["edm-multimodal"].experiment.with_settings(base | settings)


def path(name: str, schedule: Schedule, x: Tensor, steps: int) -> Tensor:
    """Take x through the first steps of a schedule, without noise."""
    of = experiment()
    ideal, step = make_ideal(of, make_mixture(of)), sampler_function(name)
    previous: Step | None = None
    for k in range(steps):
        previous = step(x, schedule[k], ideal, torch.zeros_like(x), previous)
        x = previous.x_next
    return x


def order(name: str) -> float:
    """The slope of the error against the number of steps, from sigma 3 to 0.3, at 161 levels."""
    x = 3 * torch.randn(300, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    truth = path("heun", karras(2000, 0.3, 3, 7), x, 1999)
    errors = [
        float((path(name, karras(n, 0.3, 3, 7), x, n - 1) - truth).norm(dim=1).mean())
        for n in (81, 161)
    ]
    return math.log2(errors[0] / errors[1])


def last_step(name: str) -> tuple[float, float]:
    """The mean distance to the exact solution before and after the last step, from sigma 0.02."""
    schedule, low = karras(LEVELS, 0.02, 80, 7), 1e-5
    random = torch.Generator().manual_seed(0)
    of = experiment()
    mixture = make_mixture(of)
    x = mixture.sample(1000, random).double()
    x = x + 80 * torch.randn(x.shape, generator=random, dtype=x.dtype)
    ideal = make_ideal(of, mixture)

    def exact(x: Tensor, high: float, low: float) -> Tensor:
        fine, zero = karras(FINE, low, high, 7), torch.zeros_like(x)
        for k in range(FINE - 1):
            x = heun(x, fine[k], ideal, zero).x_next
        return x

    before = exact(x, 80, 0.02)
    after = exact(before, 0.02, low)
    taken = partial(path, name, schedule, x)
    return (
        float((taken(LEVELS - 1) - before).norm(dim=1).mean()),
        float((taken(LEVELS) - after).norm(dim=1).mean()),
    )


def _row(name: str) -> list[str]:
    noisy = SAMPLER_PARTS[name].order is None
    row = [name, "–" if noisy else f"{order(name):.1f}"]
    quiet = {"sampling.quiet": 0} if noisy else {}
    ratios = []
    for settings in (
        {"schedule.levels": 10},
        {},
        {"schedule.levels": 40},
        {"schedule.sigma_min": 0.02},
    ):
        of = experiment(**settings).with_settings({"sampling.sampler": name} | quiet)
        mixture = make_mixture(of)
        scores = quality(denoise(of, make_ideal(of, mixture)), mixture)
        ratios.append(f"{scores.in_mode_std_ratio:.2f}")
        if "schedule.sigma_min" not in settings:
            row.append(f"{1000 * scores.energy_distance:.1f}")
    row += [ratios[1], ratios[3]]
    return row + (["–"] * 2 if noisy else [f"{error:.2g}" for error in last_step(name)])
