"""Settings from one start to the next: read, corrected, written, and never in the way."""

import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.paths import presets_folder, settings_file
from tui_diffusion.lab.settings import Place, Settings, from_environment, load, save, written

from ..lab_driver import NARROW, make_lab, running, until

PLACE = Place("ddpm-multimodal", 7, "training", "paths", "density")
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
    assert text.startswith('# mine\nfps = 4   # slow line\n\ntheme = "gruvbox" # blue\n')
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
        ("colour = 3", "colour is unknown; allowed: theme, fps, points, glyphs"),
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


# --- the place -------------------------------------------------------------------------------


async def test_the_place_is_restored_and_told():
    app = make_lab("naive-1d")
    app._place = Place("naive-1d", 4, "training", "paths", "density")
    async with running(app, NARROW) as driver:
        await until(lambda: app.main.denoising.trajectory is not None)
        await driver.pilot.pause(0.01)
        assert app.main.denoising.level == 4
        assert app.main.denoising.view == "paths"
        assert app.place == app._place
    assert app.place == app._place


async def test_another_experiment_starts_at_its_clean_end():
    app = make_lab("naive-2d")
    app._place = Place("naive-1d", 4)
    async with running(app):
        await until(lambda: app.main.denoising.trajectory is not None)
        assert app.main.denoising.level == app.main.denoising.levels
        assert app.place.level is None


async def test_a_level_beyond_the_last_is_the_last():
    app = make_lab("naive-1d")
    app._place = Place("naive-1d", 400)
    async with running(app):
        await until(lambda: app.main.denoising.trajectory is not None)
        assert app.main.denoising.level == app.main.denoising.levels
