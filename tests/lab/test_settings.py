"""Settings from one start to the next: read, corrected, written, and never in the way."""

import os
import tomllib
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.paths import presets_folder, settings_file
from tui_diffusion.core.training.speeds import Speeds
from tui_diffusion.export.views import VIEWS_1D, VIEWS_2D
from tui_diffusion.interface.glyphs import GLYPHS
from tui_diffusion.interface.keymap import TABS
from tui_diffusion.interface.playback import FINE, PLAY_MODES, SPEEDS
from tui_diffusion.interface.settings import (
    WRITTEN_TABLES,
    RestorePoint,
    Settings,
    from_environment,
    load,
    load_speeds,
    save,
    written,
)

from ..lab_driver import NARROW, make_lab, running, until

PLACE = RestorePoint("ddpm-multimodal", 7, "training", "paths", "density")
PRINTABLE = st.characters(codec="utf-8").filter(str.isprintable)
SETTINGS = Settings("nord", 12.5, 5000, "blocks", PLACE)


def test_without_a_file_all_is_as_it_was(tmp_path):
    assert load(tmp_path / "none.toml") == (Settings(), "")


@pytest.mark.parametrize("settings", [SETTINGS, Settings()])
def test_what_is_saved_is_read(tmp_path, settings):
    file = tmp_path / "deep" / "settings.toml"
    assert save(file, settings) == ""
    assert load(file) == (settings, "")
    text = file.read_text()
    for name in ("theme", "fps", "points", "glyphs"):
        assert f"\n{name} = " in text
    assert text.count("#") > 5
    assert list(file.parent.iterdir()) == [file]


def test_a_file_stays_as_the_person_wrote_it(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('# mine\nfps=4   # slow line\n\ntheme = "nord" # blue\n')
    kept, problem = load(file)
    assert (kept.fps, kept.theme, problem) == (4, "nord", "")
    assert save(file, replace(kept, theme="gruvbox", place=PLACE)) == ""
    text = file.read_text()
    assert text.startswith('# mine\nfps=4   # slow line\n\ntheme = "gruvbox" # blue\n')
    assert load(file) == (Settings("gruvbox", 4, place=PLACE), "")
    assert save(file, load(file)[0]) == ""
    assert file.read_text() == text
    assert not file.with_name("settings.toml.bak").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fps = ", "Invalid value"),
        ("\x00", ""),
        ('fps = "fast"', "fps = 'fast' is wrong; allowed: a number from 1 to 30"),
        ("fps = true", "allowed: a number"),
        ("points = 1.5", "points = 1.5 is wrong"),
        ('glyphs = "runes"', "allowed: auto, braille, blocks, ascii"),
        ('[place]\nexperiment = "gone"', "place.experiment = 'gone' is wrong"),
        ("place = 3", "place is not a table"),
        ("fps = 0\npoints = -1", "(and 1 more)"),
    ],
)
def test_a_broken_file_is_one_line_and_kept_aside(tmp_path, text, says):
    file = tmp_path / "settings.toml"
    file.write_text(text)
    kept, problem = load(file)
    assert kept == Settings()
    assert str(file) in problem and says in problem
    assert "\n" not in problem and "default" in problem
    assert save(file, kept) == ""
    assert file.with_name("settings.toml.bak").read_text() == text
    assert load(file) == (kept, "")


def test_bytes_that_are_no_text(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xff\xfe")
    assert load(file)[1]
    assert load(tmp_path)[1], "a folder"


def test_a_file_that_is_none_or_has_no_end_is_one_line(tmp_path):
    file = tmp_path / "settings.toml"
    for make, says in (
        (lambda: file.write_text("a=" + "[" * 2000 + "]" * 2000), "nested too deeply"),
        (lambda: file.write_text("fps=" + "[" * 300 + "]" * 300), "fps = [[["),
        (lambda: file.write_text("a" * 2**20 + "=1"), "larger than 1,048,576 bytes"),
        (lambda: file.write_text('"\\u001b[31m"=1'), "?[31m is unknown"),
        (lambda: file.symlink_to("/dev/zero"), "not a plain file"),
        (lambda: file.symlink_to(file), "symbolic links"),
        (lambda: os.mkfifo(file), "not a plain file"),
    ):
        make()
        settings, problem = load(file)
        assert settings == Settings()
        assert says in problem
        assert problem.isprintable()
        assert len(problem) < 400
        file.unlink()
    (tmp_path / "dotfiles").write_text('theme = "nord"')
    file.symlink_to("dotfiles")
    assert load(file) == (Settings(theme="nord"), "")


def test_one_wrong_value_costs_no_other(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('fps = 99\ntheme = "nord"\n')
    assert load(file)[0] == Settings(theme="nord")


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in save(tmp_path / "file" / "settings.toml", SETTINGS)


def test_the_environment_goes_before_the_file():
    names = {"THEME": "dracula", "FPS": "3", "POINTS": "70", "GLYPHS": "ascii"}
    environ = {f"DIFFUSION_TUI_{name}": value for name, value in names.items()}
    assert from_environment(SETTINGS, environ) == Settings("dracula", 3, 70, "ascii", PLACE)
    assert from_environment(SETTINGS, {"DIFFUSION_TUI_FPS": ""}) == SETTINGS
    for name, value in (("FPS", "fast"), ("POINTS", "1e3"), ("GLYPHS", "x"), ("FPS", "nan")):
        with pytest.raises(ConfigError, match=f"DIFFUSION_TUI_{name}='{value}'.*allowed"):
            from_environment(SETTINGS, {f"DIFFUSION_TUI_{name}": value})


def test_where_the_file_is(home, monkeypatch, tmp_path):
    assert settings_file() == home / "settings.toml"
    monkeypatch.setenv("DIFFUSION_TUI_CONFIG", str(tmp_path / "mine.toml"))
    assert settings_file() == tmp_path / "mine.toml"
    assert presets_folder() == tmp_path / "presets"
    for folder in (str(tmp_path), f"{tmp_path}/", f"{tmp_path}/new/"):
        monkeypatch.setenv("DIFFUSION_TUI_CONFIG", folder)
        assert settings_file() == Path(folder) / "settings.toml"
        assert presets_folder() == Path(folder) / "presets"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DIFFUSION_TUI_CONFIG", "~/mine.toml")
    assert settings_file() == tmp_path / "mine.toml"
    monkeypatch.delenv("DIFFUSION_TUI_CONFIG")
    monkeypatch.delenv("DIFFUSION_TUI_HOME")
    assert "diffusion-tui" in str(settings_file())


def test_a_folder_in_its_place_is_left_alone(tmp_path):
    file = tmp_path / "settings.toml"
    (file / "mine").mkdir(parents=True)
    assert "Is a directory" in load(file)[1]
    assert save(file, SETTINGS) == f"{file}: cannot be written (it is a folder)"
    assert (file / "mine").is_dir() and [*tmp_path.iterdir()] == [file]


def test_it_is_toml():
    found = tomllib.loads(written(SETTINGS))
    assert found["fps"] == 12.5
    assert found["place"]["view_1d"] == "paths"
    assert "level" not in tomllib.loads(written(Settings()))["place"]


# --- the person's text -----------------------------------------------------------------------

HAND = """\
# my settings
glyphs = 'ascii'  # for the beamer

colour = [1,
  2]  # of a newer version
fps = 4
# how I left it
[place]
tour = 3 # nearly done
tab = "setup"
lamp = {on = true}

# mine alone
[notes]
when = 2026-01-02
"""


def test_only_what_changed_is_written(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text(HAND)
    kept, problem = load(file)
    assert kept == Settings(glyphs="ascii", fps=4, place=RestorePoint(tour=3, tab="setup"))
    assert "colour is unknown; allowed: theme, fps, points, glyphs, parts (and 2 more)" in problem
    place = replace(kept.place, level=7, tab="training", tour=4)
    assert save(file, replace(kept, theme="nord", place=place), kept) == ""
    changed = HAND.replace("tour = 3", "tour = 4").replace('"setup"', '"training"')
    text = file.read_text()
    assert [line for line in text.splitlines() if line not in ('theme = "nord"', "level = 7")] == (
        changed.splitlines()
    )
    assert load(file)[0] == replace(kept, theme="nord", place=place)
    assert save(file, kept) == "" and file.read_text().count("level") == 0
    assert [*tmp_path.iterdir()] == [file], "no value was wrong, so nothing is kept aside"


def test_text_that_is_not_as_the_lab_writes_it(tmp_path):
    file = tmp_path / "settings.toml"
    settings = Settings("nord", place=RestorePoint(level=5, tab="setup"))
    for text in (
        "place = {level = 3} # short\n[x]\nb = 1\n",
        "place.level = 3 # dotted\nplace.tour = 1\n[x]\nb = 1\n",
        "[x]\nb = 1 # two\n[place.lamp]\non = true\n",
        "# only a comment",
        "theme = 'nord'  # four\r\n# five\r\n[place]\r\nlevel = 2\r\n",
        '"theme" = "dark" # six\n"place"."level" = 1\n',
    ):
        file.write_bytes(text.encode())
        assert save(file, settings) == ""
        assert load(file)[0] == settings
        now, was = tomllib.loads(file.read_text()), tomllib.loads(text)
        assert now.get("x") == was.get("x")
        comments = [f"#{part.splitlines()[0]}" for part in text.split("#")[1:]]
        assert all(comment in file.read_text() for comment in comments)
        assert not file.with_name("settings.toml.bak").exists()


def test_a_wrong_value_that_the_lab_did_not_change_is_told_again(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("fps = 99 # fast\n")
    kept, problem = load(file)
    assert save(file, replace(kept, theme="nord"), kept) == ""
    assert "fps = 99 # fast\n" in file.read_text()
    assert load(file) == (Settings("nord"), problem)
    assert not file.with_name("settings.toml.bak").exists()


def test_what_another_wrote_meanwhile_stays(tmp_path):
    file = tmp_path / "settings.toml"
    save(file, Settings())
    kept, _ = load(file)
    save(file, replace(kept, theme="nord"), kept)
    file.write_text(file.read_text().replace("fps = 8.0", "fps = 3 # by hand"))
    assert save(file, replace(kept, place=PLACE), kept) == ""
    assert load(file) == (Settings("nord", 3, place=PLACE), "")
    assert "# by hand" in file.read_text()


def test_a_long_text_is_read_but_not_edited(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('theme = "nord"\n' + "# long\n" * 20_000)
    before = file.read_bytes()
    assert load(file) == (Settings("nord"), "")
    assert "longer than 65,536 characters" in save(file, SETTINGS)
    assert file.read_bytes() == before and [*tmp_path.iterdir()] == [file]


PLACES = st.builds(
    RestorePoint,
    experiment=st.sampled_from(sorted(PRESETS)),
    level=st.none() | st.integers(0, 10**6),
    tab=st.sampled_from(TABS[:3]),
    view_1d=st.sampled_from(VIEWS_1D),
    view_2d=st.sampled_from(VIEWS_2D),
    tour=st.integers(0, 10),
    guided=st.booleans(),
    declined=st.none() | st.text(PRINTABLE),
    play_mode=st.sampled_from(PLAY_MODES),
    speed=st.sampled_from(SPEEDS),
    sub_steps=st.sampled_from(FINE),
)
ANY = st.builds(
    Settings,
    theme=st.text(PRINTABLE),
    fps=st.floats(1, 30),
    points=st.integers(0, 10**6),
    glyphs=st.sampled_from(["auto", *GLYPHS]),
    place=PLACES,
)


@given(ANY, ANY, st.sampled_from(["", HAND]))
@hypothesis.settings(max_examples=25)
def test_what_is_written_is_read(tmp_path_factory, first, second, text):
    file = tmp_path_factory.mktemp("any") / "settings.toml"
    file.write_text(text)
    for settings in (first, second):
        assert save(file, settings) == ""
        assert load(file)[0] == settings
    assert text == "" or tomllib.loads(file.read_text())["notes"] == tomllib.loads(HAND)["notes"]
    assert [*file.parent.iterdir()] == [file]


def test_every_field_refuses_every_other_type(tmp_path):
    file = tmp_path / "settings.toml"
    samples = {
        "text": '"no such"',
        "integer": "-7",
        "number": "0.7",
        "truth value": "true",
        "date": "2026-01-02",
        "list": "[1]",
        "table": "{a = 1}",
        "nan": "nan",
        "huge": "1" + "0" * 40,
    }
    fits = {("theme", "text"), ("guided", "truth value"), ("declined", "text")}
    for table, owner in (("", Settings), ("place.", RestorePoint)):
        for field in fields(owner):
            for kind, sample in samples.items():
                if field.name in WRITTEN_TABLES or (field.name, kind) in fits:
                    continue
                file.write_text(f'{table}{field.name} = {sample}\nplace.view_1d = "paths"\n')
                if field.name == "view_1d":
                    file.write_text(f"place.view_1d = {sample}\n")
                kept, problem = load(file)
                rest = RestorePoint() if field.name == "view_1d" else RestorePoint(view_1d="paths")
                assert kept == Settings(place=rest)
                assert problem.startswith(f"{file}: {table}{field.name} = ")
                assert "is wrong; allowed: " in problem and "\n" not in problem


# --- the speeds of devices ----------------------------------------------------------------------


def test_measured_speeds_are_kept_by_device(tmp_path):
    file = tmp_path / "settings.toml"
    day = date(2026, 11, 28)
    cpu, gpu = Speeds(2e-5, 4e10, 0.0, day), Speeds(8e-5, 2e13, 2.5, day)
    opened = load(file)[0]
    assert save(file, replace(opened, speeds={'CPU "x" 2.0': cpu, "NVIDIA H100": gpu})) == ""
    kept = load(file)[0]
    assert kept.speeds == {'CPU "x" 2.0': cpu, "NVIDIA H100": gpu}
    assert load_speeds(file) == (kept.speeds, "")
    again = replace(gpu, step=9e-5)
    assert save(file, replace(kept, speeds={"NVIDIA H100": again}), kept) == ""
    assert load(file)[0].speeds == {'CPU "x" 2.0': cpu, "NVIDIA H100": again}
    # A lab that was open meanwhile changes nothing here.
    assert save(file, replace(opened, theme="nord"), opened) == ""
    assert save(file, replace(kept, theme="nord"), kept) == ""
    assert load(file)[0].speeds == {'CPU "x" 2.0': cpu, "NVIDIA H100": again}


def test_wrong_speeds_are_one_line_and_cost_one_device(tmp_path):
    file, good = tmp_path / "settings.toml", Speeds(1.0, 2.0)
    wrong = {
        "speeds = 3": "speeds = 3 is wrong; allowed: a table for each device",
        "speeds.a = 1": "speeds.a = 1 is wrong; allowed: a table of step, rate, start, measured",
        "speeds.a = {step = -1, rate = 1}": "speeds.a.step = -1 is wrong; allowed: a number above",
        "speeds.a = {step = nan, rate = 1}": "speeds.a.step = nan is wrong",
        "speeds.a = {step = 1, rate = true}": "speeds.a.rate = True is wrong",
        "speeds.a = {step = 1}": "speeds.a.rate is missing; allowed: a number above 0",
        "speeds.a = {step = 1, rate = 1, x = 2}": "speeds.a.x is unknown; allowed: step, rate",
        "speeds.a = {step = 1, rate = 1, start = -1}": "start = -1 is wrong; allowed: a number",
        "speeds.a = {step = 1, rate = 1, measured = 3}": "allowed: a date such as",
        '[speeds."a\\u0007"]\nstep = 1': "speeds.a? is no name of a device",
    }
    for text, says in wrong.items():
        beside = "" if text == "speeds = 3" else "speeds.b = {step = 1, rate = 2}\n"
        file.write_text("theme = 7\n" + beside + text)
        kept, problem = load_speeds(file)
        assert kept == ({"b": good} if beside else {})
        assert says in problem and problem.startswith(f"{file}: ") and "\n" not in problem
        assert load(file)[0].speeds == kept
        assert save(file, Settings(speeds={"a": good})) == ""
        assert load(file)[0].speeds["a"] == good
    file.write_text("theme = [")
    assert load_speeds(file) == load_speeds(tmp_path / "none") == ({}, "")


# --- the place -------------------------------------------------------------------------------


async def test_the_place_is_restored_and_told():
    app = make_lab("naive-1d")
    app._restore_from = RestorePoint("naive-1d", 4, "training", "paths", "density")
    async with running(app, NARROW) as driver:
        await until(lambda: app.main.denoising.trajectory is not None)
        await driver.pilot.pause(0.01)
        assert app.main.denoising.level == 4
        assert app.main.denoising.view == "paths"
        assert app.restore_point == app._restore_from
    assert app.restore_point == app._restore_from


async def test_another_experiment_starts_at_its_clean_end():
    app = make_lab("naive-2d")
    app._restore_from = RestorePoint("naive-1d", 4)
    async with running(app):
        await until(lambda: app.main.denoising.trajectory is not None)
        assert app.main.denoising.level == app.main.denoising.levels
        assert app.restore_point.level is None


async def test_a_level_beyond_the_last_is_the_last():
    app = make_lab("naive-1d")
    app._restore_from = RestorePoint("naive-1d", 400)
    async with running(app):
        await until(lambda: app.main.denoising.trajectory is not None)
        assert app.main.denoising.level == app.main.denoising.levels
