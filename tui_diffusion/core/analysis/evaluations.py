"""Quality against evaluations: what a sampler makes of a number of calls of the denoiser.

A call of the network is what sampling costs. For each sampler and each number of calls the error of
a sample, its energy distance as everywhere, is measured for the network and for the ideal denoiser,
from the same noise. The gap between the two is the network's fault. How fast the ideal one's error
falls is the sampler's order p: its points lie off by N^−p after N steps, and as an energy distance
is a square, the error falls as N^−2p, down to the error of the start and to chance.

A guided sample is compared with what the guided ODE of exact denoisers ends in, not with the data,
from which guidance leads away. A sampler with noise in its steps ends in another distribution: its
error stops falling there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ..assemble import (
    make_ideal,
    make_method,
    make_mixture,
    make_sampler,
    noises,
    sampling_schedule,
)
from ..conditioning import label_of, of_label
from ..config.choices import samplers_of
from ..config.data_section import DataConfig
from ..config.errors import ConfigError
from ..config.experiment import Experiment
from ..config.presets import Preset, experiment_of
from ..guidance import of_population
from ..methods import Denoiser, Method, Prediction, check_denoiser, device_of
from ..parts.samplers import SAMPLER_PARTS
from ..progress import ProgressCallback
from ..samplers import Step
from ..schedules import Level
from ..short_repr import short_repr
from ..trajectory import denoise
from .energy_distance import MAX_POINTS, EnergyDistance, Reference
from .guidance.guided_truth import guided_truth

COUNTS = (4, 8, 16, 32, 64)
"""Usual numbers of evaluations."""

MOST_LEVELS = 1000
"""Most levels of a sampling."""

BUDGETS = (5, 10, 20)
"""Numbers of evaluations for which the best sampler is named."""

FROM_GUIDED = "from what the guided ODE of exact denoisers ends in"
"""What the error of a guided sample is a distance from."""


@dataclass(frozen=True)
class SamplerError:
    """The energy distance of samples from ``levels`` steps, which call the denoiser so often.

    ``network`` is None for the ideal denoiser alone. ``…_chance`` is two standard deviations
    between samples, ``real`` the root mean square of true points.
    """

    sampler: str
    levels: int
    evaluations: int
    network: float | None
    ideal: float
    real: float
    network_chance: float | None
    ideal_chance: float

    def __repr__(self) -> str:
        return short_repr(self, "sampler", "levels", "evaluations", "network", "ideal", "real")

    @property
    def error(self) -> float:
        """The error of the network or, without one, of the ideal denoiser."""
        return self.ideal if self.network is None else self.network


def errors_by_evaluations(
    experiment: Experiment | Preset,
    denoiser: Denoiser,
    counts: Iterable[int] = COUNTS,
    samplers: Sequence[str] | None = None,
    *,
    points: int | None = None,
    seed: int | None = None,
    progress: ProgressCallback | None = None,
) -> list[SamplerError]:
    """Measure samplers with at most ``counts`` evaluations each.

    By default all of the method that need no other package.

    For each count a sampler takes as many steps as that allows, if the method has so many levels.
    Nothing is repeated, and the samples are clean. ``progress`` receives samplings done and their
    total. Raise `ConfigError` for a sampler that does not go with the method.
    """
    experiment = experiment_of(experiment)
    check_denoiser(denoiser)
    own = (n for n in samplers_of(experiment.method.name) if not SAMPLER_PARTS[n].needs)
    plans = [
        plan
        for name in (own if samplers is None else samplers)
        for plan in _plans(experiment, name, tuple(sorted(counts)))
    ]
    count = min(experiment.sampling.points if points is None else points, MAX_POINTS)
    noise = experiment.seed if seed is None else seed
    rows = []
    for done, (calls, plan) in enumerate(plans):
        if progress is not None:
            progress(done, len(plans))
        ideal, of_network = _ideal_error(plan, experiment, count, noise), None
        if not of_population(denoiser):
            sampled = denoise(
                plan, denoiser, points=count, seed=noise, device=device_of(denoiser)
            ).result
            of_network = _reference(experiment).distance(sampled)
        rows.append(
            SamplerError(
                plan.sampling.sampler,
                plan.sampling_levels,
                calls,
                None if of_network is None else of_network.value,
                ideal.value,
                ideal.real,
                None if of_network is None else of_network.chance,
                ideal.chance,
            )
        )
    return rows


def best_samplers(
    rows: Iterable[SamplerError], budgets: Iterable[int] = BUDGETS
) -> dict[int, SamplerError]:
    """Return the row of least error within each number of evaluations; no row, no entry."""
    rows = list(rows)
    within = {most: [row for row in rows if row.evaluations <= most] for most in budgets}
    return {
        most: min(fitting, key=lambda row: (row.error != row.error, row.error))
        for most, fitting in within.items()
        if fitting
    }


def compared(rows: Sequence[SamplerError], own: str) -> list[str]:
    """Return the samplers to draw: the experiment's own, then the best, for few evaluations first.

    The others follow in the order of their least error.
    """
    measured = {row.sampler: math.inf for row in rows}
    for row in rows:
        measured[row.sampler] = min(measured[row.sampler], row.error)
    best = [row.sampler for row in best_samplers(rows).values()]
    others = sorted(measured, key=lambda name: measured[name])
    return [name for name in dict.fromkeys([own, *best, *others]) if name in measured]


@lru_cache(maxsize=512)
def _plans(
    experiment: Experiment, sampler: str, counts: tuple[int, ...]
) -> tuple[tuple[int, Experiment], ...]:
    """Return the experiments with a sampler's settings for these evaluations, each once."""
    if sampler not in SAMPLER_PARTS or SAMPLER_PARTS[sampler].trained_levels:
        plan = _with(experiment, sampler, 0)
        calls = _calls(plan)
        return ((calls, plan),) if calls <= counts[-1] else ()
    _with(experiment, sampler, 1)  # an incompatible sampler is an error
    plans = dict[int, tuple[int, Experiment]]()
    for count in counts:
        levels = min(-(-count // SAMPLER_PARTS[sampler].evaluations) + 1, MOST_LEVELS)
        for fewer in range(levels, 0, -1):
            try:
                plan = _with(experiment, sampler, fewer)
            except ConfigError:  # the method has fewer levels
                continue
            if (calls := _calls(plan)) <= count:
                plans[fewer] = calls, plan
                break
    return tuple(plans.values())


def _with(experiment: Experiment, sampler: str, levels: int) -> Experiment:
    """Return an experiment that samples clean data in so many levels."""
    return experiment.with_settings(
        {
            "sampling.sampler": sampler,
            "sampling.levels": levels,
            "sampling.repeats": 0,
            "sampling.stop_before": 0,
        }
    )


@dataclass
class _Counter:
    """A denoiser of data at 0, which counts its calls."""

    method: Method
    calls: int = 0

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        self.calls += 1
        eps_hat, x0_hat = x / level.sigma, torch.zeros_like(x)
        return Prediction(self.method.target(x0_hat, eps_hat, level), eps_hat, x0_hat)


@torch.no_grad()
def _calls(experiment: Experiment) -> int:
    """Return how often a sampling calls its denoiser."""
    schedule = sampling_schedule(experiment)
    counter = _Counter(make_method(experiment.method, make_mixture(experiment.data)))
    take = make_sampler(experiment.sampling, schedule.levels)
    x = torch.ones(1, experiment.dim)
    z = torch.zeros(1, noises(experiment.sampling) * experiment.dim)
    previous: Step | None = None
    for k in range(schedule.levels):
        previous = take(x, schedule[k], counter, z, previous)
        x = previous.x_next
    return counter.calls


@lru_cache(maxsize=1024)
def _ideal_error(
    plan: Experiment, experiment: Experiment, points: int, seed: int
) -> EnergyDistance:
    """Return the error of the ideal denoiser, which no training changes."""
    ideal = make_ideal(plan.method, make_mixture(plan.data))
    sampled = denoise(plan, ideal, points=points, seed=seed).result
    return _reference(experiment).distance(sampled)


def _reference(experiment: Experiment) -> Reference:
    """Return what samples are compared with: the data, or where the guided ODE ends."""
    return _guided(experiment) or _of_data(experiment.data, label_of(experiment))


@lru_cache(maxsize=4)
def _guided(experiment: Experiment) -> Reference | None:
    truth = guided_truth(experiment)
    return Reference(truth.guided()) if truth is not None and truth.guides else None


@lru_cache(maxsize=8)
def _of_data(data: DataConfig, label: int | None) -> Reference:
    return Reference(of_label(make_mixture(data), label))
