"""Attribution of a sample's error to its start, the network and the number of steps.

The error of a sample is its energy distance to the exact distribution it should follow
(`energy_distance.Reference`). One part after another is replaced by its exact version, with the
same starting noise and the same noise in every step:

    start          = error(as configured)        − error(exact start)
    network        = error(exact start)          − error(exact start, exact denoiser)
    discretisation = error(exact start, exact denoiser)

With an exact start and the exact denoiser only the steps can cause an error: their number, their
rule, and steps that are skipped, repeated or without noise. In the limit of infinitely many steps
it is 0, up to the statistical error of a finite sample. The three parts sum to the total. A part is
negative if its error compensates for another.

With guidance, infinitely many steps lead to where the guided ODE ends, away from the data. That
distance is part of the discretisation, and is given besides:

    guidance = distance(end of the guided ODE from the exact start, exact distribution)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from .. import notebook, pictures
from ..arguments import check_count
from ..assemble import make_ideal, mixture_for, schedule_for
from ..conditioning import draw_labels, true_points, truth_of
from ..config.experiment import Experiment
from ..config.presets import Preset, experiment_of
from ..device_names import device_from
from ..guidance import of_population
from ..methods import Denoiser, check_denoiser, device_of
from ..mixtures import GaussianMixture
from ..numbered_text import NamedNumber, NumberedText, text_of
from ..randomness import generator
from ..samplers import Sampler
from ..schedules import Level, Schedule
from ..short_repr import short_repr
from ..trajectory import denoise
from .energy_distance import MAX_POINTS, EnergyDistance, Reference, mixture_distance
from .guidance.guided_truth import guided_truth
from .start_mismatch import StartMismatch

ErrorPart = Literal["start", "network", "discretisation"]
PARTS: tuple[ErrorPart, ...] = get_args(ErrorPart)
"""The parts of the error, in the order in which they are replaced."""

_WHY: dict[ErrorPart, str] = {
    "start": "the start differs from the true noisiest level",
    "network": "the network is not the ideal denoiser",
    "discretisation": "the steps are too few or too coarse",
}

_GUIDED = "guidance, which leads away from the distribution of the data"


@dataclass(frozen=True)
class Attribution:
    """Energy distance by cause; the parts sum to ``total``.

    ``guidance`` is what no number of steps takes from the discretisation; None without guidance.
    ``…_chance`` is two standard deviations of a part between samples; ``chance`` is that of the
    estimate for as many true points, whose mean is 0.
    """

    start: float
    network: float
    discretisation: float
    total: float
    start_chance: float
    network_chance: float
    discretisation_chance: float
    total_chance: float
    chance: float
    guidance: float | None = None

    def __repr__(self) -> str:
        return short_repr(self, *PARTS, "total", "total_chance")

    def _repr_html_(self) -> str:
        parts = (*PARTS, "total")
        rows = {name: f"{self.part(name):.3g} ± {self.chance_of(name):.2g}" for name in parts}
        values = [self.part(name) for name in parts]
        return notebook.table("Energy distance by cause", rows, lambda: pictures.bars(values))

    @property
    def main(self) -> ErrorPart:
        """The largest part."""
        return max(PARTS, key=self.part)

    @property
    def by_chance(self) -> bool:
        """True if a sample of true points could have this error."""
        return self.total <= self.total_chance

    def part(self, name: str) -> float:
        """Return a part, or the total, by its name."""
        value: float = getattr(self, name)
        return value

    def chance_of(self, name: str) -> float:
        """Return two standard deviations of a part, or of the total."""
        return self.part(f"{name}_chance")

    def chance_alone(self, name: str) -> bool:
        """Return whether a part is within its statistical error."""
        return abs(self.part(name)) <= self.chance_of(name)


def attribute(
    experiment: Experiment | Preset,
    denoiser: Denoiser,
    *,
    points: int | None = None,
    seed: int | None = None,
    device: torch.device | str | None = None,
    mixture: GaussianMixture | None = None,
    schedule: Schedule | None = None,
    sampler: Sampler | None = None,
) -> Attribution:
    """Replace start, then network, by their exact versions; see the module's docstring.

    The total is the energy distance of the sample that `denoise` gives for the same arguments.
    """
    experiment = experiment_of(experiment)
    check_denoiser(denoiser)
    check_count("points", points)
    device = device_of(denoiser) if device is None else device_from(device)
    mixture = mixture_for(experiment, mixture, device)
    ideal = make_ideal(experiment.method, mixture)
    schedule = schedule_for(experiment, schedule, denoiser)
    k = schedule.levels - experiment.sampling.stop_before
    goal = truth_of(experiment, mixture)
    truth = goal.noised(float(schedule.alphas[k]), float(schedule.sigmas[k]))
    reference = Reference(truth)
    count = experiment.sampling.points if points is None else points
    noise = experiment.seed if seed is None else seed

    def error(by: Denoiser, begin: Tensor | None) -> EnergyDistance:
        sampled = denoise(
            experiment,
            by,
            points=count,
            seed=noise,
            device=device,
            keep=MAX_POINTS,
            begin=begin,
            mixture=mixture,
            schedule=schedule,
            sampler=sampler,
        )
        return reference.distance(sampled.result)

    already = experiment.sampling.start == "exact"
    labels = draw_labels(experiment, mixture, count, noise)
    exact = None if already else _exact_start(mixture, schedule[0], count, noise, labels)
    total = error(denoiser, None)
    started = total if already else error(denoiser, exact)
    steps = started if of_population(denoiser) else error(ideal, exact)
    start, start_chance = total.above(started)
    network, network_chance = started.above(steps)
    return Attribution(
        start=start,
        network=network,
        discretisation=steps.value,
        total=total.value,
        start_chance=start_chance,
        network_chance=network_chance,
        discretisation_chance=steps.chance,
        total_chance=total.chance,
        chance=2 * total.real,
        guidance=_of_guidance(experiment, mixture, schedule, truth, k),
    )


def _of_guidance(
    experiment: Experiment,
    mixture: GaussianMixture,
    schedule: Schedule,
    truth: GaussianMixture,
    level: int,
) -> float | None:
    """Return the distance of the end of the guided ODE from the truth at a level."""
    of = guided_truth(experiment.with_settings({"sampling.start": "exact"}), mixture, schedule)
    if of is None:
        return None
    if not of.guides:
        return 0.0
    end = of.guided(float(schedule.alphas[level]), float(schedule.sigmas[level]))
    return mixture_distance(end, truth)


def _exact_start(
    mixture: GaussianMixture, level: Level, count: int, seed: int, labels: Tensor | None
) -> Tensor:
    """Return α_0 x_0 + σ_0 ε with true x_0 and the ε of any start of this seed, (count, d)."""
    device = mixture.means.device
    x0 = true_points(mixture, count, generator(seed, "exact start", device), labels)
    random = generator(seed, "sampling", device)
    noise = torch.randn((count, mixture.dim), generator=random, device=device)
    return level.alpha * x0 + level.sigma * noise


def verdict(split: Attribution, start: StartMismatch) -> list[str]:
    """Return a sentence on the main part of the error, and one on the start."""
    return [text_of(sentence) for sentence in numbered_verdict(split, start)]


def numbered_verdict(split: Attribution, start: StartMismatch) -> list[NumberedText]:
    """Return the sentences of `verdict` with the names of their numbers."""
    first: NumberedText
    main = split.main
    if not math.isfinite(split.total):
        first = "Some points of the sample are not finite."
    elif split.by_chance:
        score = NamedNumber("true points score", f"{split.chance:.2g}")
        first = ("Nothing beyond chance: true points score ± ", score, ".")
    elif split.chance_alone(main):
        first = "No part alone stands out from chance; more points may show one."
    else:
        of_guidance = main == "discretisation" and (split.guidance or 0.0) > split.part(main) / 2
        first = f"Main cause: {_GUIDED if of_guidance else _WHY[main]}."
    if not start.distance:
        return [first, "The start is exact."]
    by = (NamedNumber("start off by", f"{start.share:.2g}"), " std of the noisiest level")
    if start.negligible:
        return [first, ("The start is good: off by ", *by, ".")]
    off = ("The start is off by ", *by, ", which ")
    if split.chance_alone("start"):
        return [first, (*off, "the sample does not show.")]
    if split.start < 0:
        other = NamedNumber("total", f"{split.total - split.start:.2g}")
        makes_good = "makes good for other errors: from the true one the error is "
        return [first, (*off, makes_good, other, ".")]
    cost = NamedNumber("start", f"{split.start:.2g}")
    return [first, (*off, "costs the sample ", cost, ".")]
