"""Telling runs apart and finding them: what differs from the preset, names, folders outside."""

import json
import os
import shutil

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.user_presets import remove_preset, save_preset
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.changes import changes_of, matches
from tui_diffusion.core.runs.manifest import RunError
from tui_diffusion.core.runs.naming import all_runs, find, run_to_resume
from tui_diffusion.core.runs.outside import forget, outside_runs, remember
from tui_diffusion.core.runs.store import summarise
from tui_diffusion.core.runs.writer import save_run
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.lab.runs.run_list import RunList
from tui_diffusion.lab.runs.screen import RunsScreen
from tui_diffusion.lab.runs.stored import count_runs

from .. import stored_runs as stored
from ..lab_driver import NARROW, WIDE, lab, until


def saved(folder, preset="naive-1d", state="stopped", **changes):
    """A run with an untrained network."""
    return save_run(folder, Trainer(get_preset(preset).experiment.with_settings(changes)), state)


def edited(folder, **values):
    """Write other values into a run's experiment."""
    (file,) = folder.glob("checkpoint-*/experiment.json")
    shown = folder / "experiment.json"
    known = json.loads(file.read_text())
    for path, value in values.items():
        section, _, name = path.partition("__")
        (known[section] if name else known)[name or section] = value
    shown.unlink()
    file.write_text(json.dumps(known))
    files = json.loads((folder / "run.json").read_text())["files"]
    stored.of_an_earlier_version(folder, files=files | {"experiment.json": file.stat().st_size})


def changes(folder):
    return changes_of([summarise(folder)])[folder]


OTHER = {"method.name": "naive-exact", "training.lr": "0.002", "seed": "3"}


# --- what differs ------------------------------------------------------------------------------


def test_what_differs_from_the_preset_and_what_a_run_is_found_by():
    plain = saved(store() / "plain")
    other = saved(store() / "other", **OTHER)
    assert (changes(plain).values, changes(plain).text) == ({}, "")
    values = {"method.name": "naive-exact", "training.lr": 0.002, "seed": 3}
    assert changes(other).values == values
    assert changes(other).text == "naive-exact, lr 0.002, seed 3"
    for words, names in (
        ("lr=2e-3", {"other"}),
        ("training.lr=0.002 seed=3", {"other"}),
        ("seed=0", {"plain"}),
        ("seed=30", set()),
        ("naive-exact, lr 0.002,", {"other"}),
        ("NAIVE-1D stopped", {"plain", "other"}),
        ("r=0.002", set()),
        ("=", set()),
    ):
        runs = all_runs()
        known = changes_of(runs)
        found = {run.name for run in runs if matches(run, known[run.folder], words.split())}
        assert found == names, words


def test_a_field_of_two_sections_is_told_with_its_section():
    run = saved(store() / "run", "edm-1d", **{"schedule.levels": 12, "sampling.levels": 5})
    assert changes(run).text == "schedule.levels 12, sampling.levels 5"


def test_a_preset_of_ones_own_and_what_is_left_when_it_is_gone():
    own = get_preset("edm-moons").experiment.with_settings({"training.lr": 0.004})
    save_preset("mine", own)
    run = saved(store() / "run", "mine", seed=3)
    assert (changes(run).preset, changes(run).values) == ("mine", {"seed": 3})
    remove_preset("mine")
    assert changes(run).preset == "edm-moons"
    assert changes(run).text == "edm-moons, lr 0.004, seed 3"


def test_whatever_stands_in_the_file_is_harmless(run_cli):
    run = saved(store() / "run")
    deep = [[[[1]]]]
    edited(run, seed=float("nan"), device="\x1b[31m" + "x" * 5000, data__means=deep, method=7)
    (row,) = run_cli.json("runs")["runs"]
    assert row["changes"]["seed"] == "nan"
    assert row["changes"]["device"].startswith("?[31m")
    assert run_cli("runs") == 0 and "\x1b" not in run_cli.out
    assert len(run_cli.out) < 500


# --- names -------------------------------------------------------------------------------------


def test_a_run_is_found_by_the_beginning_of_its_name_and_as_the_latest(run_cli):
    for name, day in (("moons", 1), ("moons-2", 3), ("spirals", 2)):
        stored.of_a_time(saved(store() / name), f"2026-01-0{day}T00:00:00+00:00")
    (store() / ".moons-3.1.tmp").mkdir()
    assert find("moons") == store() / "moons", "the exact name first"
    assert find("sp") == store() / "spirals"
    assert find("latest") == run_to_resume().folder == store() / "moons-2"
    assert run_cli("sample", "moo") == 2
    assert "could be any of moons, moons-2; allowed" in run_cli.err
    for name in ("", ".", ".m", "..", "/", "s/"):
        with pytest.raises(RunError, match="does not exist"):
            find(name)
    with pytest.raises(RunError, match="did you mean spirals\\? allowed: the folder"):
        find("sprials")
    shutil.rmtree(store())
    with pytest.raises(RunError, match="none so far"):
        find("latest")


def test_a_run_outside_the_store_is_listed_until_it_is_gone(run_cli, tmp_path, home):
    out = tmp_path / ("long-" * 20) / "my-run"
    short = ("--set", "training.steps=20", "--set", "sampling.points=20")
    run_cli.json("train", "naive-1d", *short, "--out", str(out))
    (row,) = run_cli.json("runs")["runs"]
    assert (row["run"], row["folder"]) == ("my-run", str(out))
    assert row["changes"] == {"training.steps": 20, "sampling.points": 20}
    assert run_cli("runs") == 0 and f"in {out}\n" in run_cli.out, "in one piece"
    assert run_cli("sample", "my-r") == 0 and f"{out}\n" in run_cli.out
    saved(store() / "my-run")
    assert find("my-run") == store() / "my-run"
    remember(tmp_path / "elsewhere")
    other = saved(tmp_path / "other" / "my-run", seed=1)
    remember(other)
    remember(store() / "my-run")
    assert {run.folder for run in outside_runs()} == {out, other}
    shutil.rmtree(store() / "my-run")
    with pytest.raises(RunError, match="could be any of"):
        find("my-run")
    shutil.rmtree(out)
    assert find("my-run") == other
    remember(other)
    entries = list((home / "outside").iterdir())
    assert len(entries) == 3, "a folder may not be there yet"
    for entry in entries:
        os.utime(entry, (0, 0))
    remember(other)
    assert len(list((home / "outside").iterdir())) == 1, "those that are gone are forgotten"
    forget(other)
    assert outside_runs() == [] and summarise(other).whole


# --- the lab -----------------------------------------------------------------------------------


async def test_the_lab_shows_what_differs_and_leaves_folders_outside_alone(tmp_path):
    saved(store() / "plain")
    saved(store() / "other", **OTHER)
    outside = saved(tmp_path / "out" / "my-run", "edm-1d", seed=5)
    remember(outside)
    async with lab(size=NARROW) as driver:
        await driver.press("r")
        app = driver.app
        await until(lambda: isinstance(app.screen, RunsScreen))
        runs = app.screen.query_one(RunList)
        await driver.press("f", *"seed=3", "enter")
        await until(lambda: [run.name for run in runs.rows] == ["other"])
        await until(lambda: "naive-exact, lr 0.002, seed 3" in " ".join(driver.screen.split()))
        await driver.press("f", "ctrl+u", *"my-run", "enter")
        await until(lambda: [run.folder for run in runs.rows] == [outside])
        await driver.press("m")
        await until(lambda: "rename its folder yourself" in driver.screen)
        await driver.press("x", *"yes", "enter")
        await until(lambda: not runs.rows)
    assert summarise(outside).whole and outside_runs() == []


async def test_experiments_with_runs_on_disk_are_marked_when_the_lab_opens():
    stored.invented("one", "naive-1d", 20)
    stored.invented("two", "naive-1d", 20)
    saved(store() / "untrained", "edm-1d")
    assert count_runs() == {"naive-1d": 2}
    async with lab(size=WIDE) as driver:
        await until(lambda: "✓ 2 runs" in driver.screen)
        assert driver.app.updates.counts == {"naive-1d": 2}
