"""A fixed training set: its points, batches of them, and the denoiser that is optimal for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tui_diffusion.core.analysis.residual import residual
from tui_diffusion.core.assemble import make_mixture, make_schedule, scaling_of
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.empirical import Empirical
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.training.stacked.trainer import StackedTrainer
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.training_set import TrainingSet, ideal_denoiser, make_training_set
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each
from ..changed import changed
from ..trainings import same, trained
from .refusals import NAIVE, refusal
from .short_trainings import block_of


def of(experiment: Experiment) -> TrainingSet:
    finite = make_training_set(experiment)
    assert finite is not None
    return finite


def small(name: str = "ddpm-multimodal", count: int = 5, **changes: object) -> Experiment:
    settings = {"training__steps": 300, "training__batch": 16, "device": "cpu"}
    return changed(name, **{**settings, "data__train_points": count, **changes})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "points.csv"
    np.savetxt(file, np.random.default_rng(0).normal(3, (1, 2), (40, 2)), delimiter=",")
    return file


# --- the points ----------------------------------------------------------------------------------


def test_fresh_draws_have_no_set():
    assert make_training_set(changed("edm-moons")) is None


def test_a_set_follows_from_data_and_seed_alone():
    finite = of(small(count=64))
    assert finite.points.shape == (64, 2) and len(finite) == 64
    other = small("edm-multimodal", 64, training__steps=7, training__lr=1)
    assert torch.equal(of(other).points, finite.points)
    assert not torch.equal(of(small(count=64, seed=1)).points, finite.points)
    assert torch.equal(of(small(count=7)).points, finite.points[:7]), "nested"
    assert of(small(count=100_000)).points.shape == (100_000, 2)


def test_points_are_drawn_from_their_components():
    finite, mixture = of(small(count=2000)), make_mixture(small().data)
    offset = (finite.points - mixture.means[finite.components]) / mixture.stds[0]
    assert float(offset.mean().abs()) < 4 / 4000**0.5
    assert abs(float(offset.std()) - 1) < 4 / 8000**0.5
    shares = finite.components.bincount(minlength=4) / 2000
    assert float((shares - 0.25).abs().max()) < 4 * (0.1875 / 2000) ** 0.5


def test_rows_of_a_file_are_in_the_set_or_held_out(file):
    base = small("edm-moons", 0, data__name=f"file:{file}")
    assert make_training_set(base) is None
    rows = scaling_of(base).unit(torch.tensor(base.data.points))
    splits = [(0.25, 0, 30), (0.25, 12, 12), (0.9, 0, 4), (0, 100, 40), (0, 1, 1), (0.25, 99, 30)]
    for holdout, count, size in splits:
        finite = of(changed(base, data__holdout=holdout, data__train_points=count))
        unseen = finite.unseen.means if finite.unseen else finite.points[:0]
        assert (len(finite), len(unseen), finite.held_out) == (size, 40 - size, 40 - size)
        both = torch.cat([finite.points, unseen])
        assert torch.equal(both[both[:, 0].argsort()], rows[rows[:, 0].argsort()])
        assert not finite.known
    other = of(changed(base, data__holdout=0.25, seed=1))
    assert not torch.equal(other.points, of(changed(base, data__holdout=0.25)).points)


@for_each(
    "settings",
    [
        {"data.train_points": "-1"},
        {"data.train_points": "100001"},
        {"data.train_points": "1.5"},
        {"data.train_points": "many"},
        {"data.holdout": "0.5"},
    ],
)
def test_what_no_set_can_be_is_refused(settings):
    assert refusal(settings, NAIVE).field in settings


@for_each("share", ["-0.1", "0.91", "nan"])
def test_what_cannot_be_held_out_is_refused(share, file):
    base = small(data__name=f"file:{file}")
    assert refusal({"data.holdout": share}, base).field == "data.holdout"


# --- batches of them -----------------------------------------------------------------------------


@for_each("count", [1, 2, 5])
def test_batches_hold_points_of_the_set_alone_each_as_often(count):
    experiment = small(count=count)
    trainer, schedule = Trainer(experiment), make_schedule(experiment.schedule)
    features, eps = block_of(trainer)
    conditions = torch.tensor([1 - float(schedule[k].beta) for k in range(schedule.levels)])
    k = (conditions - features[:, :1, 2:]).abs().argmin(2)[..., None]
    alpha, sigma = (values.float()[k] for values in (schedule.alphas, schedule.sigmas))
    # At the noisiest levels nothing is left of the point.
    clean = (alpha > 0.5).expand((*eps.shape[:2], 1))[..., 0]
    x0 = ((features[..., :2] - sigma * eps) / alpha)[clean]
    gap, chosen = torch.cdist(x0.double(), of(experiment).points).min(1)
    assert float(gap.max()) < 1e-5
    shares = chosen.bincount(minlength=count) / len(chosen)
    assert float((shares - 1 / count).abs().max()) < 5 * (1 / count / len(chosen)) ** 0.5


@for_each("name", ["naive-1d", "ddpm-1d-per-level", "edm-multimodal"])
def test_a_training_goes_on_bit_for_bit(name):
    experiment = small(name, 3, network__width=8)
    whole, part = trained(experiment), trained(experiment, 150)
    again = Trainer(experiment)
    again.restore(part.state())
    for _ in again.run(every=70):
        pass
    assert same(again, whole)


def test_a_stack_is_its_single_trainings():
    experiments = [small(count=n, seed=seed) for n in (0, 2, 64) for seed in (0, 1)]
    stack = StackedTrainer(experiments)
    for _ in stack.run():
        pass
    for index, experiment in enumerate(experiments):
        single = trained(experiment)
        assert np.abs(stack.losses[index] - single.losses).max() < 1e-3 * single.losses.max()
        assert torch.equal(stack.cell(index).tensors["generator"], single.state()["generator"])


# --- the empirical optimum -----------------------------------------------------------------------


def softmax_average(points: torch.Tensor, x: torch.Tensor, alpha: float, sigma: float):
    square = (x[:, None] - alpha * points).square().sum(2)
    return (-square / (2 * sigma**2)).softmax(1) @ points


@for_each("alpha, sigma", [(1.0, 3.0), (1.0, 0.3), (0.6, 0.8), (0.3, 0.01), (1.0, 1e-3)])
@for_each("count", [1, 2, 300])
def test_the_optimum_is_the_softmax_average(count, alpha, sigma):
    random = torch.Generator().manual_seed(count)
    points, x = (torch.randn(n, 2, generator=random).double() for n in (count, 700))
    found = Empirical(points).denoise(x, alpha, sigma)
    assert float((found - softmax_average(points, x, alpha, sigma)).abs().max()) < 1e-9
    levels = torch.full((len(x), 1), alpha), torch.full((len(x), 1), sigma)
    apart = Empirical(points).denoise(x, *levels)
    assert float((found - apart).abs().max()) < 1e-4
    mixture = GaussianMixture(points, 0.0)
    assert float((found - mixture.denoise(x, alpha, sigma)).abs().max()) < 1e-9


def test_with_little_noise_it_is_the_nearest_point():
    finite = of(small("edm-moons", 100_000))
    x = torch.randn(30, 2, generator=torch.Generator().manual_seed(0)).double()
    gaps = torch.cdist(x, finite.points)
    nearest = finite.points[gaps.argmin(1)]
    assert float((finite.mixture.denoise(x, 1.0, 1e-7) - nearest).abs().max()) < 1e-6
    for far in (1e6, 1e38, 1e300):
        assert bool(finite.mixture.denoise(far * x, 1.0, 1e-7).isfinite().all())


@for_each("sigma", [0.1, 0.3, 1.0, 4.0])
def test_the_least_residual_of_a_set_is_that_of_its_optimum(sigma):
    mixture = of(small("edm-moons", 64)).mixture
    random = torch.Generator().manual_seed(0)
    x0 = mixture.sample(20_000, random, balanced=True, dtype=torch.float64)
    x = x0 + sigma * torch.randn(x0.shape, generator=random, dtype=torch.float64)
    square = (x0 - mixture.denoise(x, 1.0, sigma)).square().sum(1)
    known = residual(mixture, 1.0, sigma).square
    assert abs(float(square.mean()) - known) < 4 * float(square.std()) / 20_000**0.5


@for_each("sigma", [0.2, 0.5, 2.0])
def test_the_least_residual_of_two_points_is_known(sigma):
    """With p = 1/(1 + exp(−2x/σ²)) that of the point at 1, E‖r‖² = 4 E[p (1 − p)].

    A grid that resolves the noise is coarser than the step between the points: an error of 2e-3 σ².
    """
    x = torch.linspace(-12, 12, 20_001).double() * max(sigma, 0.5)
    density = torch.stack([(-((x - point) ** 2) / 2 / sigma**2).exp() for point in (-1, 1)]).sum(0)
    p = (2 * x / sigma**2).sigmoid()
    true = float((4 * p * (1 - p) * density).sum() / density.sum())
    known = residual(Empirical([[-1.0, 0.0], [1.0, 0.0]]), 1.0, sigma).square
    assert known == pytest.approx(true, abs=2e-3 * sigma**2)


def test_a_class_without_points_has_the_optimum_of_all_points():
    experiment = small("edm-classes", 1, sampling__guidance=3, sampling__points=64)
    finite, ideal = of(experiment), ideal_denoiser(experiment, "training set")
    for label in ("all", "0", "1"):
        sample = denoise(changed(experiment, sampling__label=label), ideal).result
        assert float((sample - finite.points).norm(dim=1).max()) < 1e-2, label


def test_the_constants_of_edm_are_those_of_the_population():
    experiment = small("edm-moons", 2)
    population, own = (ideal_denoiser(experiment, of) for of in ("population", "training set"))
    assert own.method == population.method == Trainer(experiment).method
    with pytest.raises(ValueError, match=r"data\.train_points above 0"):
        ideal_denoiser(changed("edm-moons"), "training set")
    with pytest.raises(ValueError, match="'population' or 'training set'"):
        ideal_denoiser(experiment, "both")


@for_each("count", [1, 2, 30])
@for_each("name", ["edm-moons", "ddpm-multimodal", "flow-multimodal"])
def test_a_sample_of_the_optimum_is_the_training_set(name, count):
    experiment = small(name, count, sampling__points=200)
    finite = of(experiment)
    x = denoise(experiment, ideal_denoiser(experiment, "training set")).result
    gap, index = torch.cdist(x.double(), finite.points).min(1)
    last = make_schedule(experiment.schedule).sigmas[-2]
    assert float(gap.max()) < max(4 * float(last), 1e-3)
    if experiment.sampling.sampler == "heun":  # other steps are too coarse to reach all of them
        assert len(index.unique()) > 0.8 * count
