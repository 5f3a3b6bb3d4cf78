"""Presets of one's own: saved, found, renamed, removed; and no file that can stop anything."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_diffusion.cli import completion
from tui_diffusion.core.config.catalog import all_presets, get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.presets import PRESETS, base_of
from tui_diffusion.core.config.user_presets import (
    checked_preset_name,
    own_presets,
    remove_preset,
    rename_preset,
    save_preset,
)
from tui_diffusion.core.paths import presets_folder
from tui_diffusion.interface.command_line import command_line, parse_settings

from ..cases import for_each

CHANGES = {"training.lr": 5e-3, "schedule.levels": 12, "seed": 7}


@pytest.fixture
def mine():
    return save_preset("mine", get_preset("naive-1d").experiment.with_settings(CHANGES))


def test_what_is_saved_is_found_by_its_name_with_every_field(mine):
    found = get_preset("mine")
    assert found == mine and found.own
    assert found.experiment.model_copy(update={"name": "naive-1d"}) == get_preset(
        "naive-1d"
    ).experiment.with_settings(CHANGES)
    assert all(text in found.about for text in ("naive-1d", "training.lr = 0.005", "seed = 7"))
    assert list(all_presets()) == [*PRESETS, "mine"]
    assert [file.name for file in presets_folder().iterdir()] == ["mine.json"]


@for_each("name", list(PRESETS))
def test_every_preset_can_be_saved_and_comes_back_the_same(name):
    experiment = get_preset(name).experiment
    save_preset("copy", experiment)
    assert get_preset("copy").experiment == experiment.model_copy(update={"name": "copy"})
    assert base_of(get_preset("copy").experiment).id == name


def test_saving_again_replaces_and_renaming_keeps_all_but_the_name(mine):
    again = save_preset("mine", mine.experiment.with_settings({"seed": 8}))
    assert get_preset("mine").experiment.seed == 8
    renamed = rename_preset("mine", "better one")
    assert renamed.id == "better-one" and list(own_presets()[0]) == ["better-one"]
    assert renamed.experiment == again.experiment.model_copy(update={"name": "better-one"})
    remove_preset("better-one")
    assert own_presets() == ({}, [])
    for change in (lambda: rename_preset("mine", "x"), lambda: remove_preset("mine")):
        with pytest.raises(ConfigError, match="'mine' is not there"):
            change()


def test_one_name_is_not_taken_by_two(mine):
    save_preset("other", mine.experiment)
    with pytest.raises(ConfigError, match="is taken"):
        rename_preset("other", "mine")
    with pytest.raises(ConfigError, match="too like 'mine'"):
        save_preset("Mine", mine.experiment)
    assert rename_preset("mine", "Mine").id == "Mine"
    assert sorted(own_presets()[0]) == ["Mine", "other"]


@given(st.text())
def test_a_name_is_harmless_or_refused_in_one_line(text):
    try:
        name = checked_preset_name(text)
    except ConfigError as error:
        assert str(error).isprintable()
    else:
        assert name not in PRESETS and Path(name).name == name and name.isascii()
        assert not set(name) & set(" /\\'\"\x1b\n[]$") and name[0] not in ".-"


@for_each(
    "name",
    ["", " ", "..", "../x", "-x", ".x", "a/b", "a\x1b[2J", "naive-1d", "EDM-moons", "x" * 41],
)
def test_wrong_names_are_refused_before_anything_is_written(name, mine):
    for change in (
        lambda: save_preset(name, mine.experiment),
        lambda: rename_preset("mine", name),
    ):
        with pytest.raises(ConfigError, match="allowed"):
            change()
    assert [file.name for file in presets_folder().iterdir()] == ["mine.json"]


def test_a_file_cut_anywhere_is_one_line_and_hides_nothing_else(mine):
    save_preset("other", mine.experiment)
    file = presets_folder() / "mine.json"
    whole = file.read_bytes()
    for length in range(0, len(whole) - 2, 29):
        file.write_bytes(whole[:length])
        own, problems = own_presets()
        assert list(own) == ["other"] and len(problems) == 1
        assert "mine.json: left out" in problems[0] and problems[0].isprintable()
        with pytest.raises(ConfigError, match="left out"):
            get_preset("mine")


def test_files_of_any_shape_are_left_out(mine, tmp_path):
    folder = presets_folder()
    good = json.loads((folder / "mine.json").read_text())
    wrong = {**good, "experiment": {**good["experiment"], "seed": -1}}
    for name, text in {
        "list": "[]",
        "deep": "[" * 100_000,
        "format": json.dumps({**good, "format": 99}),
        "inner": json.dumps({**good, "experiment": 3}),
        "seed": json.dumps(wrong),
        "more": json.dumps({**good, "experiment": {**good["experiment"], "code": "x"}}),
        "naive-2d": json.dumps(good),
        "white space": json.dumps(good),
        "bell\x07": json.dumps(good),
    }.items():
        (folder / f"{name}.json").write_text(text)
    (folder / "folder.json").mkdir()
    (folder / "link.json").symlink_to(folder / "mine.json")
    os.mkfifo(folder / "pipe.json")
    (folder / "noted.txt").write_text("not a preset")
    own, problems = own_presets()
    assert list(own) == ["mine"] and len(problems) == 12
    assert all(line.isprintable() for line in problems)
    assert get_preset("naive-2d") is PRESETS["naive-2d"]


def test_a_folder_that_cannot_be_is_a_line(mine):
    folder = presets_folder()
    remove_preset("mine")
    folder.rmdir()
    folder.write_text("in the way")
    assert own_presets() == ({}, [])
    with pytest.raises(ConfigError, match="'new': cannot be written"):
        save_preset("new", mine.experiment)


def test_the_folder_is_beside_the_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("DIFFUSION_TUI_CONFIG", str(tmp_path / "own" / "lab.toml"))
    assert presets_folder() == tmp_path / "own" / "presets"


@pytest.mark.parametrize("name", ["mine", "was-removed", "ddpm-1d"])
def test_the_copied_command_needs_no_preset_of_ones_own(name):
    changed = get_preset("ddpm-1d").experiment.with_settings({"training.lr": 0.003, "seed": 3})
    experiment = changed.model_copy(update={"name": name})
    words = shlex.split(command_line(experiment))
    assert words[:3] == ["diffusion-tui", "train", "ddpm-1d"]
    again = PRESETS["ddpm-1d"].experiment.with_settings(parse_settings(words[4::2]))
    assert again == changed


# --- command line ------------------------------------------------------------------------------


def test_the_command_line_lists_trains_and_completes_them(mine, run_cli):
    rows = run_cli.json("list")["experiments"]
    assert [row["id"] for row in rows if row["own"]] == ["mine"] and rows[-1]["levels"] == 12
    assert run_cli("list") == 0 and "your own" in run_cli.out
    report = run_cli.json("train", "mine", "--set", "training.steps=3")
    assert report["experiment"] == "mine" and report["seed"] == 7
    remove_preset("mine")  # the run keeps what it was made from
    report = run_cli.json("sample", Path(report["run"]).name, "--points", "5")
    assert (report["experiment"], report["levels"]) == ("mine", 12)
    assert run_cli("train", "mine") == 2


def test_completion_offers_them(mine):
    offered = [item.value for item in completion.experiments(None, None, "mi")]
    assert offered == ["mine"]


def test_a_damaged_one_is_a_line_beside_the_list_and_a_refusal_by_name(mine, run_cli):
    (presets_folder() / "mine.json").write_text("{")
    assert len(run_cli.json("list")["experiments"]) == len(PRESETS)
    assert run_cli.err.count("\n") == 1 and "mine.json: left out" in run_cli.err
    assert run_cli("train", "mine") == 2
    assert "left out" in run_cli.err
