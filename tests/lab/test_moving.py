"""Sub-steps, ways of playing, and the prompt for a level, in the lab."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from textual.widgets import Input

from tui_diffusion.core.datasets import MAX_COMPONENTS
from tui_diffusion.core.mixtures import between_parts
from tui_diffusion.core.numbered_text import text_of
from tui_diffusion.interface.settings import RestorePoint, Settings, load, save
from tui_diffusion.lab.formatting import number
from tui_diffusion.lab.panels.experiments import ExperimentList
from tui_diffusion.lab.runs.compare.screen import CompareScreen
from tui_diffusion.lab.runs.compare.subjects import Candidate
from tui_diffusion.lab.runs.compare.trajectory_pane import TrajectoryPane
from tui_diffusion.lab.views import render as pictures
from tui_diffusion.lab.views.names import views_of
from tui_diffusion.lab.views.render import VIEWS_2D, ViewState, picture
from tui_diffusion.lab.widgets.level_prompt import LevelPrompt
from tui_diffusion.lab.widgets.trajectory_canvas import TrajectoryCanvas, prefetch

from .. import stored_runs as stored
from ..cases import for_each
from ..lab_driver import NARROW, WIDE, lab, make_lab, running, until

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW, (60, 18)], ids=lambda s: f"{s[0]}x{s[1]}")


def prompt(driver):
    return driver.panel.query_one(LevelPrompt)


@SIZES
async def test_a_level_is_gone_to_by_its_number(size):
    async with lab(size=size) as driver:
        focused = driver.app.focused
        for number, level in (("3", 3), ("0", 0), ("10", 10), (" 07 ", 7)):
            await driver.press("j")
            assert "level 0–10:" in driver.screen
            await driver.press(*("space" if c == " " else c for c in number), "enter")
            await driver.level(level, 10)
            assert "level 0–10:" not in driver.screen
            assert driver.app.focused is focused
        await driver.press("right")
        await driver.level(8, 10)


async def test_a_number_typed_in_one_go_belongs_to_the_prompt():
    async with lab() as driver:
        driver.type("j", "1", "0", "backspace", "enter")
        await driver.level(1, 10)
        driver.type("j", "9", "9", "enter")
        await until(lambda: "is not a level; allowed: 0 to 10" in driver.screen)
        await driver.press("7", "enter")
        await driver.level(7, 10)


async def test_a_wrong_number_is_told_and_the_prompt_stays():
    async with lab(size=(60, 18)) as driver:
        for wrong in ("11", "-1", "x", "2.5", "²"):
            await driver.press("j", *("minus" if c == "-" else c for c in wrong), "enter")
            assert "is not a level; allowed: 0 to 10" in driver.screen, wrong
            assert isinstance(driver.app.focused, Input)
            await driver.press("ctrl+u")
            assert "allowed" not in driver.screen
            await driver.press("escape")
            assert "level 10/10" in driver.title
            assert not isinstance(driver.app.focused, Input)


async def test_letters_are_text_while_the_prompt_is_open():
    async with lab() as driver:
        await driver.press("j", "t", "q", "h", "space", "f")
        assert driver.app.is_running
        assert driver.app.model.session.training is None
        assert prompt(driver).query_one(Input).value == "tqh f"
        await driver.press("enter", "ctrl+u", "enter")
        assert not prompt(driver).display, "nothing asked for, nothing done"
        assert "level 10/10" in driver.title


async def test_the_prompt_shows_the_tab_it_is_on_and_closes_when_one_looks_elsewhere():
    async with lab(size=NARROW) as driver:
        await driver.press("1", "j")
        assert driver.app.main.tab == "denoising"
        await until(lambda: isinstance(driver.app.focused, Input))
        await driver.press("tab")
        await until(lambda: not prompt(driver).display)
        await driver.press("j")
        await driver.pilot.resize_terminal(50, 12)
        await until(lambda: not prompt(driver).display)
        await driver.pilot.resize_terminal(*WIDE)
        await driver.press("h")
        await driver.level(9, 10)
        driver.app.query_one(ExperimentList).focus()


async def test_the_prompt_knows_another_experiments_levels():
    async with lab() as driver:
        await driver.edit("schedule.levels", "4")
        await driver.trajectory()
        driver.panel.focus()
        await driver.press("j")
        assert "level 0–4:" in driver.screen


@SIZES
async def test_sub_steps_go_from_level_to_level(size):
    async with lab(size=size) as driver:
        await driver.press("home", "f", "f", "f", "l", "l", "l")
        assert "level 0/10 + 3/8" in driver.title
        assert "level 0/10 + 3/8" in driver.screen
        assert "1/8 level steps" in driver.subtitle
        assert " at 0 " in driver.screen
        await driver.press(*["l"] * 5)
        assert "level 1/10 " in f"{driver.title} "
        assert "+" not in driver.title
        assert " here " in driver.screen
        await driver.press("h", "f")
        assert "level 0/10 " in f"{driver.title} "
        assert "steps" not in driver.subtitle
        await driver.press("l")
        assert "level 1/10" in driver.title


@pytest.mark.parametrize("name", ["naive-1d", "naive-multimodal"])
async def test_every_view_moves_between_levels_and_is_the_levels_own_at_one(name):
    async with lab(name, size=NARROW) as driver:
        await driver.press("home", "l", "l", "l")
        still = {
            "denoiser",
            "score field",
            "score error",
            "clean estimate",
            "network density",
            "log ratio",
            "guided density",
        }  # these belong to level 3, or to the step from 3 to 4
        for view in views_of(driver.panel.trajectory.dim):
            while driver.panel.view != view:
                await driver.press("v")
            whole = driver.panel.query_one("#trajectory").lines
            await driver.press("f", "l")
            assert (driver.panel.query_one("#trajectory").lines != whole) == (view not in still), (
                view
            )
            await driver.press("h")
            assert driver.panel.query_one("#trajectory").lines == whole
            await driver.press("f", "f", "f")


async def test_the_points_between_are_on_a_line_and_the_truth_is_that_of_the_noise_there():
    async with lab("ddpm-multimodal") as driver:
        trajectory = driver.panel.trajectory
        assert np.allclose(
            trajectory.at(3.25), 0.75 * trajectory.x[3] + 0.25 * trajectory.x[4], atol=1e-6
        )
        alpha = 0.75 * trajectory.schedule.alphas[3] + 0.25 * trajectory.schedule.alphas[4]
        assert trajectory.alpha(3.25) == pytest.approx(float(alpha))
        variance = (
            trajectory.alpha(3.25) ** 2 * trajectory.mixture.stds**2 + trajectory.sigma(3.25) ** 2
        )
        assert np.allclose(trajectory.truth(3.25).stds ** 2, variance)
        await driver.press("home", "l", "l", "l", "f", "f", "l")
        assert "level 3/20 + 1/4" in driver.title
        assert f"alpha_bar {number(trajectory.alpha(3.25) ** 2)}" in driver.title
    async with lab("naive-1d") as driver:
        await driver.press("home", "f", "l")
        assert (
            f"level 0/10 + 1/2  sigma {number(driver.panel.trajectory.sigma(0.5))}" in driver.title
        )


async def test_pictures_that_are_kept_are_bounded(monkeypatch):
    async with lab() as driver:
        area = driver.panel.query_one("#trajectory").size.area
        monkeypatch.setattr("tui_diffusion.lab.views.cache._KEPT", 5 * area)
        await driver.press("home", "f", "f", "f", *["l"] * 20)
        assert len(driver.panel._canvas.cache) == 5
        assert "level 2/10 + 4/8" in driver.title


@pytest.mark.slow
@pytest.mark.parametrize("name", ["naive-1d", "naive-multimodal"])
async def test_of_many_points_every_level_is_drawn_ahead_in_every_view(monkeypatch, name):
    monkeypatch.setattr("tui_diffusion.lab.widgets.trajectory_canvas._MANY", 200)
    async with lab(name) as driver:
        scout = driver.panel._canvas.scout
        await driver.pilot.pause()  # until every line has its place
        for view in views_of(driver.panel.trajectory.dim):
            assert driver.panel.view == view
            await until(lambda: not scout.busy)
            with monkeypatch.context() as patched:
                patched.setattr("tui_diffusion.lab.views.render.picture", None)  # nobody draws
                await driver.press("home", *["l"] * 10)
            await driver.press("v")


async def test_what_is_still_drawn_for_another_film_is_not_kept(monkeypatch):
    may, draw = threading.Event(), pictures.picture

    def late(*args):
        if threading.current_thread().name == "prefetch":
            assert may.wait(60)
        return draw(*args)

    monkeypatch.setattr(pictures, "picture", late)
    async with lab() as driver:
        panel = driver.panel
        first = panel.trajectory
        await until(lambda: panel._canvas.scout.busy)
        panel.show(replace(first))
        may.set()
        await until(lambda: not panel._canvas.scout.busy)
        assert panel.trajectory is not first
        assert {trajectory for trajectory, *_ in panel._canvas.cache._pictures} == {
            panel.trajectory
        }


async def test_play_goes_on_in_a_loop_and_says_so():
    async with lab() as driver:
        await driver.press("m")
        assert "loop" in driver.subtitle
        await driver.press("m", *["right_square_bracket"] * 2, "f", "home", "space")
        assert "playing 8/s · out and back" in driver.subtitle
        places = []

        def turned():
            places.append(driver.panel.playback.position)
            return 10 in places and places[-1] < 10

        await until(turned)
        assert any(place % 1 for place in places)
        await driver.press("space", "m")
        assert not driver.panel.playback.playing
        assert "out and back" not in driver.subtitle


async def test_the_way_of_playing_is_kept(tmp_path):
    async with lab() as driver:
        await driver.press("m", "m", "f", "right_square_bracket", "j", "3", "enter", "l")
        place = driver.app.restore_point
    assert place == RestorePoint("naive-1d", 3, play_mode="out and back", speed=4.0, sub_steps=2)
    assert save(tmp_path / "s.toml", Settings(place=place)) == ""
    kept = load(tmp_path / "s.toml")
    assert kept == (Settings(place=place), "")
    app = make_lab()
    app._restore_from = replace(kept[0].place)
    async with running(app) as driver:
        await driver.pilot.pause()
        panel = app.query_one("#denoising")
        assert text_of(panel.playback.text) == "level 3/10"
        assert [*map(text_of, panel.playback.manner)] == ["1/2 level steps", "out and back"]


@for_each("line", ['play_mode = "often"', "speed = 3", "sub_steps = true"])
def test_a_wrong_way_of_playing_is_told(tmp_path, line):
    (tmp_path / "s.toml").write_text(f"[place]\n{line}\n")
    settings, wrong = load(tmp_path / "s.toml")
    assert settings == Settings()
    assert line.partition(" ")[0] in wrong
    assert "allowed" in wrong


@pytest.fixture
def many(tmp_path):
    """A file, which is a mixture with a component for each row: here more than any preset has."""
    file = tmp_path / "points.csv"
    points = np.random.default_rng(0).normal(size=(MAX_COMPONENTS + 1, 2))
    np.savetxt(file, points, delimiter=",")
    return f"file:{file}"


async def test_what_is_exact_for_many_components_is_never_drawn_by_the_event_loop(
    many, monkeypatch
):
    drawn_by: list[str] = []

    def drawing(*args):
        drawn_by.append(threading.current_thread().name)
        return picture(*args)

    monkeypatch.setattr("tui_diffusion.lab.views.render.picture", drawing)
    async with lab("edm-moons", data__name=many) as driver:
        panel, canvas = driver.panel, driver.panel.query_one("#trajectory")
        for key in ("v",) * len(VIEWS_2D) + ("home", "g"):
            await driver.press(key)
            await until(lambda: not panel._canvas.drawing)
            view_state = ViewState(panel.playback.position, panel.view, panel.truth, panel.zoom)
            exact = picture(panel.trajectory, view_state, *canvas.size, panel.palette, panel.glyphs)
            assert [line.text for line in canvas.lines] == [line.text for line in exact]
            assert "drawing" not in str(panel.border_subtitle)
    assert set(drawn_by) == {"prefetch"}


async def test_a_slow_picture_is_given_up_for_another_view_and_not_for_another_level(
    many, monkeypatch
):
    begun, may = threading.Event(), threading.Event()

    def drawing(trajectory, view_state, *args):
        if view_state.view == "close-up":
            begun.set()
            while not may.wait(0.01):
                between_parts.get()()
        return picture(trajectory, view_state, *args)

    monkeypatch.setattr("tui_diffusion.lab.views.render.picture", drawing)
    async with lab("edm-moons", data__name=many) as driver:
        canvas = driver.panel._canvas
        drawn = canvas.cache._pictures

        def views():
            return {view_state.view for _, view_state, *_ in drawn}

        await until(lambda: not canvas.drawing)
        await driver.press("v")
        await until(begun.is_set)
        await driver.press("v")
        await until(lambda: driver.panel.view == "density" and not canvas.drawing)
        assert views() == {"scatter", "density"}

        begun.clear()
        driver.panel.restore(driver.panel.playback, {1: "histogram", 2: "close-up"})
        await until(begun.is_set)
        await driver.press("home")
        assert canvas.drawing
        may.set()
        await until(lambda: not canvas.drawing)
        places = [
            view_state.position for _, view_state, *_ in drawn if view_state.view == "close-up"
        ]
        assert places[:2] == [driver.panel.levels, 0], "late by some levels, then that of here"


async def test_an_awaited_picture_is_told_of_where_it_was_drawn_meanwhile():
    """A level that was being made ready when a key asked for it."""
    async with lab() as driver:
        canvas, told = driver.panel._canvas, []
        await until(lambda: canvas._latest is not None and not canvas.scout.busy)
        ahead = replace(canvas._latest, awaited=True, levels=0, drawn=told.append)
        canvas.cache.picture(*ahead.seen)
        prefetch(ahead, lambda *_: None)
        assert told == [ahead]


@pytest.mark.slow
async def test_the_comparison_draws_them_in_a_thread_too(many, tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSION_TUI_HOME", str(tmp_path / "home"))
    sources = [Candidate(k, stored.invented(k, "edm-moons", 60, data__name=many)) for k in "ab"]
    drawn_by: set[str] = set()

    def drawing(trajectory, *args):
        if trajectory.mixture.modes > MAX_COMPONENTS:
            drawn_by.add(threading.current_thread().name)
        return picture(trajectory, *args)

    async with lab() as driver:
        monkeypatch.setattr("tui_diffusion.lab.views.render.picture", drawing)
        screen = CompareScreen(sources)
        driver.app.push_screen(screen)
        await until(lambda: len(screen.trajectories) == 2)
        panes = screen.query(TrajectoryPane)
        for key in ("v", "h"):
            await driver.press(key)
            await until(lambda: not any(pane.drawing for pane in panes))
            view_state = ViewState(screen.playback.position, screen._view[2])
            for pane, trajectory in zip(panes, screen.trajectories.values(), strict=True):
                canvas = pane.query_one(TrajectoryCanvas)
                exact = picture(
                    trajectory, view_state, *canvas.size, driver.app.palette, driver.app.glyphs
                )
                assert [line.text for line in canvas.lines] == [line.text for line in exact]
                assert "drawing" not in str(pane.border_subtitle)
    assert drawn_by == {"prefetch"}
