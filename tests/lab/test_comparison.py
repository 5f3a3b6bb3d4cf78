"""What a comparison says: losses over their floors, settings that differ, the better result."""

import json

import numpy as np
import pytest

from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.lab.drawing.plot import legend_of
from tui_diffusion.lab.runs.compare.differences import result_rows, settings_that_differ
from tui_diffusion.lab.runs.compare.subjects import (
    Candidate,
    Subject,
    TrajectoryRequest,
    beside_workspace,
    measure_subject,
    read_subjects,
)
from tui_diffusion.lab.runs.compare.table import ComparisonTable
from tui_diffusion.lab.runs.load import opened
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.views.loss_overlay import SERIES, can_be_relative, overlay_plot

from .. import stored_runs as stored
from ..cases import for_each
from ..changed import changed


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSION_TUI_HOME", str(tmp_path))


def quietly(done, total):
    """Take reports of progress, and say nothing."""


def subject(preset="naive-1d", metrics=None, **settings):
    experiment = changed(preset, **settings)
    losses = np.ones(10, np.float32)
    return Subject(
        preset, experiment, SessionState.FINISHED, 10, 1.0, losses, (), None, metrics or {}
    )


def rows(found):
    return {row.label: row for row in found}


# --- losses ------------------------------------------------------------------------------------


def test_each_loss_is_divided_by_the_floor_of_its_stage():
    losses = np.array([4.0] * 30 + [6.0] * 60, np.float32)
    floors = ((0, 2.0), (30, 1.0))
    figure = overlay_plot([(losses, floors)], ["A"], 40, log=True, relative=True)
    ys = np.array(figure.curves[0].ys)
    assert ys[0] == 2.0
    assert ys[-1] == 6.0
    assert figure.h_lines[0].at == 1.0
    plain = overlay_plot([(losses, floors)], ["A"], 40, log=True, relative=False)
    assert (plain.curves[0].ys[0], plain.curves[0].ys[-1], plain.h_lines) == (4.0, 6.0, ())


def test_runs_of_different_lengths_share_one_axis():
    short, long = np.ones(100, np.float32), np.ones(1_000_000, np.float32)
    figure = overlay_plot([(short, ()), (long, ())], ["A", "B"], 80, log=False, relative=False)
    assert figure.x_range == (0, 1_000_000)
    assert max(figure.curves[0].xs) < 100
    assert len(figure.curves[1].xs) <= 2 * 80, "about two values a column, however long it is"


@for_each("glyphs", ["braille", "blocks", "ascii"])
def test_no_two_series_look_alike(glyphs):
    figure = overlay_plot([(np.ones(9, np.float32), ())] * 4, "ABCD", 80, log=False, relative=False)
    samples = [sample for sample, _, _ in legend_of(figure, glyphs)]
    assert len(set(samples)) == 4
    assert len({role for role, _ in SERIES}) == 4


def test_without_a_floor_none_is_divided():
    ones = np.ones(5, np.float32)
    assert can_be_relative([(ones, ((0, 0.5),))])
    assert not can_be_relative([(ones, ((0, 0.5),)), (ones, ())])
    assert not can_be_relative([(ones, ((0, 0.0),))])


# --- the table ---------------------------------------------------------------------------------


def test_only_what_differs_is_in_the_table():
    one = subject()
    assert settings_that_differ([one, one]) == []
    other = subject(training__lr="0.01", seed="7")
    found = settings_that_differ([one, other])
    labels = {spec.path: spec.label for spec in field_table().values()}
    assert [row.label.partition(" (")[0] for row in found] == [
        labels["training.lr"], labels["seed"],
    ]  # fmt: skip
    assert found[-1].values == ("0", "7")


def test_a_setting_that_does_not_apply_has_no_value():
    found = rows(settings_that_differ([subject("naive-1d"), subject("ddpm-1d")]))
    assert found["experiment"].values == ("naive-1d", "ddpm-1d")
    assert found["sigma max"].values == ("1", "–")


def test_the_better_result_has_the_mark():
    one = {"loss": {"final": 2, "excess": 0.5, "floor": 1.0}}
    one |= {"sample": {"energy_distance": 0.01, "in_mode_std_ratio": 0.9, "off_mode": 0.02}}
    two = {"loss": {"final": 1, "excess": 0.1, "floor": 1.0}}
    two |= {"sample": {"energy_distance": 0.02, "in_mode_std_ratio": 1.3, "off_mode": 0.02}}
    found = rows(result_rows([subject(metrics=one), subject(metrics=two)]))
    assert found["expected / floor"].values == ("1.500×", "1.100×")
    assert found["expected / floor"].best == 1
    assert found["energy distance"].best == 0
    assert found["std in mode / true"].best == 0, "nearest to 1"
    assert found["off every mode"].best is None, "the same in both"
    assert found["final loss"].best is None, "a matter of chance"
    assert "mode weights (TV)" not in found, "known of neither"
    for metrics in (one, two):
        metrics["sample"]["energy_distance_chance"] = 0.008
    found = rows(result_rows([subject(metrics=one), subject(metrics=two)]))
    assert found["energy distance"].best is None, "chance moves their difference by 0.011"
    assert found["  ± by chance"].values == ("0.0080", "0.0080")


def test_what_is_not_the_same_thing_is_not_judged():
    metrics = {"loss": {"final": 2, "excess": 0.5, "floor": 1.0}, "sample": {"off_mode": 0.5}}
    better = {"loss": {"final": 1, "excess": 0.1, "floor": 1.0}, "sample": {"off_mode": 0.1}}
    methods = rows(result_rows([subject("edm-moons", metrics), subject("flow-moons", better)]))
    assert methods["expected / floor"].best is None
    assert methods["off every mode"].best == 1, "the data are the same"
    data = rows(result_rows([subject("edm-moons", metrics), subject("edm-spirals", better)]))
    assert data["off every mode"].best is None


def test_the_table_says_why_no_winner_is_marked(monkeypatch):
    monkeypatch.setattr(ComparisonTable, "recount", lambda self: None)
    table = ComparisonTable(plain=True)
    sentence = "These losses measure different things, so no winner is marked."
    for other, expected in (("flow-moons", True), ("edm-moons", False)):
        table.show([subject("edm-moons"), subject(other)])
        assert (sentence in " ".join(row.label for row in table.rows)) == expected


@for_each(
    "odd",
    [None, [], "x", *({"energy_distance": value} for value in ("0.1", True, float("nan"), [1]))],
)
def test_metrics_that_anybody_wrote_break_nothing(odd):
    found = rows(result_rows([subject(metrics={"sample": odd, "loss": odd})] * 2))
    assert "energy distance" not in found


# --- reading -----------------------------------------------------------------------------------


def test_runs_are_read_and_what_is_damaged_is_refused_in_one_line():
    good, bad = stored.run("good"), stored.run("bad")
    file = json.loads((bad / "run.json").read_text("utf-8"))["checkpoint"]
    (bad / file / "weights.safetensors").write_bytes(b"nothing")
    subjects, faults = read_subjects(
        [Candidate("good", good), Candidate("bad", bad), Candidate("none", bad / "x")], quietly
    )
    assert [s.name for s in subjects] == ["good"]
    assert len(faults) == 2
    assert "weights.safetensors" in faults[0]
    assert all(fault.isprintable() for fault in faults)


def test_a_run_without_numbers_is_measured_as_train_would():
    measured, bare = stored.run("measured"), stored.run("bare", measured=False)
    subjects, _ = read_subjects([Candidate("measured", measured), Candidate("bare", bare)], quietly)
    for part in ("loss", "sample", "target"):
        assert subjects[0].metrics[part] == subjects[1].metrics[part]


def test_films_start_from_the_same_noise():
    folders = [stored.run("one"), stored.run("two", training__lr="0.05")]
    subjects, _ = read_subjects([Candidate(f.name, f) for f in folders], quietly)
    trajectories = [
        measure_subject(TrajectoryRequest(k, s, seed=3), quietly)[1] for k, s in enumerate(subjects)
    ]
    assert np.array_equal(trajectories[0].x[0], trajectories[1].x[0])
    assert not np.array_equal(trajectories[0].x[-1], trajectories[1].x[-1])


def test_beside_the_bench_stands_the_latest_other_run_of_the_experiment():
    mine = stored.run("mine")
    older = stored.of_a_time(stored.run("older"), "2020-01-01T00:00:00+00:00")
    other = stored.of_a_time(stored.run("other"), "2021-01-01T00:00:00+00:00")
    stored.run("ddpm", "ddpm-1d")
    _, training = opened(str(mine))
    training.run = mine.absolute()
    found = beside_workspace(training, "naive-1d")
    assert [s.name for s in found] == ["mine", "other"]
    assert found[1].source == other.absolute() != older.absolute()
    assert beside_workspace(None, "naive-1d") == []
