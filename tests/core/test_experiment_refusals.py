"""Wrong values and unknown fields are refused, with the field and what is allowed."""

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.experiment_json import from_json
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.interface.command_line import parse_settings

from ..cases import for_each
from .refusals import DDPM, NAIVE, refusal

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
    # A file judges its path and what is chosen in it, ln σ may be below 0, and a run has any name.
    if spec.path not in ("data.path", "data.columns", "data.where", "data.label")
    and (spec.path, value) not in (("sampling.guide", name) for name in ("gpu", "cuda:-1", "cpu:0"))
    and (spec.path, value) != ("method.noise_mean", "-1")
]


@for_each("path, value", ALL_WRONG)
def test_a_wrong_value_is_refused_with_its_field_and_what_is_allowed(path, value):
    error = refusal({path: value})
    assert error.field == path
    assert str(error).startswith(f"{path}: ")
    assert field_table()[path].allowed in str(error)


@for_each("path", [s.path for s in field_table().values() if s.kind in WRONG])
@for_each("text", ["\x1b[31mred", "a\nb", "x" * 10_000, "σ" * 100 + "\t"])
def test_a_refusal_stays_one_short_line_whatever_was_written(path, text):
    message = str(refusal({path: text}))
    assert "\x1b" not in message
    assert "\n" not in message
    assert len(message) - len(field_table()[path].allowed) < 200


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
        ("naive-1d", "sampling.quiet", "1", "sampling.sampler = ddim or ddpm or"),
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


def test_an_unknown_preset():
    with pytest.raises(ConfigError) as caught:
        get_preset("no\x1bpe")
    assert str(caught.value) == f"experiment 'no?pe' is unknown; allowed: {', '.join(PRESETS)}"
