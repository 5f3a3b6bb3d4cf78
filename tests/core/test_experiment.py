"""The configuration: the post's numbers, readings of what a person writes, and clear refusals."""

import json
import math
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_diffusion.core.analysis.report import training_report
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.choices import samplers_of, schedules_of
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import (
    Experiment,
    field_table,
    from_json,
    to_json,
)
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.value_types import format_value
from tui_diffusion.core.parts.datasets import DATA_PARTS, centred
from tui_diffusion.core.parts.methods import METHOD_PARTS
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import RunError, open_run, save_run
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.interface.command_line import parse_settings

from ..cases import for_each
from ..hostile_files import MAKERS
from ..trainings import go_on, trained

NAIVE = get_preset("naive-1d").experiment
DDPM = get_preset("ddpm-1d").experiment
SINGLE = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.999)
EIGHT = (0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)


def refusal(settings_: dict[str, object], base: Experiment = NAIVE) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        base.with_settings(settings_)
    message = str(caught.value)
    assert message.isprintable(), "one line of plain text"
    assert "allowed" in message
    return caught.value


# --- wrong values ------------------------------------------------------------------------------

WRONG: dict[str, list[object]] = {
    "int": ["abc", "", "1.5", "-1", "nan", "inf", "1e300", "1,5", "0x10", "--1", None, [1], 2.5],
    "float": ["abc", "", "-1", "nan", "inf", "1e300", "1,5", None, [1], "1e-3x"],
    "bool": ["maybe", "", "2", None],
    "choice": ["nope", "", "Naive ", None, 3],
    "list": ["abc", "0.1, nan", "1e400", "0.1, x", None, 3],
    "text": ["gpu", "", "cuda:-1", "cpu:0", "cuda:0\n", None],
}
ALL_WRONG = [
    (spec.path, value)
    for spec in field_table().values()
    for value in WRONG[spec.kind]
    # A file judges its path and what is chosen in it, and ln σ may be below 0.
    if spec.path not in ("data.path", "data.columns", "data.where")
    and (spec.path, value) != ("method.noise_mean", "-1")
]


@for_each("path, value", ALL_WRONG)
def test_a_wrong_value_is_refused_with_its_field_and_what_is_allowed(path, value):
    error = refusal({path: value})
    assert error.field == path
    assert str(error).startswith(f"{path}: ")
    assert field_table()[path].allowed in str(error)


@for_each("path", [s.path for s in field_table().values() if s.kind in WRONG])
@for_each("text", ["\x1b[31mred", "a\nb", "x" * 10_000, "σ" * 100])
def test_a_refusal_stays_one_short_line_whatever_was_written(path, text):
    message = str(refusal({path: text}))
    assert "\x1b" not in message
    assert "\n" not in message
    assert len(message) < 300


@for_each(
    "path, below, least, greatest, above",
    [
        ("schedule.levels", "0", "1", "1000", "1001"),
        ("network.width", "0", "1", "4096", "4097"),
        ("network.depth", "0", "1", "16", "17"),
        ("training.steps", "0", "1", "100000000", "100000001"),
        ("training.batch", "0", "1", "1000000", "1000001"),
        ("training.lr", "0", "1e-300", "1e12", "1.01e12"),
        ("data.std", "9e-7", "1e-6", "10", "10.1"),
        ("sampling.points", "0", "1", "2000000", "2000001"),
        ("sampling.repeats", "-1", "0", "1000", "1001"),
        ("seed", "-1", "0", str(2**63 - 1), str(2**63)),
    ],
)
def test_bounds_hold_to_the_last_number(path, below, least, greatest, above):
    for value in (least, greatest):
        assert float(NAIVE.with_settings({path: value}).get(path)) == float(value)
    for value in (below, above):
        assert refusal({path: value}).field == path


@for_each("betas", ["0.1, 0", "1", "0.5, 1.5", "-0.1", (), (0.1,) * 1001])
def test_betas_out_of_range(betas):
    error = refusal({"schedule.betas": betas}, DDPM)
    assert error.field == "schedule.betas"
    assert "from 1e-24 and below 1" in str(error)


def test_the_entry_at_fault_is_told():
    assert "'x' (entry 3)" in str(refusal({"schedule.betas": "0.1 0.2 x"}, DDPM))


@for_each("means", ["(1, 2), (3)", "(1, 2, 3)", [[0.0]] * 65, [[]]])
def test_means_that_are_no_points_of_one_kind(means):
    error = refusal({"data.means": means})
    assert error.field == "data.means"
    assert "1 or all of 2 coordinates" in str(error)


@for_each(
    "base, changes, field",
    [
        ("naive-1d", {"schedule.sigma_min": 1}, "schedule.sigma_min"),
        ("naive-1d", {"schedule.sigma_max": 0.0005}, "schedule.sigma_min"),
        ("ddpm-multimodal", {"schedule.beta_max": 0.0005}, "schedule.beta_min"),
        ("naive-1d", {"schedule.kind": "beta"}, "schedule.kind"),
        ("ddpm-1d", {"schedule.kind": "karras"}, "schedule.kind"),
        ("ddpm-1d", {"sampling.sampler": "naive"}, "sampling.sampler"),
        ("ddpm-1d", {"method.name": "naive", "schedule.kind": "beta"}, "schedule.kind"),
        ("naive-1d", {"sampling.stop_before": 10}, "sampling.stop_before"),
        ("naive-1d", {"schedule.levels": 3, "sampling.stop_before": 3}, "sampling.stop_before"),
        ("ddpm-1d-per-level", {"training.steps": 7}, "training.steps"),
        ("ddpm-1d", {"schedule.betas": (0.9,) * 999}, "schedule.betas"),
        (
            "ddpm-multimodal",
            {"schedule.levels": 1000, "schedule.rho": 1, "schedule.beta_max": 0.999},
            "schedule.levels",
        ),
    ],
)
def test_parts_that_do_not_fit_each_other(base, changes, field):
    error = refusal(changes, get_preset(base).experiment)
    assert error.field == field
    assert field in str(error)


@for_each(
    "base, path, value, reason",
    [
        ("naive-1d", "schedule.betas", "0.1, 0.2", "schedule.kind = beta"),
        ("naive-1d", "schedule.beta_min", "0.1", "schedule.kind = karras-beta"),
        ("ddpm-1d", "schedule.levels", "20", "schedule.kind = karras or karras-beta"),
        ("ddpm-1d", "schedule.sigma_max", "3", "schedule.kind = karras"),
        ("naive-1d", "sampling.quiet", "1", "sampling.sampler = ddpm"),
        ("naive-1d", "sampling.variance", "beta", "sampling.sampler = ddpm"),
        ("naive-1d", "training.decay_every", "10", "training.decay = step"),
        ("naive-1d", "training.first_lr", "0.1", "network.per_level = true"),
    ],
)
def test_a_field_that_would_change_nothing_is_refused(base, path, value, reason):
    error = refusal({path: value}, get_preset(base).experiment)
    assert error.field == path
    assert str(error).startswith(f"{path}: does not apply while")
    assert reason in str(error)


def test_a_field_is_accepted_together_with_what_makes_it_apply():
    made = NAIVE.with_settings({"training.decay_every": "10", "training.decay": "step"})
    assert made.training.decay_every == 10
    made = NAIVE.with_settings({"sampling.quiet": "1", "sampling.sampler": "ddpm"})
    assert made.sampling.quiet == 1


# --- unknown fields ----------------------------------------------------------------------------


@for_each(
    "path, suggestion",
    [
        ("training.lrr", "training.lr"),
        ("trainig.steps", "training.steps"),
        ("lr", "did you mean training.lr?"),
        ("point octaves", "network.fourier"),
        ("schedule.level", "schedule.levels"),
        ("sead", "seed"),
        ("nope", "training.*"),
        ("training", "training."),
        ("", "training.*"),
        ("name", ".name"),
        ("training.lr.x", "training.lr"),
    ],
)
def test_an_unknown_field_is_named_with_those_that_are_near(path, suggestion):
    error = refusal({path: "1"})
    assert error.field == path
    assert "no such field" in str(error)
    assert suggestion in str(error)


@for_each("text", ["training.lr", "", "=1", " =1"])
def test_an_assignment_without_a_field_or_a_value(text):
    with pytest.raises(ConfigError, match="allowed: FIELD=VALUE"):
        parse_settings([text])


def test_assignments():
    given_ = ["training.lr = 1e-3", "data.means=(1, 2)", "device=", "a=b=c", "seed=1", "seed=2"]
    assert parse_settings(given_) == {
        "training.lr": "1e-3",
        "data.means": "(1, 2)",
        "device": "",
        "a": "b=c",
        "seed": "2",
    }


# --- what a person writes ----------------------------------------------------------------------


@for_each(
    "text, number",
    [
        ("1e4", 10_000),
        ("10,000", 10_000),
        ("10_000", 10_000),
        ("1,234,567", 1_234_567),
        (" 7 ", 7),
        ("12.0", 12),
        ("2.5e3", 2500),
    ],
)
def test_whole_numbers(text, number):
    steps = NAIVE.with_settings({"training.steps": text}).training.steps
    assert (steps, type(steps)) == (number, int)


@for_each("seed", [0, 2**53 + 1, 2**63 - 1, 1234567890123456789])
def test_great_seeds_are_kept_to_the_last_digit(seed):
    assert NAIVE.with_settings({"seed": str(seed)}).seed == seed


@for_each(
    "text, points",
    [
        ("(-1, 1), (1, -1)", ((-1, 1), (1, -1))),
        ("-1 1; 1 -1", ((-1, 1), (1, -1))),
        ("(-1, 1); (1, -1)", ((-1, 1), (1, -1))),
        ("[[-1, 1], [1, -1]]", ((-1, 1), (1, -1))),
        ("(-1 1)(1 -1)", ((-1, 1), (1, -1))),
        ("(2, 3)", ((2, 3),)),
        ("[2, 3]", ((2, 3),)),
        ("-1, 1", ((-1,), (1,))),
        ("-1 1", ((-1,), (1,))),
        ("(-1), (1)", ((-1,), (1,))),
        ("1e-3", ((0.001,),)),
        ("", ((1,),)),
    ],
)
def test_means(text, points):
    made = NAIVE.with_settings({"data.means": text})
    assert made.data.means == points
    assert made.dim == len(points[0])


@for_each("text", ["0.1 0.2", "0.1, 0.2", "[0.1, 0.2]", "(0.1,0.2)", "0.1;0.2"])
def test_lists_of_numbers(text):
    assert DDPM.with_settings({"schedule.betas": text}).schedule.betas == (0.1, 0.2)


@for_each("text", ["true", "True", "yes", "on", "1"])
def test_yes(text):
    assert NAIVE.with_settings({"network.per_level": text}).network.per_level is True


@for_each("text", ["cpu", "auto", "mps", "cuda", "cuda:0", "cuda:12"])
def test_devices(text):
    assert NAIVE.with_settings({"device": text}).device == text


@for_each("name", list(PRESETS))
def test_what_is_shown_can_be_typed_again(name):
    experiment = get_preset(name).experiment
    for path, spec in field_table().items():
        if spec.applies(experiment):
            shown = format_value(experiment.get(path))
            assert experiment.with_settings({path: shown}) == experiment, path


@given(st.floats(1e-300, 1e12))
def test_numbers_shown_are_the_numbers_to_five_digits(value):
    shown = format_value(value)
    assert float(shown) == pytest.approx(value, rel=1e-5)
    assert len(shown) <= 12


@for_each(
    "value, shown",
    [
        (2e-4, "2e-4"),
        (0.001, "0.001"),
        (1000, "1000"),
        (1e6, "1e6"),
        (0.95, "0.95"),
        (True, "true"),
        ((0.1, 0.2), "0.1, 0.2"),
        (((-1.0, 1.0), (1.0, 1.0)), "(-1, 1), (1, 1)"),
        (((1.0,), (2.0,)), "1, 2"),
        (0.0, "0"),
        ("relu", "relu"),
    ],
)
def test_how_values_are_shown(value, shown):
    assert format_value(value) == shown


# --- settings that bring others with them ------------------------------------------------------


@for_each("name", centred())
@for_each("base", list(PRESETS))
def test_another_data_set_brings_its_means(base, name):
    made = get_preset(base).experiment.with_settings({"data.name": name})
    assert made.data.means == DATA_PARTS[name].means


def test_means_given_beside_a_data_set_win():
    made = NAIVE.with_settings({"data.name": "four-gaussians", "data.means": "(0, 0)"})
    assert made.data.means == ((0.0, 0.0),)


def test_naming_the_same_data_set_keeps_the_means():
    moved = NAIVE.with_settings({"data.means": "3"})
    assert moved.with_settings({"data.name": "gaussian-1d"}).data.means == ((3.0,),)


@for_each("method", list(METHOD_PARTS))
@for_each("base", list(PRESETS))
def test_another_method_brings_a_schedule_and_a_sampler_that_fit(base, method):
    before = get_preset(base).experiment
    if before.network.per_level and method in ("edm", "flow"):
        # They train on any noise level, so that there are no networks to count.
        assert refusal({"method.name": method}, before).field == "network.per_level"
        return
    made = before.with_settings({"method.name": method})
    assert made.method.name == method
    assert made.schedule.kind in schedules_of(method)
    assert made.sampling.sampler in samplers_of(method)
    if before.schedule.kind in schedules_of(method):
        assert made.schedule == before.schedule
    if before.sampling.sampler in samplers_of(method):
        assert made.sampling == before.sampling


def test_settings_make_a_new_experiment_and_change_nothing_else():
    before = to_json(NAIVE)
    made = NAIVE.with_settings({"training.lr": "0.5", "seed": 3})
    assert to_json(NAIVE) == before
    assert (made.training.lr, made.seed) == (0.5, 3)
    for path in field_table():
        if path not in ("training.lr", "seed"):
            assert made.get(path) == NAIVE.get(path)
    with pytest.raises(ValueError, match="frozen"):
        NAIVE.training.lr = 1.0


# --- as JSON -----------------------------------------------------------------------------------


@for_each("name", list(PRESETS))
def test_presets_go_through_json_unchanged(name):
    experiment = get_preset(name).experiment
    text = to_json(experiment)
    assert from_json(text) == experiment
    written = json.loads(text)
    for path in field_table():
        value = written
        for part in path.split("."):
            value = value[part]
        plain = json.loads(json.dumps(experiment.get(path)))
        assert value == plain, path


@for_each(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"nope": 1}',
        '{"training": 5}',
        '{"training": {"lr": "x"}}',
        '{"training": {"lrr": 1}}',
        '{"data": null}',
        '{"name": "' + "x" * 100 + '"}',
        r'{"name": "\u001b[31m"}',
        '{"seed": NaN}',
        "[" * 100_000,
    ],
)
def test_json_that_is_no_experiment(text):
    with pytest.raises(ConfigError) as caught:
        from_json(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


# --- the fields themselves ---------------------------------------------------------------------


def test_every_field_tells_what_a_form_needs():
    table = field_table()
    assert len(table) >= 36
    for path, spec in table.items():
        assert spec.path == path
        assert spec.label
        assert spec.help.endswith(".")
        assert spec.allowed
        assert (spec.kind in ("choice", "bool")) == bool(spec.choices)
        assert spec.section == path.rpartition(".")[0]
        for other, values in spec.when.items():
            assert other in table
            assert set(values) <= set(table[other].choices)


# --- the post's numbers ------------------------------------------------------------------------


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


def test_an_unknown_preset():
    with pytest.raises(ConfigError) as caught:
        get_preset("no\x1bpe")
    assert str(caught.value) == f"experiment 'no?pe' is unknown; allowed: {', '.join(PRESETS)}"


# --- anything valid runs -----------------------------------------------------------------------

small = {
    "data.means": st.sampled_from(["", "0", "-1, 1", "(1, 2)", "(0, 0), (3, 1), (1e3, 0)", "1e30"]),
    "data.std": st.sampled_from(["1e-6", "0.01", "1", "10"]),
    "data.balanced": st.booleans(),
    "data.scaling": st.sampled_from(["column", "shared"]),
    "data.weights": st.sampled_from(["", "1", "1, 3", "0.1 0.2 0.7"]),
    "data.count": st.integers(1, 9),
    "method.noise_mean": st.sampled_from([-10, -1.2, 10]),
    "method.noise_std": st.sampled_from([1e-9, 1.2, 5]),
    "network.fourier": st.integers(0, 3),
    "network.level_fourier": st.integers(0, 3),
    "training.average": st.sampled_from([0, 0.5, 0.999]),
    "sampling.levels": st.integers(0, 7),
    "sampling.eta": st.sampled_from([0, 0.5, 1]),
    "schedule.levels": st.integers(1, 12),
    "schedule.sigma_min": st.sampled_from([1e-9, 1e-3, 0.1, 2.0]),
    "schedule.sigma_max": st.sampled_from([1e-3, 0.5, 1.0, 100.0]),
    "schedule.beta_min": st.sampled_from([1e-17, 1e-3, 0.5]),
    "schedule.beta_max": st.sampled_from([1e-3, 0.9, 0.9999999]),
    "schedule.rho": st.sampled_from([1, 4, 100]),
    "schedule.betas": st.lists(
        st.floats(0, 1, exclude_min=True, exclude_max=True), min_size=1, max_size=12
    ).map(tuple),
    "network.width": st.integers(1, 9),
    "network.depth": st.integers(1, 4),
    "network.activation": st.sampled_from(["relu", "tanh", "silu", "gelu"]),
    "network.per_level": st.booleans(),
    "training.steps": st.integers(1, 14),
    "training.batch": st.integers(1, 9),
    "training.lr": st.sampled_from([1e-300, 1e-5, 1e-3, 1.0, 1e9, 1e12]),
    "training.optimizer": st.sampled_from(["sgd", "adam", "adamw"]),
    "training.loss": st.sampled_from(["sum", "norm", "mean"]),
    "training.decay": st.sampled_from(["none", "step", "cosine"]),
    "training.decay_factor": st.sampled_from([1e-9, 0.5, 1]),
    "training.decay_every": st.integers(1, 5),
    "training.first_factor": st.sampled_from([1, 2.5, 1000]),
    "training.first_lr": st.sampled_from([1e-3, 1e12]),
    "sampling.points": st.integers(1, 30),
    "sampling.sampler": st.sampled_from(sorted(SAMPLER_PARTS)),
    "sampling.variance": st.sampled_from(["posterior", "beta"]),
    "sampling.quiet": st.integers(0, 13),
    "sampling.start": st.sampled_from(["zero-mean", "data-mean", "exact"]),
    "sampling.repeats": st.integers(0, 3),
    "sampling.stop_before": st.integers(0, 12),
    "seed": st.sampled_from([0, 1, 2**63 - 1]),
}


def any_settings(**data: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, object]]:
    methods = st.sampled_from(list(METHOD_PARTS))
    fixed = {f"data.{field}": values for field, values in data.items()}
    return st.fixed_dictionaries({**fixed, "method.name": methods}, optional=small)


GOOD = {
    "line.csv": "x\n1\n2\n5\n",
    "plane.csv": "x;y\n1,5;2\n3;4\n5;9\n",
    "point.csv": "7,7\n",
    "same.csv": "3\n3\n3\n",
    "far.csv": "1e100\n-1e100\n",
    "near.csv": "1e-100,0\n0,1e-100\n",
}
PATHS = [*GOOD, *(what for what in MAKERS if what not in ("blank lines", "one line"))]
"""Files that are points, and those that are none but for the slow ones."""
GOOD_OR_NOT = st.sampled_from([*GOOD]) | st.sampled_from(PATHS)

JUDGED_BESIDE = {
    "schedule.sigma_min": "schedule.sigma_max",
    "schedule.beta_min": "schedule.beta_max",
    "data.weights": "data.means",
    "data.path": "data.name",
}
"""Where a field is at fault that was not set, the one that was."""


def test_every_field_is_tried():
    fixed = {"data.name", "data.path", "data.columns", "data.where"}
    fixed |= {"method.name", "schedule.kind", "device"}
    assert set(small) | fixed == set(field_table())


def saves_and_goes_on(trainer: Trainer) -> None:
    """A training is the same reopened, and goes on bit for bit from its first step."""
    with tempfile.TemporaryDirectory() as folder, mock.patch("os.fsync"):
        run = open_run(str(save_run(Path(folder) / "whole", trainer, "finished")))
        kept = run.experiment.data.path  # the run's own copy of a file's points
        data = trainer.experiment.data.model_copy(update={"path": kept})
        assert run.experiment == trainer.experiment.model_copy(update={"data": data})
        assert run.losses().tobytes() == trainer.losses[: trainer.step].tobytes()
        kept = trainer.denoiser.network.state_dict()
        again = run.denoiser().network.state_dict()
        assert all(torch.equal(kept[name], again[name]) for name in kept)
        part = Trainer(trainer.experiment)
        if next(part.run(every=1)).status == "training":
            saved = save_run(Path(folder) / "part", part, "stopped")
            if not all(bool(torch.isfinite(p).all()) for p in part.network.parameters()):
                raise AssertionError("weights that overflowed were left in place")
            if part.status == "diverged":
                with pytest.raises(RunError, match="diverged"):
                    resume(open_run(str(saved)))
                return
            resumed = resume(open_run(str(saved)))
            go_on(resumed)
            assert (resumed.step, resumed.status) == (trainer.step, trainer.status)
            before, after = (t.losses[: t.step].tobytes() for t in (trainer, resumed))
            assert before == after


NAMED = st.sampled_from([*centred(), "ring", "moons"])


@settings(max_examples=40)
@given(any_settings(name=NAMED), st.integers(0, 3))
def test_any_setting_trains_and_samples_or_is_refused_by_name(changes, place):
    trains_and_samples_or_is_refused(changes, place)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A path for each of `PATHS`."""
    folder = tmp_path_factory.mktemp("points")
    for name, text in GOOD.items():
        (folder / name).write_text(text)
    made = {what: make(folder) for what, make in MAKERS.items() if what in PATHS}
    return {**{name: folder / name for name in GOOD}, **made}


@settings(max_examples=25)
@given(changes=any_settings(path=GOOD_OR_NOT), place=st.integers(0, 3))
def test_any_file_trains_and_samples_or_is_refused_by_name(files, changes, place):
    what = changes["data.path"]
    changes |= {"data.name": "file", "data.path": str(files[what])}
    for field in ("means", "weights", "count"):
        changes.pop(f"data.{field}", None)
    trains_and_samples_or_is_refused(changes, place)
    assert ("data.path" in changes) == (what in GOOD)


def trains_and_samples_or_is_refused(changes, place):
    """What is refused is left out of ``changes``, one by one, and the rest goes on."""
    kinds = schedules_of(changes["method.name"])
    changes["schedule.kind"] = kinds[place % len(kinds)]
    steps = changes.setdefault("training.steps", 3)
    while True:
        try:
            experiment = NAIVE.with_settings(changes)
            break
        except ConfigError as error:
            assert error.field in field_table()
            assert str(error).startswith(f"{error.field}: ")
            assert "allowed" in str(error)
            if error.field == "training.steps":  # fewer than there are networks
                assert changes["network.per_level"] and steps < 12
                changes["training.steps"] = steps = 12
                continue
            # Without the field at fault, the rest is tried on.
            field = error.field
            changes.pop(field if field in changes else JUDGED_BESIDE[field])
    assert from_json(to_json(experiment)) == experiment
    trainer = trained(experiment)
    assert trainer.status in ("finished", "diverged")
    assert trainer.step == steps or not np.isfinite(trainer.losses[trainer.step - 1])
    assert all(bool(torch.isfinite(p).all()) for p in trainer.network.parameters())
    saves_and_goes_on(trainer)
    report = training_report(trainer)
    json.dumps(report, allow_nan=False)
    sample = report["sample"]
    assert sample["points"] == experiment.sampling.points
    assert len(sample["mean"]) == experiment.dim
    # Shares of all points, of none where none is finite, or null where data have no modes.
    weights = sample["mode_weights"] or [0.0]
    assert math.isclose(sum(weights), 1, abs_tol=1e-5) or not any(weights)
