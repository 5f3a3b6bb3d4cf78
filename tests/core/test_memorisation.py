"""Copies, losses, and distance to the two optima of a training on a fixed set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tui_diffusion.core.analysis.memorisation.copies import copied, copied_share, copied_share_real
from tui_diffusion.core.analysis.memorisation.measures import (
    finite_losses,
    memorisation_report,
    optimum_distances,
    overall,
)
from tui_diffusion.core.analysis.report import evaluation, memorised, training_report
from tui_diffusion.core.empirical import Empirical
from tui_diffusion.core.training_set import TrainingSet, ideal_denoiser, make_training_set
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each
from ..changed import changed
from ..trainings import trained
from .test_training_set import file, of, small

__all__ = ["file"]


def made(points: torch.Tensor) -> TrainingSet:
    """A set of these points, of no population."""
    return TrainingSet(points, torch.arange(len(points)), Empirical(points), None, known=False)


# --- copies --------------------------------------------------------------------------------------


@for_each("dim", [1, 2])
@for_each("count", [2, 3, 400])
def test_copies_are_those_of_brute_force(dim, count):
    random = torch.Generator().manual_seed(dim)
    points, x = (torch.randn(n, dim, generator=random).double() for n in (count, 1500))
    gaps = (x[:, None] - points).norm(dim=2).sort(1).values
    mask = copied(x, made(points))
    assert mask.dtype == torch.bool and torch.equal(mask, gaps[:, 0] < gaps[:, 1] / 3)
    assert torch.equal(mask, copied(x, made(torch.cat([points, points[:1]])))), "one point twice"
    if count == 400:  # as chance has it for points with neighbours all around
        assert copied_share(x, made(points)) == pytest.approx(3.0**-dim, abs=0.05)


def test_one_point_is_copied_where_true_points_are_further_away():
    finite = of(small("edm-moons", 1))
    x = finite.points + torch.tensor([[0.0, 0.0], [0.1, 0.0], [3.0, 0.0]]).double()
    assert copied(x, finite).tolist() == [True, True, False]
    alone = made(finite.points)  # where nothing else is known, against the unit size
    assert copied(x, alone).tolist() == [True, True, False]


def test_points_that_are_not_finite_are_no_copies():
    finite, bad = of(small(count=4)), torch.full((3, 2), torch.nan)
    assert copied_share(bad, finite) is None
    assert copied_share(torch.cat([bad, finite.points.float()]), finite) == 1


# --- losses --------------------------------------------------------------------------------------


def test_losses_are_those_that_training_has_on_average():
    """Of weights that hardly move, over as many batches, within four standard errors."""
    for name, loss in (("edm-multimodal", "mean"), ("ddpm-1d", "sum"), ("naive-1d", "norm")):
        base = {"training__lr": 1e-12, "training__batch": 64, "training__steps": 600}
        on_set = small(name, 8, training__loss=loss, **base)
        on_fresh = small(name, 0, training__loss=loss, data__balanced=False, **base)
        known = finite_losses(on_set, trained(on_set).denoiser, points=20_000)
        for experiment, value in ((on_set, known.train), (on_fresh, known.heldout)):
            seen = trained(experiment).losses.astype(float)
            assert abs(seen.mean() - value) < 4 * seen.std() / 600**0.5 + 0.01 * value, name


@for_each("name", ["edm-multimodal", "ddpm-1d", "flow-multimodal"])
def test_each_optimum_has_the_least_loss_on_its_own_data(name):
    experiment = small(name, 6)
    population, own = (ideal_denoiser(experiment, of) for of in ("population", "training set"))
    best, copies = finite_losses(experiment, population), finite_losses(experiment, own)
    assert best.heldout == pytest.approx(best.heldout_floor, rel=1e-5)
    assert copies.train == pytest.approx(copies.train_floor, rel=1e-5)
    assert copies.train < best.train and best.heldout < copies.heldout
    to_population, nothing = overall(optimum_distances(experiment, own))
    nothing_either, to_set = overall(optimum_distances(experiment, population))
    assert nothing < 1e-6 and nothing_either < 1e-6 and to_population == pytest.approx(to_set)
    assert all(at.copies for at in optimum_distances(experiment, own))
    assert not any(at.copies for at in optimum_distances(experiment, population))
    for at, of_own in zip(
        optimum_distances(experiment, population), optimum_distances(experiment, own), strict=True
    ):
        assert at.apart == of_own.apart == pytest.approx(at.to_training_set, rel=1e-5)


def test_a_network_far_from_two_optima_that_are_alike_copies_neither():
    experiment = small("edm-multimodal", 2000)
    network = trained(experiment).denoiser
    distances = optimum_distances(experiment, network)
    assert any(at.to_training_set < at.to_population for at in distances)
    assert not any(at.copies for at in distances)
    assert all(at.apart < at.to_training_set for at in distances[:4])


def test_one_point_leaves_no_loss():
    experiment = small("edm-moons", 1)
    losses = finite_losses(experiment, ideal_denoiser(experiment, "training set"))
    assert losses.train_floor == 0 and losses.train < 1e-9


def test_a_training_on_few_points_copies_and_one_on_fresh_points_does_not():
    """The network first comes nearer to both optima, then only to that of the set."""
    settings = {"training__lr": 5e-3, "training__batch": 128, "sampling__points": 300}
    experiment = small("finite-four", 8, training__steps=1000, **settings)
    early, late = trained(experiment, 60), trained(experiment)
    first, last = (
        memorisation_report(experiment, at.denoiser, denoise(experiment, at.denoiser).result)
        for at in (early, late)
    )
    assert first["copied"] < last["copied"] and last["copied"] > 0.5 > last["copied_real"]
    assert last["train_loss"] < first["train_loss"] and last["train_loss"] < last["heldout_floor"]
    assert last["heldout_loss"] > first["heldout_loss"]
    assert last["to_training_set"] < first["to_training_set"]
    of_levels = [at["apart"] for at in last["levels"]]
    mean_square = sum(value**2 for value in of_levels) / len(of_levels)
    assert last["apart"] == first["apart"] == pytest.approx(mean_square**0.5)
    levels = [at["to_training_set"] < at["to_population"] for at in last["levels"]]
    assert any(levels) and not levels[-1]


# --- the report ----------------------------------------------------------------------------------

KEYS = {"train_points", "copied", "copied_real", "to_population", "to_training_set"}
KEYS |= {"train_loss", "heldout_loss", "apart"}


def test_a_report_of_a_file_says_that_the_population_is_unknown(file: Path):
    quick = {"training__steps": 20, "sampling__points": 50, "sampling__levels": 4}
    base = small("edm-moons", 0, data__name=f"file:{file}", **quick)
    for holdout, count in ((0.25, 0), (0, 40)):
        experiment = changed(base, data__holdout=holdout, data__train_points=count)
        report = training_report(trained(experiment))
        assert report["loss"]["final"] > 0
        assert report["loss"]["floor"] is report["loss"]["excess"] is None
        found = report["memorisation"]
        json.dumps(found, allow_nan=False)
        assert found["reason"] == "population unknown: the points come from a file"
        assert found["to_population"] is found["heldout_floor"] is found["apart"] is None
        assert {at["to_population"] for at in found["levels"]} == {None}
        assert found["train_points"] == 40 - found["held_out"] and found["train_loss"] > 0
        unseen = [found[key] is None for key in ("heldout_loss", "copied_real")]
        assert unseen == [found["held_out"] == 0] * 2


def test_true_points_of_a_file_are_its_held_out_rows(file: Path):
    experiment = small("edm-moons", 0, data__name=f"file:{file}", data__holdout=0.5)
    finite = of(experiment)
    assert finite.unseen is not None
    assert copied_share_real(10**6, finite) == copied_share(finite.unseen.means, finite)


def test_a_report_holds_what_was_asked_for_and_nothing_for_fresh_draws():
    experiment = small("ddpm-1d", 3, training__steps=5, sampling__points=50)
    denoiser = trained(experiment).denoiser
    report = evaluation(experiment, denoiser)["memorisation"]
    assert set(report) > KEYS and not any(report[key] is None for key in KEYS)
    assert evaluation(changed(experiment, data__train_points=0), denoiser)["memorisation"] is None
    # Another seed of sampling leaves the set as it was in training.
    other, finite = changed(experiment, seed=7), make_training_set(experiment)
    trajectory = denoise(other, denoiser)
    own, again = (memorised(other, denoiser, trajectory, of) for of in (None, finite))
    assert again["memorisation"]["train_loss"] == report["train_loss"]
    assert own["memorisation"]["train_loss"] != report["train_loss"]


def test_a_sample_taken_before_the_clean_level_is_compared_at_the_data_s_size():
    experiment = small("ddpm-1d", 4, sampling__stop_before=2, sampling__points=100)
    ideal = ideal_denoiser(experiment, "training set")
    trajectory = denoise(experiment, ideal)
    found = memorised(experiment, ideal, trajectory)["memorisation"]
    alpha = float(trajectory.schedule.alphas[trajectory.result_level])
    assert alpha < 1
    assert found["copied"] == copied_share(trajectory.result / alpha, of(experiment))
