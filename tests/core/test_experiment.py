"""The configuration: readings of what a person writes, what a setting brings, JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.choices import samplers_of, schedules_of
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.experiment_json import from_json, to_json
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.value_types import format_value
from tui_diffusion.core.parts.datasets import DATA_PARTS, centred
from tui_diffusion.core.parts.methods import METHOD_PARTS

from ..cases import for_each
from .refusals import DDPM, NAIVE, refusal

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
            assert set(values) <= set(table[other].choices or ("0",))
