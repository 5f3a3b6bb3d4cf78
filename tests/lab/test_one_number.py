"""One number, one meaning: every front end says the same of one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_diffusion.core.analysis.start_mismatch import start_mismatch
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.lab.clipboard import level_text
from tui_diffusion.lab.formatting import number
from tui_diffusion.lab.runs.compare.differences import result_rows
from tui_diffusion.lab.runs.compare.subjects import (
    Candidate,
    TrajectoryRequest,
    measure_subject,
    read_subjects,
)
from tui_diffusion.lab.runs.load import opened
from tui_diffusion.lab.sampling.diagnosis import diagnose
from tui_diffusion.lab.sampling.measured_trajectory import measure_trajectory
from tui_diffusion.lab.widgets.text_line import times_text
from tui_diffusion.lab.workspace import Workspace

from ..core.test_evaluate import as_json, command
from ..lab_driver import lab, until

PRESETS = {"edm-multimodal": 60, "naive-1d": 60, "ddpm-1d-detailed": 2100}
"""In two dimensions; in one; and with a result a level before clean, and a network a level, of
which the last is trained for 100 steps."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def trained(home: Path) -> dict[str, dict[str, Any]]:
    """What ``train --json`` says of a run of each."""
    reports = {}
    for name, steps in PRESETS.items():
        words = ("--set", f"training.steps={steps}", "--set", "sampling.points=700")
        folder = home / "runs" / name
        reports[name] = as_json("train", name, *words, "--out", folder, home=home)
    return reports


@pytest.fixture(autouse=True)
def store(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFFUSION_TUI_HOME", str(home))


@pytest.mark.parametrize("name", PRESETS)
def test_all_front_ends_say_the_same_of_a_run(name: str, home: Path, trained: Any) -> None:
    said = trained[name]["sample"]
    evaluated = as_json("evaluate", name, home=home)
    # The command line, and what is written to the run.
    assert as_json("sample", name, home=home)["sample"] == said
    assert evaluated["metrics"] == said
    written = json.loads((home / "runs" / name / "metrics.json").read_text("utf-8"))
    assert written["sample"] == said and written["loss"] == trained[name]["loss"]
    rows = {row["run"]: row for row in as_json("runs", home=home)["runs"]}
    assert rows[name]["quality"] == {key: said[key] for key in rows[name]["quality"]}
    assert f"{said['energy_distance']:.3g}" in command("runs", home=home).stdout
    # The lab: the points on the screen, r, the comparison, and where the error comes from.
    experiment, training = opened(name)
    request = Workspace(experiment, training).request(live=False)
    trajectory = measure_trajectory(request)
    level = trajectory.levels - experiment.sampling.stop_before
    seen = trajectory.numbers(level)
    assert seen.mean == pytest.approx(said["mean"], abs=1e-5)
    assert seen.std == pytest.approx(said["std"], abs=1e-5)
    measured = {
        "energy_distance": seen.energy,
        "energy_distance_chance": seen.energy_chance,
        "energy_distance_real": seen.energy_real,
        "nearest_mode_distance": seen.distance,
        "nearest_mode_distance_real": seen.goal_distance,
    }
    assert measured == {key: said[key] for key in measured}
    scored = f"energy distance: {number(said['energy_distance'])} ± "
    assert scored + number(said["energy_distance_chance"]) in level_text(trajectory, level)
    (row,) = (run for run in list_runs() if run.name == name)
    assert row.about is not None and row.about.quality is not None
    assert row.about.quality["energy_distance"] == said["energy_distance"]
    (subject,), _ = read_subjects([Candidate(name, home / "runs" / name)], lambda done, total: None)
    table = {row.label: row.values[0] for row in result_rows([subject])}
    loss = trained[name]["loss"]
    assert table["energy distance"] == number(said["energy_distance"])
    assert table["final loss"] == number(loss["final"])
    assert training.latest == pytest.approx(loss["final"], rel=1e-6)
    assert table["expected / floor"] == times_text(1 + loss["excess"] / loss["floor"], digits=3)
    _, beside = measure_subject(
        TrajectoryRequest(0, subject, experiment.seed), lambda done, total: None
    )
    assert np.array_equal(beside.x, trajectory.x)
    # The attribution explains that very energy distance.
    split = diagnose(request).attribution
    parts = evaluated["attribution"]
    assert split is not None and split.total == said["energy_distance"] == parts["total"]
    assert all(split.part(key) == parts[key] for key in ("start", "network", "discretisation"))
    assert split.chance == parts["chance"] == 2 * said["energy_distance_real"]
    off = start_mismatch(experiment)
    assert off.share == evaluated["start"]["share"]
    if not off.negligible:
        assert any(f"off by {off.share:.2g} std" in line for line in parts["verdict"])


async def test_the_screen_says_what_the_command_line_says(trained: Any) -> None:
    sample = trained["naive-1d"]["sample"]
    async with lab("naive-1d", glyphs="braille") as driver:
        await driver.press("r")
        await until(lambda: number(sample["energy_distance"]) in driver.screen)
        listed = next(
            line for line in driver.screen.splitlines() if "60/60" in line and "naive" in line
        )
        assert number(sample["energy_distance_real"]) in listed
        while "naive-1d" not in str(driver.app.screen.query_one("#detail").content)[:9]:
            await driver.press("down")
        await driver.press("enter")
        await driver.trajectory("network")
        energy, moved = sample["energy_distance"], sample["energy_distance_chance"]
        text = f"energy {number(energy)} ±{number(moved)}"
        await until(lambda: text in " ".join(driver.screen.split()))
        await driver.press("o", "o")
        await until(lambda: "Where the error comes from" in driver.screen)
        await until(lambda: "true points score" in driver.screen)
        (total,) = (line for line in driver.screen.splitlines() if "true points score" in line)
        assert f" {energy:.3g} ±" in total
        await driver.press("home")
        assert "start off by 0.54 std" in driver.title and "off by 0.54 std" in driver.screen


def test_a_bad_sample_looks_bad(home: Path, trained: Any) -> None:
    """Five Euler steps leave points between the modes, as few points tell by `off_mode` alone."""
    words = ("sample", "edm-multimodal", "--ideal", "--sampler", "euler", "--levels", 5, "--points")
    few = as_json(*words, 500, home=home)["sample"]
    assert few["off_mode"] > 0.1 and few["off_mode_real"] == 0
    assert few["energy_distance_chance"] > abs(few["energy_distance"]), "says that it cannot tell"
    text = command(*words, 500, home=home).stdout
    assert f"share off every mode                  {few['off_mode']:.3g}   real data 0" in text
    many = as_json(*words, 4096, home=home)["sample"]
    assert many["energy_distance"] > many["energy_distance_chance"]
    assert many["energy_distance"] > 4 * many["energy_distance_real"]
