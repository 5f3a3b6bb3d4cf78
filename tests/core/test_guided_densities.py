"""What guidance does to a distribution, against closed forms and independent integrals.

The closed forms are those of p(x) = N(0, 2) and p(x|c) = N(0, 1) with α = 1.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from tui_diffusion.core.analysis.energy_distance import mixture_distance
from tui_diffusion.core.analysis.guidance.guided_flow import generated_mixture, guided_flow
from tui_diffusion.core.analysis.guidance.guided_truth import GuidedClass, GuidedTruth
from tui_diffusion.core.analysis.guidance.tilted_density import NotNormalisableError, TiltedDensity
from tui_diffusion.core.analysis.likelihood.probability_flow import Flow
from tui_diffusion.core.guidance import GuidedDenoiser
from tui_diffusion.core.methods import METHODS, IdealDenoiser
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.samplers import ddpm
from tui_diffusion.core.schedules import Level

SIGMA = 80.0
WEIGHTS = (0.0, 1.5, 3.0)
TWO = GaussianMixture([[-1.0], [0.2], [1.0]], [0.2, 0.4, 0.3], [0.2, 0.5, 0.3], labels=[0, 0, 1])


def gaussian(variance: float, dim: int = 1) -> GaussianMixture:
    return GaussianMixture([[0.0] * dim], math.sqrt(variance))


def flow_of(weight: float, dim: int = 1, low: float = 0.0, high: float = math.inf) -> Flow:
    main, guide, start = (gaussian(v, dim) for v in (1.0, 2.0, SIGMA**2))
    return guided_flow(main, guide, weight, low, high, start=start, alpha=1.0, sigma=SIGMA)


def variance_of_ode(weight: float) -> float:
    """The variance in which the ODE from N(0, σ_0²) ends; 2^(1−w) for σ_0 → ∞."""
    s = SIGMA**2
    return s * (2 + s) ** (weight - 1) / ((1 + s) ** weight * 2 ** (weight - 1))


def check_flow(flow: Flow, variance: float, dim: int) -> None:
    """Its density and its sample are those of a Gaussian."""
    exact = gaussian(variance, dim)
    u = torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None].expand(5, dim)
    assert float((flow.log_density(u, steps=32) - exact.log_prob(u)).abs().max()) < 1e-4
    assert mixture_distance(generated_mixture(flow, 1024), exact) < 1e-4


def test_the_tilted_density_and_that_of_the_guided_ode_in_closed_form():
    for dim in (1, 2):
        for weight in WEIGHTS[2 * (dim - 1) :]:
            tilted = TiltedDensity(gaussian(1.0, dim), gaussian(2.0, dim), weight)
            exact = gaussian(2 / (weight + 1), dim)
            assert float((tilted.std() - exact.stds[0]).abs().max()) < 1e-6
            x = torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None].expand(7, dim)
            assert float((tilted.log_prob(x) - exact.log_prob(x)).abs().max()) < 1e-6
            assert mixture_distance(tilted.mixture(), exact) < 1e-5
            assert abs(variance_of_ode(weight) - 2 ** (1 - weight)) < 1e-3
            check_flow(flow_of(weight, dim), variance_of_ode(weight), dim)


def test_guidance_within_an_interval_in_closed_form():
    def log_spread(variance: float, low: float, high: float) -> float:
        """∫ σ/(variance + σ²) dσ."""
        return math.log((variance + high**2) / (variance + low**2)) / 2

    for low, high in ((0.3, 2.0), (0.7, math.inf), (200.0, 300.0)):
        ends = min(low, SIGMA), min(high, SIGMA)
        grown = -log_spread(1.0, 0.0, SIGMA)
        grown -= 2 * (log_spread(1.0, *ends) - log_spread(2.0, *ends))
        check_flow(flow_of(3.0, 1, low, high), SIGMA**2 * math.exp(2 * grown), 1)


def test_guided_ancestral_sampling_in_the_limit_of_many_steps():
    """DDPM ends in neither of them: its limit is (2 − 2^(2−2w))/(2w − 1), 0.3875 at w = 3."""

    def variance(weight: float, levels: int) -> float:
        method = METHODS["ddpm"]
        main, guide = (IdealDenoiser(gaussian(v), method) for v in (1.0, 2.0))
        denoiser = GuidedDenoiser(main, guide, weight)
        sigmas = [*torch.logspace(math.log10(SIGMA), -3, levels).double().tolist(), 0.0]
        one, none = torch.ones((1, 1)).double(), torch.zeros((1, 1)).double()
        result = SIGMA**2
        for sigma, following in pairwise(sigmas):
            level = Level(1.0, sigma, 1.0, following)
            scaled = float(ddpm(one, level, denoiser, none).x_next)
            added = float(ddpm(none, level, denoiser, one).x_next)
            result = scaled**2 * result + added**2
        return result

    for weight, limit in ((1.0, 1.0), (3.0, 0.3875)):
        assert abs((2 - 2 ** (2 - 2 * weight)) / (2 * weight - 1) - limit) < 1e-12
        extrapolated = 2 * variance(weight, 240) - variance(weight, 120)
        assert abs(extrapolated - limit) < 4e-3, extrapolated


def test_a_tilted_density_without_an_integral_is_refused():
    for guide, finite in ((0.9, True), (0.8, False), (0.5, False)):
        if finite:
            assert TiltedDensity(gaussian(1.0), gaussian(guide**2), 3.0).std() == pytest.approx(
                (3 - 2 / guide**2) ** -0.5
            )
        else:
            with pytest.raises(NotNormalisableError, match="tails"):
                TiltedDensity(gaussian(1.0), gaussian(guide**2), 3.0)


def test_elongated_components_are_tilted_by_their_own_axes():
    """Covariances C of p(x|c) and G of p(x): the tilted inverse is w C⁻¹ − (w − 1) G⁻¹."""
    main, guide = ([[1.0, 0.3], [0.3, 0.4]], [[1.5, 0.2], [0.2, 1.0]])
    tilted = TiltedDensity(
        *(GaussianMixture([[0.0, 0.0]], covariances=[c]) for c in (main, guide)), 2.0
    )
    inverse = 2 * torch.tensor(main).inverse() - torch.tensor(guide).inverse()
    exact = GaussianMixture([[0.0, 0.0]], covariances=inverse.inverse()[None])
    x = torch.tensor([[0.0, 0.0], [0.5, -1.0], [1.0, 0.3]]).double()
    assert float((tilted.log_prob(x) - exact.log_prob(x)).abs().max()) < 1e-5
    assert mixture_distance(tilted.mixture(), exact) < 1e-4
    with pytest.raises(NotNormalisableError):  # the guide is too narrow across one direction only
        narrow = GaussianMixture([[0.0, 0.0]], covariances=[[[1.5, 0.0], [0.0, 0.1]]])
        TiltedDensity(GaussianMixture([[0.0, 0.0]], covariances=[main]), narrow, 2.0)


def truth_of(weight: float, labels: tuple[int, ...]) -> GuidedTruth:
    """Guidance of classes of a mixture by the whole."""
    shares = TWO.class_weights()[list(labels)]
    classes = [
        GuidedClass(float(share / shares.sum()), TWO.of_class(label), TWO, TWO.noised(1.0, SIGMA))
        for label, share in zip(labels, shares, strict=True)
    ]
    return GuidedTruth(classes, weight, 1.0, SIGMA)


def test_densities_of_classes_are_normalised_and_as_sampled():
    line = torch.linspace(-5, 5, 501, dtype=torch.float64)
    for labels in ((0,), (0, 1)):
        for sigma in (0.0, 0.3)[: 3 - len(labels)]:
            truth = truth_of(2.5, labels)
            at, x = (1.0, sigma), line[:, None]
            for log_prob, mixture in (
                (truth.conditional(*at).log_prob(x), truth.conditional(*at)),
                (truth.tilted_log_prob(x, *at), truth.tilted_mixture(*at)),
                (truth.guided_log_prob(x, *at, steps=32), truth.guided(*at)),
            ):
                cdf = torch.cumulative_trapezoid(log_prob.exp(), line)
                assert abs(float(cdf[-1]) - 1) < 1e-4
                below = mixture.cdf(line[1:, None])
                assert float((below - cdf).abs().max()) < 2e-3


def test_distances_name_the_distribution_that_was_sampled():
    truth = truth_of(3.0, (0, 1))
    random = torch.Generator().manual_seed(0)
    names = ("conditional", "tilted", "guided")
    for name, mixture in zip(
        names, (truth.conditional(), truth.tilted_mixture(), truth.guided()), strict=True
    ):
        found = truth.distances(mixture.sample(2000, random))
        assert found.reason == "" and found.real < 2e-3
        for other in names:
            distance = getattr(found, other)
            assert distance < 4 * found.real if other == name else distance > 8 * found.real


def test_a_weaker_guide_of_the_same_distribution_changes_nothing_in_the_ideal():
    main = TWO.of_class(0)
    truth = GuidedTruth([GuidedClass(1.0, main, main, main.noised(1, SIGMA))], 3.0, 1.0, SIGMA)
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    for log_prob in (truth.tilted_log_prob(x), truth.guided_log_prob(x)):
        assert float((log_prob - main.log_prob(x)).abs().max()) < 1e-4


def test_distances_without_a_tilted_density_say_why():
    narrow = GuidedClass(1.0, gaussian(1.0), gaussian(0.5), gaussian(SIGMA**2))
    truth = GuidedTruth([narrow], 3.0, 1.0, SIGMA)
    found = truth.distances(gaussian(1.0).sample(50, torch.Generator().manual_seed(0)))
    assert found.tilted is None and "tails" in found.reason and found.guided > 0
