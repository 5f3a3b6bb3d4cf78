"""Mixtures of elongated Gaussians: exact, whatever asks, and as round ones where they are round."""

from __future__ import annotations

import math

import pytest
import torch

from tui_diffusion.core.analysis.energy_distance import (
    Reference,
    energy_distance,
    merged,
    mixture_distance,
)
from tui_diffusion.core.analysis.likelihood.estimate import entropy, likelihood
from tui_diffusion.core.analysis.metrics import evaluate
from tui_diffusion.core.analysis.residual import residual
from tui_diffusion.core.assemble import make_ideal, make_mixture, make_schedule
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.faults import PartError
from tui_diffusion.core.methods import METHODS
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.rounding import rounded
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.export.pictures.raster import pixel_density
from tui_diffusion.parts import load_parts

from ..cases import for_each
from ..changed import changed
from ..part_files import restored, written
from .short_trainings import block_of
from .test_mixtures import gap


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def covariance(long: float, short: float, turn: float) -> list[list[float]]:
    """The covariance of a Gaussian whose long axis is turned by so many radians."""
    c, s = math.cos(turn), math.sin(turn)
    a, b = long**2, short**2
    return [[a * c * c + b * s * s, (a - b) * c * s], [(a - b) * c * s, a * s * s + b * c * c]]


ONE = GaussianMixture([[0.5, -1.0]], covariances=[covariance(0.8, 0.1, 0.6)])
THREE = GaussianMixture(
    [[-1.0, 0.0], [1.0, 0.5], [0.0, 1.0]],
    covariances=[covariance(0.6, 0.05, 0.3), covariance(0.4, 0.2, -1.0), covariance(0.3, 0.3, 0)],
    weights=[0.5, 0.3, 0.2],
    labels=[0, 1, 1],
)
LEVELS = [(1.0, 0.3), (0.6, 0.8), (0.05, 1.0)]


TREE = make_mixture(changed("edm-moons", data__name="tree"))


@for_each("mixture", [ONE, THREE, TREE])
def test_score_denoiser_and_density_are_those_of_torch_and_autograd(mixture):
    for alpha, sigma in [(1.0, 0.0), *LEVELS]:
        noised = mixture.noised(alpha, sigma)
        x = noised.sample(300, random(1), dtype=torch.float64).requires_grad_()
        density = mixture.log_prob(x, alpha, sigma)
        (gradient,) = torch.autograd.grad(density.sum(), x)
        x, density = x.detach(), density.detach()
        score = mixture.score(x, alpha, sigma)
        assert gap(score, gradient) < 1e-5
        if sigma:
            tweedie = (x + sigma**2 * score) / alpha
            assert gap(mixture.denoise(x, alpha, sigma), tweedie) < 1e-10 / alpha
        textbook = torch.distributions.MixtureSameFamily(
            torch.distributions.Categorical(mixture.weights),
            torch.distributions.MultivariateNormal(noised.means, noised.covariances),
        )
        assert gap(density, textbook.log_prob(x)) < 1e-9
        assert gap(noised.log_prob(x), density) < 1e-10
        # A level for each point gives what one level for all does.
        each = (torch.full((300, 1), a, dtype=torch.float64) for a in (alpha, sigma))
        assert gap(mixture.score(x, *each), score) < 1e-10


def test_denoising_is_the_posterior_mean_by_quadrature():
    alpha, sigma = 0.7, 0.4
    axes = [torch.linspace(-6, 6, 601, dtype=torch.float64) for _ in range(2)]
    x0 = torch.cartesian_prod(*axes)
    prior = THREE.log_prob(x0)
    for x in ([0.0, 0.3], [-1.2, 0.5], [1.0, -1.5]):
        point = torch.tensor([x], dtype=torch.float64)
        weight = (prior - (point - alpha * x0).square().sum(1) / (2 * sigma**2)).softmax(0)
        assert gap(THREE.denoise(point, alpha, sigma)[0], weight @ x0) < 1e-9


@for_each("mixture", [ONE, THREE, TREE])
def test_the_density_is_that_of_a_grid_and_has_the_mass_of_one(mixture):
    xs, ys = (torch.linspace(-5, 5, n, dtype=torch.float64) for n in (501, 401))
    noised = mixture.noised(1.0, 0.1)
    grid = noised.density_grid(xs, ys)
    points = torch.cartesian_prod(ys[::40], xs[::50]).flip(1)
    assert gap(noised.log_prob(points).exp().reshape(11, 11), grid[::40, ::50]) < 1e-12
    assert abs(float(grid.sum()) * (10 / 500) * (10 / 400) - 1) < 1e-6
    # Pictures make rows of round components of it; theirs is blurred by 0.6 pixel.
    pixels = pixel_density(mixture, (-3.0, 3.0), (-3.0, 3.0), 60, 60)
    at = (torch.arange(60, dtype=torch.float64) + 0.5) / 10 - 3
    exact = mixture.noised(1.0, 0.06).density_grid(at, at.flip(0))
    assert gap(torch.from_numpy(pixels).double(), exact / exact.max()) < 1e-3


def test_round_covariances_are_the_std_path():
    means, stds = THREE.means, torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    eye = torch.eye(2, dtype=torch.float64)
    round_ones = GaussianMixture(means, stds, THREE.weights)
    same = GaussianMixture(means, weights=THREE.weights, covariances=stds[:, None, None] ** 2 * eye)
    assert same.ellipses is None and gap(same.stds, stds) < 1e-15
    # The same beside an elongated component that no point comes from takes the other path.
    long = torch.cat([stds[:, None, None] ** 2 * eye, torch.tensor([covariance(9, 1, 1)])])
    weights = torch.cat([THREE.weights, torch.tensor([1e-300])])
    other = GaussianMixture(torch.cat([means, means[:1]]), weights=weights, covariances=long)
    assert other.ellipses is not None
    x = round_ones.noised(1.0, 0.5).sample(500, random(), dtype=torch.float64)
    for alpha, sigma in LEVELS:
        at = (x, alpha, sigma)
        for mixture in (same, other):
            assert gap(mixture.log_prob(*at), round_ones.log_prob(*at)) < 1e-12
            assert gap(mixture.score(*at), round_ones.score(*at)) < 1e-12
            assert gap(mixture.denoise(*at), round_ones.denoise(*at)) < 1e-12
    drawn = [m.sample(50, random(2), dtype=torch.float64) for m in (round_ones, other)]
    assert gap(*drawn) < 1e-12
    line = GaussianMixture([[0.0], [1.0]], covariances=[[[0.04]], [[0.25]]])
    assert line.ellipses is None and line.stds.tolist() == pytest.approx([0.2, 0.5])


@for_each("mixture", [ONE, THREE, TREE])
def test_samples_have_the_moments_and_classes_their_own_components(mixture):
    x = mixture.sample(100_000, random(), dtype=torch.float64)
    centred = x - mixture.mean()
    apart = mixture.means - mixture.mean()
    total = (mixture.covariances + apart[:, :, None] * apart[:, None, :]).permute(1, 2, 0)
    assert gap(centred.T @ centred / len(x), total @ mixture.weights) < 0.02
    assert gap(x.std(0), mixture.std()) < 0.01
    parts = [mixture.of_class(label) for label in range(mixture.classes)]
    whole = sum(
        weight * part.log_prob(x[:100], 0.9, 0.2).exp()
        for weight, part in zip(mixture.class_weights(), parts, strict=True)
    )
    assert gap(whole.log(), mixture.log_prob(x[:100], 0.9, 0.2)) < 1e-9
    assert gap(mixture.to("cpu").covariances, mixture.covariances) == 0


def test_far_off_everything_is_finite():
    for far in (1e4, 1e30, 1e160, 1.7e308):
        x = torch.tensor([[far, -far], [0.0, far], [far, far]], dtype=torch.float64)
        for sigma in (0.0, 1.0):
            for value in (THREE.log_prob, THREE.score, THREE.denoise, THREE.responsibilities):
                assert bool(value(x, 1.0, sigma).isfinite().all()), (far, sigma)


@for_each(
    "covariances, message",
    [
        ([[1.0, 0.5], [0.4, 1.0]], "symmetric and positive semidefinite"),
        ([[1.0, 2.0], [2.0, 1.0]], "symmetric and positive semidefinite"),
        ([[math.nan, 0.0], [0.0, 1.0]], "must be finite"),
        ([[[1.0]]], r"must have shape \(2, 2, 2\) \(got \(1, 1, 1\)\)"),
    ],
)
def test_covariances_that_cannot_be_are_refused(covariances, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture([[0.0, 0.0], [1.0, 1.0]], covariances=covariances)


def test_a_mixture_has_either_stds_or_covariances():
    with pytest.raises(ValueError, match=r"either stds or covariances \(got neither\)"):
        GaussianMixture([[0.0, 0.0]])
    with pytest.raises(ValueError, match=r"either stds or covariances \(got both\)"):
        GaussianMixture([[0.0, 0.0]], 1.0, covariances=[[[1.0, 0.0], [0.0, 1.0]]])


def test_rows_of_round_components_have_the_density_and_the_moments():
    for mixture in (ONE, THREE):
        row = rounded(mixture)
        assert row.ellipses is None and row.classes == mixture.classes
        assert gap(row.mean(), mixture.mean()) < 1e-12 and gap(row.std(), mixture.std()) < 1e-12
        x = torch.cat([mixture.sample(500, random(), dtype=torch.float64), mixture.means])
        highest = float(mixture.log_prob(x).exp().max())
        assert gap(row.log_prob(x).exp(), mixture.log_prob(x).exp()) < 1e-7 * highest
    assert rounded(row) is row


def mean_distance(a: GaussianMixture, b: GaussianMixture, angles: int = 720) -> float:
    """E|X − Y| as π/2 of the mean over directions of E|u·(X − Y)|, of normal numbers."""
    turn = math.pi * (torch.arange(angles, dtype=torch.float64) + 0.5) / angles
    lines = torch.stack([turn.cos(), turn.sin()])
    total = 0.0
    for mean, shape, weight in zip(a.means, a.covariances, a.weights, strict=True):
        shift = (mean - b.means) @ lines
        variance = ((shape + b.covariances) @ lines).mul(lines).sum(1)
        folded = (2 / math.pi * variance).sqrt() * (-(shift**2) / (2 * variance)).exp()
        folded = folded + shift * (shift / (2 * variance).sqrt()).erf()
        total += float(weight * (b.weights @ folded.mean(1))) * math.pi / 2
    return total


def test_the_energy_distance_is_that_by_directions_and_of_samples():
    exact = 2 * mean_distance(ONE, THREE) - mean_distance(ONE, ONE) - mean_distance(THREE, THREE)
    assert abs(mixture_distance(ONE, THREE) - exact) < 1e-5
    reference = Reference(THREE)
    few = [reference.distance(THREE.sample(150, random(seed))) for seed in range(100)]
    values = torch.tensor([each.value for each in few])
    assert abs(float(values.mean())) < 4 * float(values.std()) / 10
    assert float(values.std()) == pytest.approx(few[0].real, rel=0.3)
    x = THREE.sample(100, random())
    assert energy_distance(x, THREE).value == reference.distance(x).value
    # Many components are merged: what is left is far closer than any sample is.
    less = merged(THREE, 64)
    assert less.modes <= 64
    cross, within = mean_distance(THREE, less), mean_distance(less, less)
    assert 0 < 2 * cross - mean_distance(THREE, THREE) - within < 3e-5


@for_each("mixture", [ONE, THREE, TREE])
def test_the_floor_is_that_of_the_exact_denoiser(mixture):
    """Within four standard errors of Monte Carlo."""
    for alpha, sigma in ((0.8, 0.3), (0.5, 2.0)):
        x0 = mixture.sample(20_000, random(), dtype=torch.float64)
        x = alpha * x0 + sigma * torch.randn(x0.shape, generator=random(1), dtype=torch.float64)
        square = (x0 - mixture.denoise(x, alpha, sigma)).square().sum(1)
        known = residual(mixture, alpha, sigma, fourth=True)
        assert residual(mixture, alpha, sigma).square == pytest.approx(known.square, rel=1e-9)
        assert abs(float(square.mean()) - known.square) < 4 * float(square.std()) / 20_000**0.5
        fourth = square**2
        assert abs(float(fourth.mean()) - known.fourth) < 4.5 * float(fourth.std()) / 20_000**0.5


def test_the_entropy_of_one_gaussian_is_that_of_the_textbook():
    expected = math.log(2 * math.pi * math.e * 0.8 * 0.1)
    assert abs(entropy(ONE) - expected) < 1e-5


@for_each("name", ["correlated", "tree"])
def test_the_ideal_denoiser_costs_the_entropy(name):
    experiment = changed("edm-moons", data__name=name, sampling__start="exact")
    mixture = make_mixture(experiment)
    found = likelihood(experiment, make_ideal(experiment, mixture), points=40)
    # What remains is the start at pure noise, which no denoiser can remove.
    assert abs(found.nll - found.entropy - found.start) < 1e-3
    assert found.start < 1e-3


def test_true_points_are_on_their_modes_by_the_axes_of_these():
    x = THREE.sample(4000, random())
    found = evaluate(x, THREE)
    assert found.off_mode < 1e-3 and found.mode_tv < 0.15
    assert found.in_mode_std_ratio == pytest.approx(1, abs=0.1)
    # A point 3 std of the long axis away along the short one belongs to no mode.
    aside = ONE.means + 2.4 * torch.tensor([[-math.sin(0.6), math.cos(0.6)]])
    along = ONE.means + 2.4 * torch.tensor([[math.cos(0.6), math.sin(0.6)]])
    assert [evaluate(p, ONE).off_mode for p in (aside, along)] == [1.0, 0.0]


def test_training_batches_are_drawn_from_the_components():
    experiment = changed("ddpm-multimodal", data__name="correlated", training__batch=500)
    trainer = Trainer(experiment)
    schedule, method = make_schedule(experiment.schedule), METHODS["ddpm"]
    known = torch.tensor([float(method.condition(schedule[k])) for k in range(schedule.levels)])
    clean = []
    for features, eps in zip(*block_of(trainer), strict=True):
        level = schedule[int((features[0, 2] - known).abs().argmin())]
        clean.append((features[:, :2] - level.sigma * eps) / level.alpha)
    x0 = torch.cat(clean).double()
    assert len(x0) > 30_000
    assert gap(x0.T.cov(), trainer.mixture.covariances[0]) < 0.01


def test_a_part_file_may_return_covariances(tmp_path):
    text = '''
    @dataset()
    def leaves():
        """Five leaves."""
        turn = torch.arange(5.0)
        points = 10 * torch.stack([turn.cos(), turn.sin()], 1)
        return points, torch.ones(5), [0, 1, 0, 1, 0], torch.tensor([[9.0, 1.0], [1.0, 4.0]])

    @dataset()
    def torn():
        """No leaves."""
        return torch.eye(2), torch.ones(2), None, torch.tensor([[1.0, 2.0], [2.0, 1.0]])
    '''
    with restored():
        load_parts(written(tmp_path, text))
        mixture = make_mixture(changed("edm-moons", data__name="leaves"))
        assert mixture.classes == 2 and gap(mixture.mean(), torch.zeros(2).double()) < 1e-6
        # The points and the Gaussians at them are scaled together.
        spread = 10 * torch.stack([torch.arange(5.0).cos(), torch.arange(5.0).sin()], 1).double()
        scale = (spread - spread.mean(0)).square().mean().sqrt()
        expected = torch.tensor([[9.0, 1.0], [1.0, 4.0]]).double() / scale**2
        assert gap(mixture.covariances, expected.expand(5, 2, 2)) < 1e-6
        with pytest.raises(PartError, match="symmetric and positive semidefinite"):
            make_mixture(changed("edm-moons", data__name="torn"))


def test_a_tree_and_a_correlation_are_what_they_are_said_to_be():
    pooled = (TREE.weights @ TREE.means.square()).mean().sqrt()
    assert gap(TREE.mean(), torch.zeros(2).double()) < 1e-12 and abs(float(pooled) - 1) < 1e-12
    assert TREE.widest > 4 * TREE.narrowest and not TREE.has_modes
    for name in ("correlated", "gaussian-2d"):
        settings = {"data__name": name, "data__means": ((0, 0), (1, 1)), "data__stds": (0.5, 0.2)}
        mixture = make_mixture(changed("edm-moons", **settings))
        r = 0.8 if name == "correlated" else 0.0
        one = torch.tensor([[1.0, r], [r, 1.0]]).double()
        for std, covariance in zip((0.5, 0.2), mixture.covariances, strict=True):
            assert gap(covariance, std**2 * one) < 1e-7
    for wrong, message in (
        ({"data__stds": (0.5,)}, "data.stds: 0.5 does not fit 4 means"),
        ({"data__stds": (0.5, 0.1, 0.1, 11)}, "allowed: for each of them a number from 1e-6 to 10"),
        ({"data__name": "correlated", "data__means": ((1,),)}, "data.means: 1 has points of 1 coo"),
        ({"data__name": "correlated", "data__correlation": 1.0}, "a number from -0.99 to 0.99"),
        (
            {"data__name": "moons", "data__stds": (0.5,)},
            "data.stds: does not go with data.name 'moons'",
        ),
    ):
        with pytest.raises(ConfigError) as refused:
            changed("edm-multimodal", **wrong)
        assert message in str(refused.value)
