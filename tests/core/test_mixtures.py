"""The exact truth: density, score and ideal denoiser of noised Gaussian mixtures."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tui_diffusion.core.mixtures import GaussianMixture

from ..cases import for_each

FOUR = GaussianMixture([[-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [1.0, 1.0]], 0.01)
UNEVEN = GaussianMixture([[-1.0], [0.5], [2.0]], [0.1, 0.3, 0.05], [0.2, 0.5, 0.3])

coordinate = st.floats(-3, 3)
levels = st.tuples(st.floats(0.05, 1.0), st.floats(0.0, 2.0))


@st.composite
def mixtures(draw: st.DrawFn, dim: int | None = None) -> GaussianMixture:
    d = dim or draw(st.integers(1, 2))
    count = draw(st.integers(1, 5))
    point = st.lists(coordinate, min_size=d, max_size=d)
    means = draw(st.lists(point, min_size=count, max_size=count))
    stds = draw(st.lists(st.floats(0.05, 1.0), min_size=count, max_size=count))
    weights = draw(st.lists(st.floats(0.05, 1.0), min_size=count, max_size=count))
    return GaussianMixture(means, stds, weights)


def points_near(mixture: GaussianMixture, alpha: float, sigma: float, seed: int) -> torch.Tensor:
    """Typical points of the noised data, and points well off it; (48, d) float64."""
    random = torch.Generator().manual_seed(seed)
    typical = mixture.noised(alpha, sigma).sample(32, random, dtype=torch.float64)
    wide = 8 * torch.randn((16, mixture.dim), generator=random, dtype=torch.float64)
    return torch.cat((typical, wide))


def gap(a: torch.Tensor, b: torch.Tensor) -> float:
    """The greatest absolute difference; the shapes must agree."""
    assert a.shape == b.shape
    return float((a - b).abs().max())


@given(mixtures(), levels, st.integers(0, 1000))
def test_the_score_is_the_gradient_of_log_prob(mixture, level, seed):
    x = points_near(mixture, *level, seed).requires_grad_()
    (gradient,) = torch.autograd.grad(mixture.log_prob(x, *level).sum(), x)
    score = mixture.score(x.detach(), *level)
    # 1e-5 absolute; relative beside scores that are themselves in the thousands.
    assert float(((score - gradient).abs() / gradient.abs().clamp_min(1.0)).max()) < 1e-5


@for_each("mixture", [FOUR, UNEVEN])
@for_each("alpha, sigma", [(1.0, 0.3), (0.6, 0.8), (0.05, 1.0)])
def test_score_agrees_with_autograd_to_1e_5_absolute(mixture, alpha, sigma):
    x = mixture.noised(alpha, sigma).sample(
        500, torch.Generator().manual_seed(1), dtype=torch.float64
    )
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(mixture.log_prob(x, alpha, sigma).sum(), x)
    assert gap(mixture.score(x.detach(), alpha, sigma), gradient) < 1e-5


@given(mixtures(), levels, st.integers(0, 1000))
def test_denoising_is_tweedies_formula(mixture, level, seed):
    alpha, sigma = level
    x = points_near(mixture, alpha, sigma, seed)
    tweedie = (x + sigma**2 * mixture.score(x, alpha, sigma)) / alpha
    denoised = mixture.denoise(x, alpha, sigma)
    assert gap(denoised, tweedie) < 1e-8 / alpha


@given(mixtures(), levels, st.integers(0, 1000))
def test_noising_the_mixture_and_asking_at_a_level_are_one(mixture, level, seed):
    x = points_near(mixture, *level, seed)
    noised = mixture.noised(*level)
    there, here = noised.log_prob(x), mixture.log_prob(x, *level)
    assert float(((there - here).abs() / here.abs().clamp_min(1.0)).max()) < 1e-12


def test_one_gaussian_has_the_density_of_the_textbook():
    mixture = GaussianMixture([[1.0]], 0.5)
    x = torch.tensor([[0.0], [1.0], [2.5]], dtype=torch.float64)
    mean, variance = 0.8 * 1.0, 0.8**2 * 0.5**2 + 0.3**2
    expected = -((x[:, 0] - mean) ** 2) / (2 * variance) - math.log(2 * math.pi * variance) / 2
    assert gap(mixture.log_prob(x, 0.8, 0.3), expected) < 1e-12
    assert gap(mixture.score(x, 0.8, 0.3), -(x - mean) / variance) < 1e-12


def test_denoising_is_the_posterior_mean_by_quadrature_in_1d():
    alpha, sigma = 0.7, 0.4
    x0 = torch.linspace(-4, 5, 200_001, dtype=torch.float64)[:, None]
    prior = UNEVEN.log_prob(x0)
    for x in (-2.0, -0.3, 0.2, 0.9, 1.6, 3.0):
        weight = (prior - (x - alpha * x0[:, 0]) ** 2 / (2 * sigma**2)).softmax(0)
        expected = float(weight @ x0[:, 0])
        denoised = float(UNEVEN.denoise(torch.tensor([[x]], dtype=torch.float64), alpha, sigma))
        assert abs(denoised - expected) < 1e-6


def test_denoising_is_the_posterior_mean_by_monte_carlo_in_2d():
    mixture = GaussianMixture([[-1.0, 1.0], [1.0, 0.0]], [0.3, 0.5], [0.3, 0.7])
    alpha, sigma = 0.8, 0.6
    x0 = mixture.sample(400_000, torch.Generator().manual_seed(0), dtype=torch.float64)
    for x in ([0.0, 0.3], [-1.2, 1.5], [1.0, -0.5]):
        point = torch.tensor([x], dtype=torch.float64)
        weight = (-((point - alpha * x0) ** 2).sum(1) / (2 * sigma**2)).softmax(0)
        expected = weight @ x0
        error = ((weight[:, None] * (x0 - expected)) ** 2).sum(0).sqrt().max()
        assert gap(mixture.denoise(point, alpha, sigma)[0], expected) < 6 * float(error)
        assert float(error) < 0.01


@given(mixtures(), st.floats(0.05, 1.0), st.integers(0, 100))
def test_without_noise_denoising_undoes_the_scale(mixture, alpha, seed):
    x = points_near(mixture, alpha, 0.0, seed)
    assert gap(mixture.denoise(x, alpha, 0.0), x / alpha) < 1e-9 / alpha


@for_each("mixture", [FOUR, UNEVEN])
@for_each("alpha, sigma", [(1.0, 0.0), (1.0, 0.001), (0.5, 1.0), (1e-8, 1.0)])
@for_each(
    "far, dtype",
    [
        (50 * 0.01, torch.float64),
        (50.0, torch.float32),
        (1e6, torch.float32),
        (1e6, torch.float64),
        (1e30, torch.float32),
        (3e38, torch.float32),
        (1e200, torch.float64),
        (1e308, torch.float64),
    ],
)
def test_everything_is_finite_far_off_the_support(mixture, alpha, sigma, far, dtype):
    x = torch.full((4, mixture.dim), far, dtype=dtype)
    x[1] = -far
    x[2, 0] = 0.0
    x[3] = 0.0
    results = [mixture.log_prob(x, alpha, sigma), mixture.score(x, alpha, sigma)]
    results.append(mixture.denoise(x, alpha, sigma))
    for values in results:
        assert values.dtype == dtype
        assert bool(torch.isfinite(values).all())


def test_fifty_std_off_the_score_still_points_home_exactly():
    x = torch.tensor([[1 + 50 * 0.01, 1 + 50 * 0.01], [1e6, 1e6]], dtype=torch.float64)
    expected = (torch.tensor([1.0, 1.0], dtype=torch.float64) - x) / 0.01**2
    assert float(((FOUR.score(x) - expected) / expected).abs().max()) < 1e-12


@given(mixtures(), st.integers(0, 1000))
def test_a_level_for_each_point_agrees_with_one_level_at_a_time(mixture, seed):
    random = torch.Generator().manual_seed(seed)
    x = torch.randn((6, mixture.dim), generator=random, dtype=torch.float64)
    alphas = torch.rand((6, 1), generator=random, dtype=torch.float64) + 0.05
    sigmas = torch.rand((6, 1), generator=random, dtype=torch.float64)
    for ask in (mixture.log_prob, mixture.score, mixture.denoise):
        together = ask(x, alphas, sigmas)
        apart = torch.cat([ask(x[i : i + 1], float(alphas[i]), float(sigmas[i])) for i in range(6)])
        assert gap(together, apart) < 1e-9


@given(mixtures(dim=1), levels)
def test_the_cdf_has_the_pdf_as_its_slope(mixture, level):
    noised = mixture.noised(*level)
    x = points_near(mixture, *level, 0)[:32]
    h = 1e-4 * float(noised.stds.min())
    slope = (mixture.cdf(x + h, *level) - mixture.cdf(x - h, *level)) / (2 * h)
    pdf = mixture.log_prob(x, *level).exp()
    assert gap(slope, pdf) < 1e-5 * float(pdf.max())


def test_the_cdf_runs_from_zero_to_one_and_is_for_1d_alone():
    x = torch.tensor([[-50.0], [50.0]], dtype=torch.float64)
    assert UNEVEN.cdf(x).tolist() == pytest.approx([0.0, 1.0], abs=1e-15)
    with pytest.raises(ValueError, match="one-dimensional"):
        FOUR.cdf(torch.zeros(1, 2))


@given(mixtures(dim=1), levels)
def test_the_pdf_integrates_to_one_in_1d(mixture, level):
    noised = mixture.noised(*level)
    reach = float(noised.stds.max()) * 9 + 4
    x = torch.linspace(-reach, reach, 40_001, dtype=torch.float64)
    assert abs(float(torch.trapezoid(mixture.log_prob(x[:, None], *level).exp(), x)) - 1) < 1e-6


def test_the_pdf_integrates_to_one_in_2d():
    mixture = GaussianMixture([[-1.0, 1.0], [1.0, 0.0]], [0.3, 0.5], [0.3, 0.7])
    axis = torch.linspace(-6, 6, 601, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    cell = float(axis[1] - axis[0]) ** 2
    assert abs(float(mixture.log_prob(grid, 0.8, 0.3).exp().sum()) * cell - 1) < 1e-6


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("mixture", [FOUR, UNEVEN], ids=["2d", "1d"])
def test_samples_have_the_moments(mixture, balanced):
    n = 200_000
    x = mixture.sample(n, torch.Generator().manual_seed(3), balanced=balanced).double()
    assert x.shape == (n, mixture.dim)
    bound = 5 * mixture.std() / n**0.5
    assert bool(((x.mean(0) - mixture.mean()).abs() < bound).all())
    deviation = (x - mixture.mean()) ** 2
    error = deviation.std(0) / n**0.5
    assert bool(((deviation.mean(0) - mixture.std() ** 2).abs() < 5 * error + 1e-9).all())


def test_moments_in_closed_form():
    assert gap(UNEVEN.mean(), torch.tensor([0.65], dtype=torch.float64)) < 1e-12
    second = 0.2 * (1 + 0.01) + 0.5 * (0.25 + 0.09) + 0.3 * (4 + 0.0025)
    assert abs(float(UNEVEN.std()) - math.sqrt(second - 0.65**2)) < 1e-12
    assert gap(FOUR.std(), torch.full((2,), math.sqrt(1 + 1e-4), dtype=torch.float64)) < 1e-12


@for_each("n, counts", [(128, [32, 32, 32, 32]), (2000, [500] * 4), (4, [1] * 4)])
def test_balanced_draws_hold_every_component_equally(n, counts):
    assert FOUR.components(n, balanced=True).bincount(minlength=4).tolist() == counts
    x = FOUR.sample(n, torch.Generator().manual_seed(0), balanced=True)
    nearest = torch.cdist(x.double(), FOUR.means).argmin(1)
    assert nearest.bincount(minlength=4).tolist() == counts


@given(mixtures(), st.integers(1, 300))
def test_balanced_counts_are_the_weights_to_rounding(mixture, n):
    counts = mixture.components(n, balanced=True).bincount(minlength=mixture.modes)
    assert int(counts.sum()) == n
    assert float((counts - n * mixture.weights).abs().max()) <= 1 + 1e-6


def test_chance_draws_follow_the_weights():
    n = 100_000
    counts = UNEVEN.components(n, torch.Generator().manual_seed(0)).bincount(minlength=3)
    expected = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    assert float((counts / n - expected).abs().max()) < 5 * 0.5 / n**0.5


def test_the_same_generator_gives_the_same_points():
    first = UNEVEN.sample(100, torch.Generator().manual_seed(5))
    assert torch.equal(first, UNEVEN.sample(100, torch.Generator().manual_seed(5)))
    assert not torch.equal(first, UNEVEN.sample(100, torch.Generator().manual_seed(6)))


def test_weights_are_scaled_and_shapes_are_checked():
    mixture = GaussianMixture([[0.0], [1.0]], 0.1, [2.0, 6.0])
    assert mixture.weights.tolist() == pytest.approx([0.25, 0.75], abs=1e-15)
    assert (mixture.dim, mixture.modes) == (1, 2)
    with pytest.raises(ValueError, match="shape"):
        GaussianMixture([0.0, 1.0], 0.1)  # type: ignore[list-item]


@given(mixtures(2), levels, st.floats(0.1, 50))
def test_the_density_on_a_lattice_is_the_density(mixture, level, reach):
    noised = mixture.noised(level[0], max(level[1], 0.01))
    xs = torch.linspace(-reach, reach, 7, dtype=torch.float64)
    ys = torch.linspace(reach, -reach / 2, 5, dtype=torch.float64)
    pairs = torch.stack([torch.stack((x, y)) for y in ys for x in xs])
    exact = noised.log_prob(pairs).exp().reshape(5, 7)
    found = noised.density_grid(xs, ys)
    assert found.isfinite().all()
    assert gap(found, exact) <= 1e-12 * float(exact.max()) + 1e-300


def test_a_lattice_has_two_axes():
    with pytest.raises(ValueError):
        UNEVEN.density_grid(torch.zeros(2), torch.zeros(3))


def test_a_class_holds_its_components_and_the_classes_make_up_the_whole():
    mixture = GaussianMixture(
        [[-1.0], [0.5], [2.0]], [0.1, 0.3, 0.05], [0.2, 0.5, 0.3], labels=[1, 0, 1]
    )
    assert mixture.classes == 2
    x = torch.linspace(-3, 3, 50, dtype=torch.float64)[:, None]
    weights = mixture.class_weights()
    assert gap(weights, torch.tensor([0.5, 0.5], dtype=torch.float64)) <= 1e-12
    noised = mixture.noised(0.7, 0.4)
    parts = [w * noised.of_class(c).log_prob(x).exp() for c, w in enumerate(weights)]
    assert gap(sum(parts), noised.log_prob(x).exp()) <= 1e-12
    assert UNEVEN.classes == 1
    with pytest.raises(ValueError, match="label must be one of 0 to 1"):
        mixture.of_class(2)


@for_each(
    "labels, error",
    [
        ([0], "labels must be 2 whole numbers, one for each component .*shape \\(1,\\)"),
        ([0.5, 1.0], "labels must be 2 whole numbers, one for each component .*float"),
        ([-1, 0], "labels must be whole numbers from 0 .got -1"),
        (["a", "b"], "labels must be 2 whole numbers"),
    ],
)
def test_labels_that_cannot_be_are_refused(labels, error):
    with pytest.raises((ValueError, TypeError), match=error):
        GaussianMixture([[0.0], [1.0]], 0.1, labels=labels)


@for_each("label", ["0", 1.0, None, True])
def test_a_class_is_a_whole_number(label):
    with pytest.raises(TypeError, match="label must be a whole number"):
        GaussianMixture([[0.0], [1.0]], 0.1, labels=[0, 1]).of_class(label)
