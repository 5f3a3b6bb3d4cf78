"""Denoisers of classes and guidance, on exact mixtures."""

import math

import torch

from tui_diffusion.core.guidance import ClassDenoiser, GuidedDenoiser, for_points
from tui_diffusion.core.methods import METHODS, IdealDenoiser
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.schedules import Level

MIXTURE = GaussianMixture(
    [[-1.0, 0.0], [1.0, 0.5], [0.0, 2.0]], [0.1, 0.3, 0.2], [0.2, 0.5, 0.3], labels=[0, 1, 1]
)
X = torch.randn((9, 2), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LABELS = torch.arange(9) % 2
LEVEL = Level(0.8, 0.6, 0.9, 0.3)


def test_each_point_is_denoised_by_its_own_class_in_any_batch() -> None:
    denoiser = ClassDenoiser(MIXTURE, METHODS["ddpm"], LABELS)
    whole = denoiser(X, LEVEL)
    for i, label in enumerate(LABELS.tolist()):
        alone = MIXTURE.of_class(label).denoise(X[i : i + 1], LEVEL.alpha, LEVEL.sigma)
        part = for_points(denoiser, slice(i, i + 1))(X[i : i + 1], LEVEL)
        assert float((whole.x0_hat[i] - alone[0]).abs().max()) <= 1e-12
        assert torch.equal(part.x0_hat[0], whole.x0_hat[i])
    both = LEVEL.alpha * whole.x0_hat + LEVEL.sigma * whole.eps_hat
    assert float((both - X).abs().max()) <= 1e-12


def test_the_posterior_mean_is_that_of_the_classes_by_their_probability() -> None:
    """E[x_0 | x] = Σ_c p(c | x) E[x_0 | x, c]."""
    share = MIXTURE.responsibilities(X, LEVEL.alpha, LEVEL.sigma)
    first = share[:, :1]
    each = [
        ClassDenoiser(MIXTURE, METHODS["ddpm"], torch.full((9,), c))(X, LEVEL).x0_hat
        for c in (0, 1)
    ]
    mean = first * each[0] + (1 - first) * each[1]
    assert float((mean - MIXTURE.denoise(X, LEVEL.alpha, LEVEL.sigma)).abs().max()) <= 1e-12


def test_guidance_extrapolates_within_its_interval_only() -> None:
    main = ClassDenoiser(MIXTURE, METHODS["ddpm"], LABELS)
    guide = IdealDenoiser(MIXTURE, METHODS["ddpm"])
    strong, weak = main(X, LEVEL), guide(X, LEVEL)
    expected = weak.x0_hat + 3 * (strong.x0_hat - weak.x0_hat)
    guided = GuidedDenoiser(main, guide, 3.0)(X, LEVEL)
    assert float((guided.x0_hat - expected).abs().max()) <= 1e-12
    both = LEVEL.alpha * guided.x0_hat + LEVEL.sigma * guided.eps_hat
    assert float((both - X).abs().max()) <= 1e-12
    for low, high in ((0.8, 9.0), (0.0, 0.7)):
        outside = GuidedDenoiser(main, guide, 3.0, low, high)(X, LEVEL)
        assert torch.equal(outside.x0_hat, strong.x0_hat)
    assert torch.equal(GuidedDenoiser(main, guide, 1.0)(X, LEVEL).x0_hat, strong.x0_hat)


def test_pure_noise_is_guided_without_an_upper_limit_only() -> None:
    noise = Level(0.0, 1.0, 0.1, 0.9)
    main = ClassDenoiser(MIXTURE, METHODS["flow"], LABELS)
    guide = IdealDenoiser(MIXTURE, METHODS["flow"])
    strong, weak = main(X, noise).x0_hat, guide(X, noise).x0_hat
    for high, weight in ((1e6, 3.0), (math.inf, 3.0), (9e5, 1.0)):
        guided = GuidedDenoiser(main, guide, 3.0, 0.0, high)(X, noise)
        expected = weak + weight * (strong - weak)
        assert float((guided.x0_hat - expected).abs().max()) <= 1e-12


def test_some_points_are_guided_as_among_all() -> None:
    main = ClassDenoiser(MIXTURE, METHODS["ddpm"], LABELS)
    denoiser = GuidedDenoiser(main, IdealDenoiser(MIXTURE, METHODS["ddpm"]), 2.0)
    part = slice(3, 7)
    alone = for_points(denoiser, part)(X[part], LEVEL).x0_hat
    assert float((alone - denoiser(X, LEVEL).x0_hat[part]).abs().max()) <= 1e-12
