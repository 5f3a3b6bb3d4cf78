"""Rectified flow: straight paths, the velocity, and every schedule."""

from __future__ import annotations

import pytest
import torch

from tui_diffusion.core.assemble import make_method, make_mixture
from tui_diffusion.core.config.experiment import build
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.methods import Flow, IdealDenoiser
from tui_diffusion.core.samplers import euler, heun
from tui_diffusion.core.schedules import Level, flow, karras
from tui_diffusion.core.trajectory import denoise


def test_an_euler_step_follows_the_velocity() -> None:
    """x' = x + (t' − t) v on the flow's own schedule, from t = 1 where nothing is left of x_0."""
    of = build({"data": {"name": "moons"}}).with_settings({"method.name": "flow"})
    mixture = make_mixture(of.data)
    denoiser = IdealDenoiser(mixture, make_method(of.method, mixture))
    schedule = flow(8)
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for k in range(8):
        level = schedule[k]
        v = denoiser(x, level).output
        t, t_next = float(level.sigma), float(level.sigma_next)
        step = euler(x, level, denoiser, torch.zeros_like(x))
        assert torch.allclose(step.x_next, x + (t_next - t) * v)
        if k < 7:
            ahead = denoiser(step.x_next, schedule[k + 1]).output
            both = heun(x, level, denoiser, torch.zeros_like(x))
            assert torch.allclose(both.x_next, x + (t_next - t) * (v + ahead) / 2)
        x = step.x_next


def test_the_network_sees_the_same_path_whatever_the_schedule() -> None:
    """x_0 and ε with one σ/α give one input, one condition and one target in every form."""
    method = Flow()
    x0, eps = torch.randn(2, 20, 2, generator=torch.Generator().manual_seed(1)).double()
    own = Level(0.4, 0.6, 1.0, 0.0)
    for scale in (1 / 0.4, 0.3, 7.0):
        other = Level(0.4 * scale, 0.6 * scale, 1.0, 0.0)
        a, b = (level.alpha * x0 + level.sigma * eps for level in (own, other))
        assert torch.allclose(method.network_input(a, own), method.network_input(b, other))
        assert float(method.condition(own)) == pytest.approx(float(method.condition(other)))
        said = method.to_prediction(method.target(x0, eps, other), b, other)
        assert torch.allclose(said.x0_hat, x0) and torch.allclose(said.eps_hat, eps)


def test_levels_are_drawn_between_data_and_noise() -> None:
    level = Flow(-1.0, 1.5).sample_level(torch.linspace(1e-6, 1 - 1e-6, 1001).double())
    assert torch.allclose(
        torch.as_tensor(level.alpha) + torch.as_tensor(level.sigma), torch.ones(1001).double()
    )
    middle = torch.as_tensor(level.sigma)[500]
    assert float(middle.logit()) == pytest.approx(-1.0, abs=1e-6)


def test_one_level_of_the_exact_flow_gives_the_mean() -> None:
    """At t = 1 nothing is known, so a single step leads all points to E[x_0]."""
    of = PRESETS["flow-multimodal"].experiment.with_settings(
        {"sampling.levels": 1, "data.name": "heavy-light"}
    )
    mixture = make_mixture(of.data)
    denoiser = IdealDenoiser(mixture, make_method(of.method, mixture))
    result = denoise(of, denoiser, points=30).result
    assert torch.allclose(result.double(), mixture.mean().expand(30, 2), atol=1e-5)
    assert karras(3, 0.1, 1, 7).levels == 3
