"""The exact truth: score, denoiser and log density of every data set, far off the support too."""

from __future__ import annotations

import pytest
import torch

from tui_diffusion.core.assemble import make_method, make_mixture, make_schedule
from tui_diffusion.core.config.experiment import build
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.core.mixtures import GaussianMixture

DATA = (
    "gaussian-1d",
    "four-gaussians",
    "two-modes",
    "heavy-light",
    "ring",
    "moons",
    "checkerboard",
    "pinwheel",
)


@pytest.mark.parametrize("name", DATA)
def test_score_is_the_gradient_of_log_prob_and_denoise_is_tweedie(name: str) -> None:
    mixture = make_mixture(build({"data": {"name": name}}).data)
    random = torch.Generator().manual_seed(0)
    for alpha, sigma in ((1.0, 0.1), (0.6, 0.8), (1.0, 3.0)):
        x = mixture.noised(alpha, sigma).sample(40, random, dtype=torch.float64)
        std = mixture.noised(alpha, sigma).stds.max()
        far = x + 50 * std * torch.nn.functional.normalize(torch.ones_like(x))
        for points in (x, far):
            points = points.clone().requires_grad_()
            (slope,) = torch.autograd.grad(mixture.log_prob(points, alpha, sigma).sum(), points)
            score = mixture.score(points.detach(), alpha, sigma)
            assert torch.allclose(score, slope, rtol=1e-5, atol=1e-5)
            tweedie = (points.detach() + sigma**2 * slope) / alpha
            denoised = mixture.denoise(points.detach(), alpha, sigma)
            assert torch.allclose(denoised, tweedie, rtol=1e-5, atol=1e-5)


def test_many_components_need_little_memory_and_change_nothing() -> None:
    random = torch.Generator().manual_seed(1)
    means = torch.randn(3000, 2, generator=random, dtype=torch.float64)
    many = GaussianMixture(means, 0.1)
    x = torch.randn(1000, 2, generator=random, dtype=torch.float64)
    sigma = torch.rand(1000, 1, generator=random, dtype=torch.float64) + 0.1
    at_once = many.denoise(x, 1.0, sigma)
    one_by_one = torch.cat([many.denoise(x[i : i + 1], 1.0, sigma[i : i + 1]) for i in range(50)])
    assert torch.allclose(at_once[:50], one_by_one)


@pytest.mark.parametrize("method", ["naive", "naive-exact", "ddpm", "edm", "flow"])
def test_an_output_reads_as_what_it_was_made_of(method: str) -> None:
    """read(target(x0, eps)) gives x0 and eps back, wherever the target says anything of them."""
    of = build({"data": {"name": "gaussian-2d"}}).with_settings({"method.name": method})
    mixture = make_mixture(of.data)
    known = make_method(of.method, mixture)
    schedule = make_schedule(of.schedule)
    random = torch.Generator().manual_seed(2)
    x0, eps = torch.randn(2, 20, 2, generator=random, dtype=torch.float64)
    for k in range(1, schedule.levels - 1):
        level = schedule[k]
        x = level.alpha * x0 + level.sigma * eps
        said = known.to_prediction(known.target(x0, eps, level), x, level)
        assert torch.allclose(said.x0_hat, x0) and torch.allclose(said.eps_hat, eps)
        best = IdealDenoiser(mixture, known)(x, level)
        again = known.to_prediction(best.output, x, level)
        assert torch.allclose(again.x0_hat, best.x0_hat, atol=1e-9)
