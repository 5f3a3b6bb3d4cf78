"""Samplers against the schedulers of diffusers, under the same noise, level by level."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tui_diffusion.core.assemble import make_sampler
from tui_diffusion.core.config.sampling_section import SamplingConfig
from tui_diffusion.core.methods import METHODS, IdealDenoiser
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.samplers import Step
from tui_diffusion.core.schedules import Level, Schedule, karras

diffusers = pytest.importorskip("diffusers")

FOUR = IdealDenoiser(GaussianMixture([[1, 1], [1, -1], [-1, 1], [-1, -1]], 0.1), METHODS["edm"])
STEPS = 16
BETAS = {"num_train_timesteps": 200, "beta_start": 1e-4, "beta_end": 0.1}


def levels_of(scheduler: Any, *, preserving: bool) -> Schedule:
    """The levels of a scheduler with N steps, each once: α = 1, or α² + σ² = 1."""
    scheduler.set_timesteps(STEPS)
    sigmas = torch.unique(torch.as_tensor(scheduler.sigmas).double()).flip(0)
    assert len(sigmas) == STEPS + 1
    alphas = 1 / (1 + sigmas**2).sqrt() if preserving else torch.ones_like(sigmas)
    return Schedule(alphas, sigmas * alphas)


def ours(name: str, schedule: Schedule, x: Tensor, z: Tensor, **settings: object) -> list[Step]:
    take = make_sampler(SamplingConfig(sampler=name, quiet=0, **settings), schedule.levels)
    steps = list[Step]()
    for k in range(schedule.levels):
        steps.append(take(x, schedule[k], FOUR, z[k], steps[-1] if steps else None))
        x = steps[-1].x_next
    return steps


def eps_hat(x: Tensor, alpha: float, sigma: float) -> Tensor:
    return FOUR(x, Level(alpha, sigma, 1.0, 0.0)).eps_hat


def same(name: str, scheduler: Any, monkeypatch: pytest.MonkeyPatch, *, preserving: bool) -> None:
    """Both take every step from the same points; theirs asks for eps_hat once or twice a step."""
    schedule = levels_of(scheduler, preserving=preserving)
    random = torch.Generator().manual_seed(0)
    z = torch.randn((STEPS, 32, 2), generator=random, dtype=torch.float64)
    x = schedule.sigmas[0] * torch.randn((32, 2), generator=random, dtype=torch.float64)
    steps = ours(name, schedule, x, z)
    given = {"at": 0}
    module = sys.modules[type(scheduler).__module__]
    monkeypatch.setattr(module, "randn_tensor", lambda *_, **__: z[given["at"]], raising=False)
    twice = hasattr(scheduler, "state_in_first_order")
    for k in range(STEPS):
        given["at"] = k
        alpha, sigma = float(schedule.alphas[k]), float(schedule.sigmas[k])
        at = scheduler.timesteps[(2 * k - 1 if k else 0) if twice else k]
        x = scheduler.step(eps_hat(x, alpha, sigma), at, x).prev_sample.double()
        if twice and k < STEPS - 1:
            middle = float(scheduler.sigmas_interpol[2 * k + (name == "dpm2")])
            at = scheduler.timesteps[2 * k]
            x = scheduler.step(eps_hat(x, 1.0, middle), at, x).prev_sample.double()
        scale = max(1.0, float(schedule.sigmas[k]))
        assert float((x - steps[k].x_next).abs().max()) < 1e-4 * scale, (name, k)
        x = steps[k].x_next


SCHEDULERS: list[tuple[str, Callable[[], Any], bool]] = [
    ("euler-ancestral", lambda: diffusers.EulerAncestralDiscreteScheduler(**BETAS), False),
    ("dpm2", lambda: diffusers.KDPM2DiscreteScheduler(**BETAS), False),
    ("dpm2-ancestral", lambda: diffusers.KDPM2AncestralDiscreteScheduler(**BETAS), False),
    ("lms", lambda: diffusers.LMSDiscreteScheduler(**BETAS), False),
    ("deis", lambda: diffusers.DEISMultistepScheduler(solver_order=3, **BETAS), True),
    ("unipc", lambda: diffusers.UniPCMultistepScheduler(solver_order=2, **BETAS), True),
    (
        "dpm++2m-sde",
        lambda: diffusers.DPMSolverMultistepScheduler(
            algorithm_type="sde-dpmsolver++", euler_at_final=True, **BETAS
        ),
        True,
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "make", "preserving"), SCHEDULERS)
def test_a_sampler_equals_its_scheduler(
    name: str, make: Callable[[], Any], preserving: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    same(name, make(), monkeypatch, preserving=preserving)


def points_and_noise(schedule: Schedule, numbers: int = 2) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(1)
    x = schedule.sigmas[0] * torch.randn((32, 2), generator=random, dtype=torch.float64)
    shape = (schedule.levels, 32, numbers)
    return x, torch.randn(shape, generator=random, dtype=torch.float64)


@pytest.mark.filterwarnings("ignore")
def test_dpmpp_sde() -> None:
    """With the noises that our z makes of a step: the whole step's contains that of its half."""
    pytest.importorskip("torchsde")
    scheduler = diffusers.DPMSolverSDEScheduler(**BETAS)
    schedule = levels_of(scheduler, preserving=False)
    x, z = points_and_noise(schedule, 4)
    steps = ours("dpm++sde", schedule, x, z)
    noises = list[Tensor]()
    scheduler.noise_sampler = lambda *_: noises.pop(0)
    for k, step in enumerate(steps):
        sigma, after = float(schedule.sigmas[k]), float(schedule.sigmas[k + 1])
        up = after * (1 - (after / sigma) ** 2) ** 0.5
        noises[:] = [z[k, :, :2], step.noise / (up or 1)]
        at = scheduler.timesteps[max(2 * k - 1, 0)]
        x = scheduler.step(eps_hat(step.x, 1.0, sigma), at, step.x).prev_sample
        if after:
            middle = (sigma * after) ** 0.5
            x = scheduler.step(eps_hat(x, 1.0, middle), scheduler.timesteps[2 * k], x).prev_sample
            assert not noises
        assert float((x - step.x_next).abs().max()) < 1e-4 * max(1.0, sigma), k


@pytest.mark.filterwarnings("ignore")
def test_edm_stochastic() -> None:
    """Karras et al. 2022, Algorithm 2; their model's output is −eps_hat."""
    from diffusers.schedulers.deprecated.scheduling_karras_ve import KarrasVeScheduler

    churn = {"s_churn": 4.0, "s_min": 0.05, "s_max": 2.0, "s_noise": 1.01}
    schedule = karras(12, 0.01, 5, 7)
    module = sys.modules[KarrasVeScheduler.__module__]
    scheduler = KarrasVeScheduler(**churn)
    scheduler.set_timesteps(12)
    x, z = points_and_noise(schedule)
    steps = ours("edm-stochastic", schedule, x, z, **churn)
    with pytest.MonkeyPatch.context() as patch:
        for k, step in enumerate(steps):
            patch.setattr(module, "randn_tensor", lambda *_, k=k, **__: z[k])
            sigma, after = float(schedule.sigmas[k]), float(schedule.sigmas[k + 1])
            hat, raised = scheduler.add_noise_to_input(step.x, sigma)
            assert (raised > sigma) == (0.05 <= sigma <= 2)
            slope = -eps_hat(hat, 1.0, raised)
            made = scheduler.step(slope, raised, after, hat)
            if after:
                ahead = -eps_hat(made.prev_sample, 1.0, after)
                made = scheduler.step_correct(
                    ahead, raised, after, hat, made.prev_sample, made.derivative
                )
            assert float((made.prev_sample - step.x_next).abs().max()) < 1e-9, k


@pytest.mark.filterwarnings("ignore")
def test_predictor_corrector() -> None:
    """With the corrector's step of ours, which theirs derives from the mean norms of the batch."""
    schedule = karras(12, 0.01, 5, 7)
    scheduler = diffusers.ScoreSdeVeScheduler(sampling_eps=0.0)
    module = sys.modules[diffusers.ScoreSdeVeScheduler.__module__]
    scheduler.set_timesteps(12)
    scheduler.discrete_sigmas = schedule.sigmas[:-1].flip(0)
    x, z = points_and_noise(schedule, 4)
    steps = ours("predictor-corrector", schedule, x, z, snr=0.16)
    given = list[Tensor]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "randn_tensor", lambda *_, **__: given.pop(0))
        for k, step in enumerate(steps[:-1]):
            sigma = float(schedule.sigmas[k])
            given[:] = [z[k, :, :2], z[k, :, 2:]]
            score = -eps_hat(step.x, 1.0, sigma) / sigma
            norms = score.norm(dim=1).mean() / given[0].norm(dim=1).mean()
            scheduler.register_to_config(snr=float(0.16 * sigma * norms))
            x = scheduler.step_correct(score, step.x).prev_sample
            score = -eps_hat(x, 1.0, sigma) / sigma
            at = (len(schedule.sigmas) - 2 - k + 0.5) / 11
            made = scheduler.step_pred(score, torch.tensor(at, dtype=torch.float64), x)
            assert float((made.prev_sample - step.x_next).abs().max()) < 1e-6, k


@pytest.mark.filterwarnings("ignore")
def test_dpmpp_3m_sde_begins_as_the_scheduler_of_second_order() -> None:
    """Later steps differ: theirs halves the term of second order, and has a sign of it wrong."""
    scheduler = diffusers.DPMSolverMultistepScheduler(
        algorithm_type="sde-dpmsolver++", solver_type="heun", **BETAS
    )
    schedule = levels_of(scheduler, preserving=True)
    x, z = points_and_noise(schedule)
    for k, step in enumerate(ours("dpm++3m-sde", schedule, x, z)[:2]):
        alpha, sigma = float(schedule.alphas[k]), float(schedule.sigmas[k])
        made = scheduler.step(
            eps_hat(step.x, alpha, sigma), scheduler.timesteps[k], step.x, variance_noise=z[k]
        )
        assert float((made.prev_sample - step.x_next).abs().max()) < 1e-4, k
