"""The presets have the post's numbers."""

import pytest

from tui_diffusion.core.config.catalog import get_preset

SINGLE = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.999)
EIGHT = (0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)


@pytest.mark.parametrize(
    ("name", "script", "data", "method", "levels", "steps", "batch", "lr", "loss", "points"),
    [
        ("naive-1d", "simple_1Diffusion", "gaussian-1d", "naive", 10, 1_000, 32, 1e-3, "sum", 1000),
        ("naive-2d", "simple_2Diffusion", "gaussian-2d", "naive", 10, 1_000, 32, 1e-3, "sum", 2000),
        (
            *("naive-multimodal", "simple_multimodal", "four-gaussians", "naive"),
            *(20, 3_000, 128, 1e-3, "sum", 2000),
        ),
        ("ddpm-1d", "single_DDPM", "gaussian-1d", "ddpm", 10, 20_000, 64, 1e-3, "norm", 2000),
        (
            *("ddpm-1d-per-level", "simple_DDPM", "gaussian-1d", "ddpm"),
            *(8, 27_000, 1000, 1e-5, "norm", 1000),
        ),
        (
            *("ddpm-multimodal", "multimodal_DDPM", "four-gaussians", "ddpm"),
            *(20, 10_000, 128, 2e-3, "sum", 1000),
        ),
        (
            *("ddpm-1d-detailed", "detailed_DDPM", "gaussian-1d", "ddpm"),
            *(9, 41_000, 1000, 1e-5, "norm", 1000),
        ),
    ],
)
def test_presets_have_the_posts_numbers(
    name, script, data, method, levels, steps, batch, lr, loss, points
):
    preset = get_preset(name)
    experiment = preset.experiment
    training, network, sampling = experiment.training, experiment.network, experiment.sampling
    assert (preset.id, experiment.name, preset.script) == (name, name, script)
    assert preset.title
    assert preset.about
    assert (experiment.data.name, experiment.data.std) == (data, 0.01)
    assert (experiment.data.balanced, experiment.method.name) == (True, method)
    assert (experiment.levels, training.steps, training.batch) == (levels, steps, batch)
    assert (training.lr, training.loss, training.optimizer) == (lr, loss, "sgd")
    assert (network.width, network.depth, network.activation) == (32, 2, "relu")
    assert (sampling.points, sampling.sampler) == (points, method)
    assert (sampling.quiet, sampling.variance) == (2, "posterior")


def test_the_posts_data():
    assert get_preset("naive-1d").experiment.data.means == ((1.0,),)
    assert get_preset("naive-2d").experiment.data.means == ((-1.0, 1.0),)
    assert set(get_preset("ddpm-multimodal").experiment.data.means) == {
        (-1.0, 1.0),
        (1.0, -1.0),
        (-1.0, -1.0),
        (1.0, 1.0),
    }


@pytest.mark.parametrize("name", ["naive-1d", "naive-2d", "naive-multimodal"])
def test_the_posts_karras_levels(name):
    schedule = get_preset(name).experiment.schedule
    assert (schedule.kind, schedule.rho) == ("karras", 7)
    assert (schedule.sigma_max, schedule.sigma_min) == (1.0, 0.001)
    assert get_preset(name).experiment.sampling.start == "zero-mean"


@pytest.mark.parametrize(
    ("name", "betas"),
    [("ddpm-1d", SINGLE), ("ddpm-1d-per-level", EIGHT), ("ddpm-1d-detailed", (*EIGHT, 0.999))],
)
def test_the_posts_betas(name, betas):
    assert get_preset(name).experiment.schedule.kind == "beta"
    assert get_preset(name).experiment.schedule.betas == betas


def test_the_posts_karras_shaped_betas():
    schedule = get_preset("ddpm-multimodal").experiment.schedule
    assert (schedule.kind, schedule.rho, schedule.levels) == ("karras-beta", 4, 20)
    assert (schedule.beta_min, schedule.beta_max) == (0.001, 0.9)


@pytest.mark.parametrize(
    ("name", "decay", "factor", "every"),
    [
        ("naive-1d", "none", None, None),
        ("naive-2d", "none", None, None),
        ("naive-multimodal", "step", 0.95, 100),
        ("ddpm-1d", "none", None, None),
        ("ddpm-1d-per-level", "none", None, None),
        ("ddpm-multimodal", "step", 0.98, 100),
        ("ddpm-1d-detailed", "none", None, None),
    ],
)
def test_the_posts_rate_decay(name, decay, factor, every):
    training = get_preset(name).experiment.training
    assert training.decay == decay
    if decay == "step":
        assert (training.decay_factor, training.decay_every) == (factor, every)


@pytest.mark.parametrize(
    ("name", "start", "repeats", "stop_before", "per_level"),
    [
        ("ddpm-1d", "data-mean", 0, 0, False),
        ("ddpm-1d-per-level", "data-mean", 0, 0, True),
        ("ddpm-multimodal", "data-mean", 10, 0, False),
        ("ddpm-1d-detailed", "exact", 0, 1, True),
    ],
)
def test_the_posts_sampling(name, start, repeats, stop_before, per_level):
    experiment = get_preset(name).experiment
    sampling = experiment.sampling
    assert (sampling.start, sampling.repeats, sampling.stop_before) == (start, repeats, stop_before)
    assert experiment.network.per_level == per_level


def test_the_first_rates_of_the_networks_a_level():
    assert get_preset("ddpm-1d-per-level").experiment.training.first_lr == 2e-3
    assert get_preset("ddpm-1d-detailed").experiment.training.first_lr == 3e-3
