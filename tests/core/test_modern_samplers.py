"""Samplers against the exact denoiser: order of convergence, and each against its equals."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from tui_diffusion.core.assemble import make_method, make_mixture, sampling_schedule
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment, build
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.core.samplers import ddim, ddpm, euler, heun
from tui_diffusion.core.schedules import Schedule, cosine, flow, from_betas, karras, linear_betas
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each

MODERN = ("ddpm", "ddim", "euler", "heun", "dpm++2m")


def experiment(**settings: object) -> Experiment:
    base = build(
        {
            "data": {"name": "four-gaussians"},
            "method": {"name": "edm"},
            "schedule": {"kind": "karras", "levels": 40, "sigma_min": 0.01, "sigma_max": 3},
            "sampling": {"sampler": "heun", "start": "exact", "points": 500},
        }
    )
    return base.with_settings(settings)


def ideal(of: Experiment) -> IdealDenoiser:
    mixture = make_mixture(of.data)
    return IdealDenoiser(mixture, make_method(of.method, mixture))


def ode(of: Experiment, sampler: str, levels: int, x: Tensor) -> Tensor:
    """Where the ODE takes x from σ = 3 to the last level above zero, in float64."""
    step = {"euler": euler, "heun": heun}[sampler]
    denoiser = ideal(of)
    schedule = karras(levels, 0.3, 3, 7)
    for k in range(levels - 1):
        x = step(x, schedule[k], denoiser, torch.zeros_like(x)).x_next
    return x


@pytest.mark.parametrize(("sampler", "order"), [("euler", 1), ("heun", 2)])
def test_order_of_convergence(sampler: str, order: int) -> None:
    """Halving the steps' size divides the error by 2^order."""
    of = experiment()
    x = 3 * torch.randn(300, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    truth = ode(of, "heun", 2000, x)
    errors = [float((ode(of, sampler, n, x) - truth).norm(dim=1).mean()) for n in (81, 161, 321)]
    orders = [math.log2(a / b) for a, b in pairwise(errors)]
    assert orders[-1] == pytest.approx(order, abs=0.2), (errors, orders)


def test_ddim_with_eta_1_is_ddpm_and_with_eta_0_is_euler() -> None:
    of = experiment(**{"method.name": "ddpm"})
    denoiser, schedule = ideal(of), cosine(12)
    random = torch.Generator().manual_seed(1)
    for k in range(12):
        x, z = torch.randn(2, 64, 2, generator=random, dtype=torch.float64)
        level = schedule[k]
        assert torch.allclose(
            ddim(x, level, denoiser, z, eta=1.0).x_next, ddpm(x, level, denoiser, z).x_next
        )
        assert torch.allclose(
            ddim(x, level, denoiser, z).x_next, euler(x, level, denoiser, z).x_next
        )


def test_variance_preserving_and_exploding_forms_agree() -> None:
    """x/α of the one is x of the other, when σ/α are the same: one ODE and one chain."""
    of = experiment(**{"method.name": "ddpm"})
    denoiser = ideal(of)
    vp = from_betas([0.01, 0.1, 0.3, 0.5, 0.8])
    ve = Schedule(torch.ones_like(vp.alphas), vp.sigmas / vp.alphas)
    random = torch.Generator().manual_seed(2)
    x, z = torch.randn(2, 5, 50, 2, generator=random, dtype=torch.float64)
    for k in range(5):
        for step in (euler, ddim, ddpm):
            a = step(x[k], vp[k], denoiser, z[k])
            b = step(x[k] / vp.alphas[k], ve[k], denoiser, z[k])
            # The chain's noise has the scale of its own form; its mean and spread agree.
            assert torch.allclose(a.mean / vp.alphas[k + 1], b.mean)
            assert torch.allclose(a.noise / vp.alphas[k + 1], b.noise)


@pytest.mark.parametrize("sampler", MODERN)
@for_each("method", ["naive", "naive-exact", "ddpm", "edm", "flow"])
def test_every_sampler_takes_every_method(method: str, sampler: str) -> None:
    """With the exact denoiser all of them reach the data, from a schedule fine enough."""
    of = experiment(**{"method.name": method})
    if method == "ddpm":
        of = of.with_settings({"schedule.kind": "cosine"})
    if method == "flow":
        of = of.with_settings({"schedule.kind": "flow", "schedule.rho": 3})
    of = of.with_settings({"sampling.sampler": sampler, "schedule.levels": 60})
    trajectory = denoise(of, ideal(of))
    assert len(trajectory.x) == 61 and bool(torch.isfinite(trajectory.x).all())
    distance = (trajectory.result.abs() - 1).norm(dim=1)
    assert float(distance.median()) < 0.05


@for_each("kind", ["karras", "cosine", "flow"])
@for_each("method", ["edm", "flow"])
def test_methods_that_know_every_level_take_every_schedule(method: str, kind: str) -> None:
    of = experiment(**{"method.name": method, "schedule.kind": kind, "sampling.levels": 30})
    trajectory = denoise(of, ideal(of))
    assert trajectory.levels == 30
    assert float((trajectory.result.abs() - 1).norm(dim=1).median()) < 0.05


def test_a_part_of_a_schedule_tells_the_network_its_own_levels() -> None:
    of = experiment(**{"method.name": "ddpm", "schedule.kind": "linear-beta"})
    whole = linear_betas(40, of.schedule.beta_min, of.schedule.beta_max)
    part = sampling_schedule(of.with_settings({"sampling.levels": 7}))
    assert part.levels == 7
    assert part.alphas[0] == whole.alphas[0] and part.alphas[-1] == 1
    method = make_method(of.method, make_mixture(of.data))
    for k in range(7):
        level = part[k]
        told = whole[level.trained.index or 0]
        assert level.alpha == told.alpha and method.condition(level) == method.condition(told)
        assert level.following is None or level.following.alpha == level.alpha_next


def test_levels_that_cannot_be() -> None:
    of = experiment(**{"method.name": "ddpm", "schedule.kind": "cosine"})
    with pytest.raises(ConfigError, match=r"sampling.levels: 41 .*allowed: 0 to 40"):
        of.with_settings({"sampling.levels": 41})
    naive = build({"name": "x"})
    with pytest.raises(ConfigError, match=r"sampling.levels: 5 does not go with sampler 'naive'"):
        naive.with_settings({"sampling.levels": 5})
    with pytest.raises(ConfigError, match=r"sampling.sampler: 'naive' does not go with"):
        of.with_settings({"sampling.sampler": "naive"})


def test_schedules() -> None:
    straight = flow(10)
    assert torch.allclose(straight.alphas + straight.sigmas, torch.ones(11).double())
    assert torch.allclose(straight.sigmas, torch.linspace(1, 0, 11).double())
    for schedule in (cosine(30), linear_betas(30, 1e-4, 0.02), flow(30, 4)):
        assert schedule.sigmas[-1] == 0 and schedule.alphas[-1] == 1
        assert bool((schedule.alphas.diff() > 0).all()) and bool((schedule.sigmas.diff() < 0).all())
    # Nichol and Dhariwal's alpha_bar, where no beta is cut off.
    u = torch.linspace(0, 1, 31).double()
    bar = (math.pi / 2 * (u + 0.008) / 1.008).cos() ** 2
    assert torch.allclose(cosine(30).alpha_bars.flip(0)[:-1], (bar / bar[0])[:-1])


def test_steps_equal_those_of_diffusers() -> None:
    """DDPM and DDIM steps under shared noise, to 1e-6."""
    diffusers = pytest.importorskip("diffusers")
    betas = torch.linspace(1e-3, 0.3, 12, dtype=torch.float64)
    schedule = from_betas(betas)
    common = {"num_train_timesteps": 12, "trained_betas": betas.numpy(), "clip_sample": False}
    of = experiment(**{"method.name": "ddpm"})
    denoiser = ideal(of)
    theirs_ddpm = diffusers.DDPMScheduler(variance_type="fixed_small", **common)
    theirs_beta = diffusers.DDPMScheduler(variance_type="fixed_large", **common)
    theirs_ddim = diffusers.DDIMScheduler(set_alpha_to_one=True, **common)
    for scheduler in (theirs_ddpm, theirs_beta, theirs_ddim):
        scheduler.alphas_cumprod = scheduler.alphas_cumprod.double()
        scheduler.alphas, scheduler.betas = scheduler.alphas.double(), scheduler.betas.double()
        scheduler.set_timesteps(12)
    random = torch.Generator().manual_seed(3)
    for k in range(12):
        t, x = 11 - k, torch.randn(32, 2, generator=random, dtype=torch.float64)
        z = torch.randn(x.shape, generator=torch.Generator().manual_seed(k), dtype=x.dtype) * float(
            t > 0
        )
        said = denoiser(x, schedule[k]).eps_hat
        for scheduler, posterior in ((theirs_ddpm, True), (theirs_beta, False)):
            given = torch.Generator().manual_seed(k)
            want = scheduler.step(said, t, x, generator=given).prev_sample
            ours = ddpm(x, schedule[k], denoiser, z, posterior=posterior).x_next
            assert torch.allclose(ours, want, atol=1e-6), (k, posterior)
        for eta in (0.0, 0.5, 1.0):
            noise = z if eta else None
            want = theirs_ddim.step(said, t, x, eta=eta, variance_noise=noise).prev_sample
            ours = ddim(x, schedule[k], denoiser, z, eta=eta).x_next
            assert torch.allclose(ours, want, atol=1e-6), (k, eta)
