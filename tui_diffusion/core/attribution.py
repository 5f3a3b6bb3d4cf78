"""Where the error of a sample comes from: its start, the network, or the number of steps.

The error of a sampling is the energy distance of its points to the exact distribution they should
follow, without bias (`energy.of_sample`). One part after another is swapped for its exact
version, with the same seed and so the same starting noise and the same noise in every step:

    start          = error(as configured)        − error(exact start)
    network        = error(exact start)          − error(exact start, exact denoiser)
    discretisation = error(exact start, exact denoiser)

With an exact start and the exact denoiser nothing but the steps can be wrong: their number, their
rule, and steps left out, repeated or without noise. Infinitely many would leave 0, up to the
chance of a finite sample. The three sum to the total. A part can be negative, where its error made
good for another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from .datasets import make_mixture
from .energy import of_sample
from .experiment import Experiment
from .methods import Denoiser, IdealDenoiser, make_method
from .randomness import generator
from .schedules import sampling_schedule
from .trajectory import denoise

_DRAWS = 4
"""True samples whose greatest error is what chance can do."""

Part = Literal["start", "network", "discretisation"]


@dataclass(frozen=True)
class Attribution:
    """Energy distance by where it comes from; the parts sum to ``total``.

    ``chance`` is how far from 0 as many true points come by chance alone.
    """

    start: float
    network: float
    discretisation: float
    total: float
    chance: float = 0.0

    @property
    def main(self) -> Part:
        """The largest part."""
        parts: dict[Part, float] = {
            "start": self.start,
            "network": self.network,
            "discretisation": self.discretisation,
        }
        return max(parts, key=lambda name: parts[name])


def attribute(
    experiment: Experiment,
    denoiser: Denoiser,
    *,
    points: int = 2000,
    seed: int | None = None,
    device: torch.device | str = "cpu",
) -> Attribution:
    """Swap start, then network, for their exact versions; see the module's docstring."""
    mixture = make_mixture(experiment.data, device)
    ideal = IdealDenoiser(mixture, make_method(experiment.method, mixture))
    exact = experiment.with_settings({"sampling.start": "exact"})

    schedule = sampling_schedule(experiment)
    k = schedule.levels - experiment.sampling.stop_before
    truth = mixture.noised(float(schedule.alphas[k]), float(schedule.sigmas[k]))

    def error(of: Experiment, by: Denoiser) -> float:
        x = denoise(of, by, points=points, seed=seed, device=device).result
        # A point that is nowhere is as wrong as can be.
        return of_sample(x, truth) if bool(torch.isfinite(x).all()) else float("inf")

    total = error(experiment, denoiser)
    started = total if experiment.sampling.start == "exact" else error(exact, denoiser)
    steps = started if isinstance(denoiser, IdealDenoiser) else error(exact, ideal)
    random = generator(experiment.seed, "chance", device)
    drawn = [of_sample(truth.sample(points, random), truth) for _ in range(_DRAWS)]
    chance = max(abs(distance) for distance in drawn)
    return Attribution(total - started, started - steps, steps, total, chance)
