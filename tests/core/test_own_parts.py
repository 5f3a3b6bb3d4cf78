"""Mixtures, schedules, samplers and networks of one's own, given to the library's functions."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from tui_diffusion.core import (
    Checkpointer,
    ConfigError,
    GaussianMixture,
    IdealDenoiser,
    NetworkDenoiser,
    Prediction,
    RunError,
    Schedule,
    Step,
    Trainer,
    attribute,
    denoise,
    forward_process,
    level_losses,
    make_method,
    make_mixture,
    make_schedule,
    quality,
    samplers,
    save_preset,
    save_run,
    start_mismatch,
    train,
    training_floor,
)
from tui_diffusion.core.analysis.report import training_report
from tui_diffusion.core.assemble import make_network, with_mixture
from tui_diffusion.core.config.experiment_json import to_json
from tui_diffusion.core.methods import device_of
from tui_diffusion.core.randomness import generator
from tui_diffusion.core.schedules import karras
from tui_diffusion.core.training.trainer import Progress
from tui_diffusion.export.script.standalone import standalone_script

from ..changed import changed
from ..trainings import same, trained

QUICK = changed(
    "edm-multimodal",
    training__steps=30,
    training__batch=64,
    network__fourier=0,
    network__level_fourier=0,
    network__width=16,
    sampling__points=50,
    device="cpu",
)
OWN = GaussianMixture([[-1.0, 0.5], [1.0, -1.0], [0.0, 1.5]], [0.1, 0.3, 0.2], [1, 2, 3])
IDEAL = IdealDenoiser(OWN, make_method(QUICK, OWN))


class OwnMLP(nn.Module):
    """The layers of the experiment's network, as a module of someone else."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = make_network(QUICK, generator(QUICK.seed, "weights")).body(None)

    def forward(self, x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        return self.layers(torch.cat([x, c], 1))


def last(progress) -> Progress:
    [*_, end] = progress
    return end


def midpoint(x, level, denoiser, z, previous=None):
    """Take an Euler step with the slope halfway to the next level."""
    half = (level.sigma + level.sigma_next) / 2
    first = denoiser(x, level)
    middle = x + (half - level.sigma) * first.eps_hat
    halfway = make_schedule(QUICK)[0].__class__(1.0, half, 1.0, level.sigma_next)
    slope = denoiser(middle, halfway).eps_hat
    mean = x + (level.sigma_next - level.sigma) * slope
    return Step(x, first.eps_hat, first.x0_hat, mean, 0 * x, mean, level.alpha, level.sigma)


# --- sampling ----------------------------------------------------------------------------------


def test_own_parts_that_are_those_of_the_experiment_change_no_bit() -> None:
    mixture = make_mixture(QUICK)
    ideal = IdealDenoiser(mixture, make_method(QUICK, mixture))
    for name in ("euler", "heun"):
        of = changed(QUICK, sampling__sampler=name, sampling__repeats=2, sampling__start="exact")
        plain = denoise(of, ideal)
        schedule, sampler = make_schedule(of), getattr(samplers, name)
        own = denoise(of, ideal, mixture=mixture, schedule=schedule, sampler=sampler)
        assert torch.equal(plain.x, own.x)
        assert torch.equal(plain.repeats, own.repeats)
        assert torch.equal(plain.x0_hat, own.x0_hat)
        parts = {"mixture": mixture, "schedule": schedule, "sampler": sampler}
        assert attribute(of, ideal, points=40, **parts) == attribute(of, ideal, points=40)


def test_an_own_mixture_is_what_the_ideal_denoiser_samples() -> None:
    of = changed(QUICK, sampling__levels=40, sampling__points=2000, sampling__start="exact")
    sampled = denoise(of, IDEAL, mixture=OWN)
    score = quality(sampled, OWN)
    assert score.energy_distance < 2 * score.energy_distance_chance
    assert quality(sampled, QUICK).energy_distance > 100 * abs(score.energy_distance)
    split = attribute(of, IDEAL, points=2000, mixture=OWN)
    assert split.start == split.network == 0
    assert split.total == pytest.approx(score.energy_distance, abs=1e-6)
    assert start_mismatch(of, OWN).distance == 0
    centred = changed(of, sampling__start="data-mean")
    assert start_mismatch(centred, OWN) != start_mismatch(centred)
    assert float(start_mismatch(centred, OWN).signal) == pytest.approx(
        float(OWN.std().square().mean().sqrt()) / 5, rel=1e-6
    )


def test_an_own_schedule_and_sampler_make_the_steps() -> None:
    start = 5 * torch.randn(50, 2, generator=torch.Generator().manual_seed(1))
    exact = denoise(QUICK, IDEAL, schedule=karras(800, 0.002, 5, 7), begin=start, mixture=OWN)
    errors = {}
    for levels in (16, 32):
        for name, sampler in (("euler", samplers.euler), ("midpoint", midpoint)):
            schedule = karras(levels, 0.002, 5, 7)
            done = denoise(
                QUICK, IDEAL, schedule=schedule, sampler=sampler, begin=start, mixture=OWN
            )
            assert done.levels == levels
            assert torch.equal(done.step(levels // 2).x_next, done.x[levels // 2 + 1])
            errors[name, levels] = float((done.result - exact.result).norm(dim=1).mean())
    order = {n: math.log2(errors[n, 16] / errors[n, 32]) for n in ("euler", "midpoint")}
    assert 0.6 < order["euler"] < 1.4 < order["midpoint"]
    assert errors["midpoint", 32] < errors["euler", 32] / 5


def test_a_denoiser_samples_on_its_own_device() -> None:
    network = Trainer(QUICK).network.to("meta")
    assert device_of(NetworkDenoiser(network, IDEAL.method)).type == "meta"
    assert device_of(OwnMLP().to("meta")).type == "meta"
    assert device_of(lambda x, level: IDEAL(x, level)).type == "cpu"
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    ideal = IdealDenoiser(OWN.to(kind), IDEAL.method)
    assert denoise(QUICK, ideal, points=5).x.device.type == kind
    assert math.isfinite(attribute(QUICK, ideal, points=5, mixture=OWN).total)


# --- training ----------------------------------------------------------------------------------


def test_the_experiments_own_parts_train_alike() -> None:
    plain = trained(QUICK)
    network = make_network(QUICK, generator(QUICK.seed, "weights"))
    given = last(train(QUICK, mixture=make_mixture(QUICK), network=network)).trainer
    assert same(plain, given)
    assert given.network is network  # trained in place
    own = last(train(QUICK, network=OwnMLP())).trainer
    assert (plain.losses == own.losses).all()
    assert torch.equal(
        denoise(QUICK, plain.denoiser, points=50).x, denoise(QUICK, own.denoiser, points=50).x
    )
    assert repr(own.network) == "OwnNetwork(module='OwnMLP', weights=642)"


def test_an_own_network_trains_on_an_own_mixture_and_is_restored() -> None:
    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = nn.Sequential(
                nn.Linear(3, 32), nn.BatchNorm1d(32), nn.SiLU(), nn.Dropout(0.01), nn.Linear(32, 2)
            )

        def forward(self, x, c):
            return self.inside(torch.cat([x, c], 1))

    of = changed(QUICK, training__steps=400, training__average=0.9)
    torch.manual_seed(0)
    module = Normed()
    progress = last(train(of, mixture=OWN, network=module))
    trainer = progress.trainer
    assert trainer.own_parts == ("mixture", "network")
    assert not any(part.training for part in trainer.average.modules())
    assert torch.equal(
        trainer.average.body(None).module.inside[1].running_mean, module.inside[1].running_mean
    )
    floor = training_floor(of, OWN)
    assert floor != training_floor(of)
    at_levels = level_losses(of, progress.denoiser, mixture=OWN)
    assert all(0 < at.floor <= at.loss for at in at_levels)
    assert float(trainer.losses[-100:].mean()) > 0.9 * floor
    score = quality(denoise(of, progress.denoiser, points=500, mixture=OWN), OWN)
    assert score.energy_distance < 0.2
    again = Trainer(of, mixture=OWN, network=Normed())
    again.restore(trainer.state())
    assert same(trainer, again)


def test_what_an_experiment_does_not_describe_is_not_stored(home: Path) -> None:
    trainer = last(train(QUICK, mixture=OWN, network=OwnMLP())).trainer
    for call in (
        lambda: save_run(home / "run", trainer, "finished"),
        lambda: Checkpointer(trainer, home / "run"),
    ):
        with pytest.raises(RunError, match="with its own mixture and network cannot be a run"):
            call()
    with pytest.raises(ValueError, match="not a training with its own mixture and network"):
        training_report(trainer)
    assert not (home / "run").exists()
    network = make_network(QUICK, generator(1, "weights"))
    assert save_run(home / "run", last(train(QUICK, network=network)).trainer, "finished").exists()


# --- refusals ----------------------------------------------------------------------------------


class Wide(OwnMLP):
    def forward(self, x, c):
        return super().forward(x, c)[:, :1]


class Double(OwnMLP):
    def __init__(self) -> None:
        super().__init__()
        self.double()


class Alone(OwnMLP):
    def forward(self, x):
        return x


def test_a_wrong_part_says_what_was_expected() -> None:
    line = GaussianMixture([[0.0]], 1.0)
    ones = torch.ones(4, dtype=torch.float64)
    per_level = changed("ddpm-1d-per-level", training__steps=20, device="cpu")
    ends = {"schedule": karras(30, 0.01, 1, 7)}
    wrong = [
        ({"mixture": "moons"}, "mixture must be a GaussianMixture (got 'moons')"),
        ({"mixture": line}, "mixture must have dimension 2, that of the experiment's data (got 1)"),
        ({"mixture": GaussianMixture([[0.0, 1.0]], 0.0)}, "mixture must have stds above 0 and"),
        ({"schedule": "karras"}, "schedule must be a Schedule (got 'karras')"),
        ({"schedule": Schedule(ones, ones[:3])}, "schedule must have alphas and sigmas of shape"),
        ({"schedule": Schedule(ones, 0 * ones)}, "schedule must have finite numbers, with sigmas"),
        (
            {"sampler": "ddim"},
            "sampler must be a function of (x, level, denoiser, z, previous) tha",
        ),
        ({"sampler": lambda x, level: x}, "sampler must be a function of (x, level, denoiser, z,"),
        ({"sampler": lambda *given: given[0]}, "the result of sampler must be a Step (got <50×2"),
    ]
    for given, message in wrong:
        with pytest.raises((TypeError, ValueError)) as error:
            denoise(QUICK, IDEAL, **given)
        assert str(error.value).startswith(message)
    with pytest.raises(TypeError, match=r"the result of denoiser must be a Prediction \(got <50×2"):
        denoise(QUICK, lambda x, level: x)
    with pytest.raises(
        ValueError, match=r"eps_hat of denoiser's .* of x, \(50, 2\) \(got \(2,\)\)"
    ):
        denoise(QUICK, lambda x, level: Prediction(x, x[0], x))
    with pytest.raises(ValueError, match=r"schedule must have at most 8 levels, .* own .got 30"):
        denoise(per_level, Trainer(per_level).denoiser, **ends)
    stopping = changed(QUICK, sampling__stop_before=4)
    with pytest.raises(ValueError, match=r"more levels than sampling.stop_before = 4 .got 4"):
        denoise(stopping, IDEAL, schedule=karras(4, 0.01, 1, 7))

    other = make_network(changed(QUICK, network__width=8), generator(0, "weights"))
    trainings = [
        (QUICK, {"mixture": line}, "mixture must have dimension 2"),
        (
            QUICK,
            {"network": "mlp"},
            "network must be a Module (got 'mlp'); its forward takes x (n,",
        ),
        (QUICK, {"network": other}, "network must be the experiment's Network(layers=[3, 16, 16,"),
        (QUICK, {"network": nn.Identity()}, "network must be a function of (x, c) that returns a"),
        (QUICK, {"network": Alone()}, "network must be a function of (x, c) that returns a Tensor"),
        (QUICK, {"network": Wide()}, "network must return the shape of x, (2, 2) (got <2×1 torch."),
        (QUICK, {"network": Double()}, "network must take x (2, 2) and c (2, 1) in float32 ("),
        (per_level, {"network": OwnMLP()}, "network must be None where network.per_level is true"),
    ]
    for of, given, message in trainings:
        for call in (train, Trainer):
            with pytest.raises((TypeError, ValueError)) as error:
                call(of, **given)
            assert str(error.value).startswith(message)
            assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="mixture must have dimension 2"):
        training_floor(QUICK, line)


def test_a_mixture_in_place_of_the_data_reaches_every_function() -> None:
    experiment = with_mixture(QUICK, OWN)
    assert make_mixture(experiment) is OWN
    assert training_floor(experiment) == training_floor(QUICK, OWN)
    assert denoise(QUICK, IDEAL, mixture=OWN, seed=3).experiment == experiment
    assert torch.equal(
        forward_process(experiment, seed=1).x, forward_process(QUICK, mixture=OWN, seed=1).x
    )
    assert Trainer(experiment).own_parts == ("mixture",)
    line = GaussianMixture([[0.0], [1.0]], 0.1)
    assert with_mixture(changed("edm-1d"), line).dim == 1
    # It stays while other settings change, and goes with another data set.
    assert experiment.with_settings({"training.steps": 5}).data.given is OWN
    assert experiment.with_settings({"data.name": "moons"}).data.given is None
    assert experiment != QUICK != with_mixture(QUICK, OWN.to("cpu"))
    for write in (to_json, lambda it: save_preset("mine", it), standalone_script):
        with pytest.raises(ConfigError, match="data: a mixture that a script has given"):
            write(experiment)


def test_a_trajectory_knows_its_experiment_seed_and_denoiser() -> None:
    trajectory = denoise(QUICK, IDEAL, seed=7)
    assert (trajectory.experiment, trajectory.seed) == (QUICK, 7)
    assert isinstance(trajectory.denoiser, IdealDenoiser)
    forward = forward_process(QUICK)
    assert (forward.experiment, forward.seed, forward.denoiser) == (QUICK, QUICK.seed, None)


def test_schedules_of_the_same_numbers_are_equal() -> None:
    one, same_one, other = make_schedule(QUICK), make_schedule(QUICK), karras(5, 0.1, 2, 7)
    assert one == same_one and hash(one) == hash(same_one)
    assert one != other and one != one.part(3)
