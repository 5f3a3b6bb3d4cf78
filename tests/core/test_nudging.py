"""Nudging: every field, from any value, up and down, and never out of what it may be."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment, field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.stepping import _next, _onwards, nudge

from ..cases import for_each

NUMBERS = [path for path, spec in field_table().items() if spec.kind in ("int", "float")]


FOLDER = TemporaryDirectory()
POINTS = Path(FOLDER.name, "points.csv")
POINTS.write_text("0,1\n1,2\n2,0\n")


def walk(experiment: Experiment, path: str, *, up: bool, most: int = 80) -> list[float]:
    """The values that a key held down goes through."""
    values = [experiment.get(path)]
    for _ in range(most):
        try:
            experiment = nudge(experiment, path, up=up)
        except ConfigError:
            break
        if experiment.get(path) == values[-1]:
            break
        values.append(experiment.get(path))
    return values


def where_it_applies(path: str) -> list[Experiment]:
    spec = field_table()[path]
    found = [p.experiment for p in PRESETS.values() if spec.applies(p.experiment)]
    shown_by = {
        "data.count": {"data.name": "ring"},
        "data.holdout": {"data.name": "file", "data.path": str(POINTS)},
    }
    if path not in shown_by:
        shown_by[path] = {p: values[0] for p, values in field_table()[path].when.items()}
    return found or [get_preset("edm-moons").experiment.with_settings(shown_by[path])]


@for_each(
    "scale, start, onwards",
    [
        ("series", 1e-3, [2e-3, 5e-3, 0.01, 0.02]),
        ("series", 27_000, [50_000, 100_000]),
        ("doubling", 1000, [1024, 2048]),
        ("doubling", 64, [128, 256]),
        ("doubling", 0, [1, 2, 4]),
        ("tenth", 18, [19, 20, 22, 24]),
        ("tenth", 48, [50, 55, 60]),
        ("to-one", 0.0, [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995]),
        ("share", 0.2, [0.5, 0.8, 0.9]),
        (0.1, -0.1, [0, 0.1, 0.2, 0.3]),
        (0.01, 0.95, [0.96, 0.97]),
        (1, 2**60 + 1, [2**60 + 2]),
    ],
)
def test_scales_go_through_the_numbers_a_person_expects_and_back(scale, start, onwards):
    value, seen = start, [start]
    for _ in onwards:
        value = _next(scale, value, True)
        seen.append(value)
    assert seen[1:] == onwards
    for expected in reversed(seen[1:-1]):
        value = _next(scale, value, False)
        assert value == expected


@for_each("path", NUMBERS)
def test_a_key_held_down_stays_within_the_bounds(path):
    bounds = field_table()[path].bounds
    for experiment in where_it_applies(path)[:3]:
        if path == "sampling.levels":
            experiment = get_preset("edm-moons").experiment.with_settings({path: 30})
        for up in (True, False):
            values = walk(experiment, path, up=up)
            assert values == sorted(set(values), reverse=not up)
            assert all(type(value) is type(values[0]) for value in values)
            assert all(
                bounds.get("ge", -math.inf) <= v <= bounds.get("le", math.inf)
                and bounds.get("gt", -math.inf) < v < bounds.get("lt", math.inf)
                for v in values
            )


@for_each("path", NUMBERS)
def test_some_way_leads_on_from_every_preset(path):
    for experiment in where_it_applies(path):
        ways = [len(walk(experiment, path, up=up, most=1)) for up in (True, False)]
        # Levels of sampling belong to a sampler that is not the post's own.
        assert max(ways) == 2 or path == "sampling.levels"


@given(st.data())
def test_from_any_number_the_way_on_is_in_the_right_direction(data):
    path = data.draw(st.sampled_from(NUMBERS))
    spec = field_table()[path]
    low = spec.bounds.get("ge", spec.bounds.get("gt"))
    high = spec.bounds.get("le", spec.bounds.get("lt"))
    if spec.kind == "int":
        value = data.draw(st.integers(low, high))
    else:
        value = data.draw(st.floats(low, high, exclude_min="gt" in spec.bounds,
                                    exclude_max="lt" in spec.bounds))  # fmt: skip
    for up in (True, False):
        for onwards in _onwards(spec, value, up):
            assert (onwards > value) == up and type(onwards) is type(value)
            assert low <= onwards <= high


def test_choices_pass_over_what_does_not_go_with_the_method():
    ddpm = get_preset("ddpm-multimodal").experiment
    seen = [nudge(ddpm, "schedule.kind", up=up).schedule.kind for up in (True, False)]
    assert seen == ["linear-beta", "beta"]
    cosine = ddpm.with_settings({"schedule.kind": "cosine"})
    assert nudge(cosine, "schedule.kind", up=True) == cosine
    assert nudge(nudge(ddpm, "network.per_level", up=True), "network.per_level", up=True) == ddpm
    moons = get_preset("edm-moons").experiment
    last = moons.with_settings({"data.name": "drawing"})
    assert nudge(last, "data.name", up=True) == last  # points from a file need their path


def test_levels_of_sampling_begin_from_those_of_the_schedule():
    moons = get_preset("edm-moons").experiment
    seen = [nudge(moons, "sampling.levels", up=up).sampling.levels for up in (True, False)]
    assert (moons.sampling.levels, seen) == (0, [22, 19])
    with pytest.raises(ConfigError, match="more than the 10 levels"):
        nudge(get_preset("ddpm-1d").experiment, "sampling.levels", up=True)


def test_what_does_not_go_with_another_field_is_refused_by_name():
    experiment = get_preset("naive-1d").experiment.with_settings({"schedule.sigma_min": 0.5})
    with pytest.raises(ConfigError, match=r"schedule\.sigma_min: 1 is not below"):
        nudge(experiment, "schedule.sigma_min", up=True)


@for_each("path", ["device", "schedule.betas", "data.means"])
def test_text_and_lists_stay_as_they_are(path):
    experiment = get_preset("ddpm-1d").experiment
    assert nudge(experiment, path, up=True) == experiment
