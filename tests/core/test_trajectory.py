"""The record of a denoising: whole, consistent, repeatable and immutable."""

from dataclasses import FrozenInstanceError, fields

import pytest
import torch

from tui_diffusion.core.assemble import make_mixture, make_network, make_schedule
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.methods import METHODS, IdealDenoiser, NetworkDenoiser, Prediction
from tui_diffusion.core.randomness import generator
from tui_diffusion.core.trajectory import denoise, forward_process, start

from ..cases import for_each

TENSORS = ("x", "eps_hat", "x0_hat", "mean", "noise", "repeats")


def untrained(experiment, seed=0):
    network = make_network(experiment, generator(seed, "weights"))
    weaker = make_network(experiment, generator(seed + 1, "weights"))
    return NetworkDenoiser(network, METHODS[experiment.method.name], guide=weaker)


def ideal(experiment):
    return IdealDenoiser(make_mixture(experiment.data), METHODS[experiment.method.name])


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_trajectory_holds_every_state_and_every_part_of_every_step(preset):
    experiment = preset.experiment
    levels, points, dim = experiment.levels, 30, experiment.dim
    trajectory = denoise(experiment, untrained(experiment), points=points)
    assert (trajectory.kind, trajectory.levels, trajectory.points) == ("reverse", levels, points)
    assert trajectory.x.shape == (levels + 1, points, dim)
    for name in ("eps_hat", "x0_hat", "mean", "noise"):
        assert getattr(trajectory, name).shape == (levels, points, dim)
    assert trajectory.repeats.shape == (experiment.sampling.repeats, points, dim)
    assert not any(getattr(trajectory, name).requires_grad for name in TENSORS)
    moved = trajectory.mean + trajectory.noise  # each is computed anew for all levels when asked
    for k in range(levels):
        step = trajectory.step(k)
        assert torch.equal(step.x, trajectory.x[k])
        assert torch.equal(step.x_next, moved[k])
        if k < levels - 1 or not experiment.sampling.repeats:
            assert torch.equal(step.x_next, trajectory.x[k + 1])
        again = step.alpha * step.x0_hat + step.sigma * step.eps_hat
        assert float((again - step.x).abs().max()) < 1e-4
    mean, std = trajectory.moments()
    assert mean.shape == std.shape == (levels + 1, dim)
    assert float((mean[3] - trajectory.x[3].mean(0)).abs().max()) == 0


def test_the_first_state_is_the_start():
    experiment = get_preset("naive-2d").experiment
    trajectory = denoise(experiment, untrained(experiment), points=40, seed=9)
    mixture, schedule = make_mixture(experiment.data), make_schedule(experiment.schedule)
    first = start(experiment, mixture, schedule, 40, generator(9, "sampling"))
    assert torch.equal(trajectory.x[0], first)


@pytest.mark.parametrize("name", ["naive-2d", "ddpm-1d", "ddpm-1d-per-level", "ddpm-multimodal"])
def test_one_seed_gives_the_same_bits(name):
    experiment = get_preset(name).experiment
    first, again, other = (
        denoise(experiment, untrained(experiment), points=64, seed=seed) for seed in (3, 3, 4)
    )
    for tensor in TENSORS:
        assert torch.equal(getattr(first, tensor), getattr(again, tensor))
    assert not torch.equal(first.x[0], other.x[0])
    assert torch.equal(
        denoise(experiment.with_settings({"seed": 3}), untrained(experiment), points=64).x, first.x
    )


def test_another_denoiser_gets_the_same_start_and_the_same_noise():
    experiment = get_preset("ddpm-1d").experiment
    by_network = denoise(experiment, untrained(experiment), points=64)
    by_truth = denoise(experiment, ideal(experiment), points=64)
    assert torch.equal(by_network.x[0], by_truth.x[0])
    assert torch.equal(by_network.noise, by_truth.noise)
    assert float(by_network.noise[:-2].abs().min(-1).values.max()) > 0
    assert not torch.equal(by_network.x[-1], by_truth.x[-1])


def test_the_process_wide_generator_is_left_alone():
    experiment = get_preset("ddpm-1d").experiment
    before = torch.random.get_rng_state()
    first = denoise(experiment, ideal(experiment), points=16)
    torch.randn(5)
    state = torch.random.get_rng_state()
    assert not torch.equal(before, state)
    assert torch.equal(denoise(experiment, ideal(experiment), points=16).x, first.x)
    forward_process(experiment, points=16)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_trajectories_and_steps_cannot_be_changed():
    experiment = get_preset("naive-1d").experiment
    trajectory = denoise(experiment, untrained(experiment), points=4)
    for record in (trajectory, trajectory.step(0)):
        for field in fields(record):
            with pytest.raises(FrozenInstanceError):
                setattr(record, field.name, None)


def test_repeats_go_on_from_the_last_step():
    experiment = get_preset("ddpm-multimodal").experiment
    denoiser = untrained(experiment)
    trajectory = denoise(experiment, denoiser, points=50)
    assert len(trajectory.repeats) == 10
    level = trajectory.schedule[19]
    x = trajectory.mean[-1] + trajectory.noise[-1]
    for repeat in trajectory.repeats:
        beta = float(level.beta)
        eps = denoiser(x, level).eps_hat.detach()
        x = (x - beta / float(level.sigma) * eps) / (1 - beta) ** 0.5
        assert float((x - repeat).abs().max()) < 1e-4 * float(x.abs().max())
    assert torch.equal(trajectory.x[-1], trajectory.repeats[-1])
    none = denoise(experiment.with_settings({"sampling.repeats": 0}), denoiser, points=50)
    assert torch.equal(none.x[:-1], trajectory.x[:-1])
    assert not torch.equal(none.x[-1], trajectory.x[-1])
    assert torch.equal(none.x[-1], trajectory.step(19).x_next)


def test_the_denoiser_is_asked_once_a_step_and_once_a_repeat():
    experiment = get_preset("ddpm-multimodal").experiment
    asked = []

    def counting(x, level):
        asked.append(level.index)
        return Prediction(x, x, x)

    denoise(experiment, counting, points=3)
    assert asked == [*range(20), *[19] * 10]


@for_each("stop_before", [0, 1, 5])
def test_the_result_is_taken_where_the_experiment_says(stop_before):
    experiment = get_preset("ddpm-1d-detailed").experiment
    experiment = experiment.with_settings({"sampling.stop_before": stop_before})
    trajectory = denoise(experiment, untrained(experiment), points=5)
    assert trajectory.result_level == 9 - stop_before
    assert torch.equal(trajectory.result, trajectory.x[9 - stop_before])
    assert forward_process(experiment, points=5).result_level == 9 - stop_before


@pytest.mark.parametrize("kind", ["zero-mean", "data-mean", "exact"])
def test_the_moments_of_every_start(kind):
    n = 100_000
    experiment = get_preset("ddpm-1d").experiment.with_settings(
        {
            "sampling.start": kind,
            "schedule.betas": "0.1, 0.2, 0.3",
            "data.std": 0.5,
            "data.means": "-1, 3",
        }
    )
    mixture, schedule = make_mixture(experiment.data), make_schedule(experiment.schedule)
    x = start(experiment, mixture, schedule, n, generator(0, "test")).double()
    alpha_bar = 0.9 * 0.8 * 0.7
    mean = 0.0 if kind == "zero-mean" else alpha_bar**0.5 * 1.0
    variance = 1 - alpha_bar
    if kind == "exact":
        variance += alpha_bar * (4 + 0.25)
    assert abs(float(x.mean()) - mean) < 5 * (variance / n) ** 0.5
    assert abs(float(x.var()) / variance - 1) < 5 * (2 / n) ** 0.5


def test_the_naive_start_has_the_greatest_noise_level():
    experiment = get_preset("naive-1d").experiment.with_settings({"schedule.sigma_max": 3})
    trajectory = denoise(experiment, untrained(experiment), points=50_000)
    assert abs(float(trajectory.x[0].std()) / 3 - 1) < 5 * (1 / 100_000) ** 0.5
    assert abs(float(trajectory.x[0].mean())) < 5 * 3 / 50_000**0.5


@pytest.mark.parametrize("name", ["naive-1d", "ddpm-multimodal"])
def test_the_forward_process_has_the_exact_marginals(name):
    n = 50_000
    experiment = get_preset(name).experiment
    process = forward_process(experiment, points=n)
    mixture, schedule = make_mixture(experiment.data), process.schedule
    assert process.kind == "forward"
    assert process.x.shape == (experiment.levels + 1, n, experiment.dim)
    mean, std = process.moments()
    for k in range(experiment.levels + 1):
        exact = mixture.noised(float(schedule.alphas[k]), float(schedule.sigmas[k]))
        bound = 5 * exact.std() / n**0.5
        assert bool(((mean[k].double() - exact.mean()).abs() < bound + 1e-6).all())
        assert bool(((std[k].double() - exact.std()).abs() < bound + 1e-6).all())


def test_the_forward_process_keeps_one_point_and_one_noise_through_all_levels():
    experiment = get_preset("ddpm-1d").experiment
    process = forward_process(experiment, points=20, seed=5)
    x0, eps = process.x0_hat[0], process.eps_hat[0]
    assert torch.equal(process.x[-1], x0)
    for k in range(10):
        level = process.schedule[k]
        assert float((process.x[k] - level.alpha * x0 - level.sigma * eps).abs().max()) < 1e-6
        step = process.step(k)
        assert torch.equal(step.x_next, process.x[k + 1])
        assert torch.equal(step.x0_hat, x0)
    assert torch.equal(forward_process(experiment, points=20, seed=5).x, process.x)
    assert not torch.equal(forward_process(experiment, points=20, seed=6).x, process.x)


# --- what a step said, made again ----------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "euler", "heun", "dpm++2m"])
@for_each("points", [1, 30, 40_000])
def test_every_step_can_be_taken_again(sampler, points):
    experiment = get_preset("ddpm-1d").experiment
    experiment = experiment.with_settings({"sampling.sampler": sampler})
    trajectory = denoise(experiment, untrained(experiment), points=points)
    for k in range(trajectory.levels):
        step = trajectory.step(k)
        assert torch.equal(step.x_next, trajectory.x[k + 1])
        few = trajectory.step(k, slice(0, 5))
        assert float((few.x_next - trajectory.x[k + 1, :5]).abs().max()) < 1e-5
        assert torch.equal(few.noise, step.noise[:5])


def test_a_record_stays_as_it_was_when_the_network_learns_on():
    experiment = get_preset("ddpm-1d").experiment
    denoiser = untrained(experiment)
    trajectory = denoise(experiment, denoiser, points=50)
    before = trajectory.x0_hat
    with torch.no_grad():
        for weight in denoiser.network.parameters():
            weight.mul_(2)
    assert torch.equal(trajectory.x0_hat, before)
    assert not torch.equal(denoise(experiment, denoiser, points=50).x0_hat, before)


@pytest.mark.parametrize("name", ["ddpm-multimodal", "edm-1d"])
def test_the_first_points_go_the_same_way_without_the_others(name):
    experiment = get_preset(name).experiment
    whole = denoise(experiment, ideal(experiment), points=500)
    few = denoise(experiment, ideal(experiment), points=500, keep=20)
    assert few.points == 20
    assert torch.equal(few.x[0], whole.x[0, :20])
    assert float((few.x - whole.x[:, :20]).abs().max()) < 1e-5
    assert float((few.noise - whole.noise[:, :20]).abs().max()) == 0


@for_each("sampler", ["ddpm", "heun", "dpm++2m"])
def test_how_many_points_a_network_sees_at_once_changes_nothing(sampler, monkeypatch):
    experiment = get_preset("ddpm-1d").experiment.with_settings({"sampling.sampler": sampler})
    denoiser = untrained(experiment)
    whole = denoise(experiment, denoiser, points=50)
    with monkeypatch.context() as patch:
        patch.setattr("tui_diffusion.core.trajectory._AT_ONCE", 7)
        parts = denoise(experiment, denoiser, points=50)
    assert parts.retake.at_once == 7
    # An untrained network sends points hundreds away, where floats are this far apart.
    assert float((parts.x - whole.x).abs().max()) < 1e-3
    assert float((parts.x0_hat - whole.x0_hat).abs().max()) < 1e-3


def test_progress_is_told_of_every_step_and_repeat():
    experiment = get_preset("ddpm-multimodal").experiment
    told = []
    denoise(experiment, ideal(experiment), points=5, progress=lambda *at: told.append(at))
    assert told == [(done, 30) for done in range(1, 31)]


def test_a_record_keeps_little_more_than_its_points():
    experiment = get_preset("ddpm-1d").experiment
    trajectory = denoise(experiment, untrained(experiment), points=10_000)
    kept = [t for t in vars(trajectory.retake).values() if isinstance(t, torch.Tensor)]
    kept += trajectory.retake.states
    extra = sum(t.nbytes for t in kept if t.data_ptr() != trajectory.x.data_ptr())
    assert extra < trajectory.x.nbytes / 4
