"""Sub-steps, ways of playing, and the prompt for a level, in the lab."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from textual.widgets import Input

from tui_diffusion.core.datasets import MOST
from tui_diffusion.core.mixtures import between_parts
from tui_diffusion.lab.formatting import number
from tui_diffusion.lab.panels.experiments import ExperimentList
from tui_diffusion.lab.runs.compare.film_pane import Pane
from tui_diffusion.lab.runs.compare.screen import CompareScreen
from tui_diffusion.lab.runs.compare.subjects import Source
from tui_diffusion.lab.settings import Place, Settings, load, save
from tui_diffusion.lab.views import render as pictures
from tui_diffusion.lab.views.names import views_of
from tui_diffusion.lab.views.render import VIEWS_2D, Look, picture
from tui_diffusion.lab.widgets.film_canvas import FilmCanvas, make_ready
from tui_diffusion.lab.widgets.level_prompt import Jump

from .. import stored_runs as stored
from ..lab_driver import NARROW, WIDE, lab, make_lab, running, until

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW, (60, 18)], ids=lambda s: f"{s[0]}x{s[1]}")


def prompt(bench):
    return bench.panel.query_one(Jump)


@SIZES
async def test_a_level_is_gone_to_by_its_number(size):
    async with lab(size=size) as bench:
        focused = bench.app.focused
        for number, level in (("3", 3), ("0", 0), ("10", 10), (" 07 ", 7)):
            await bench.press("j")
            assert "level 0–10:" in bench.screen
            await bench.press(*("space" if c == " " else c for c in number), "enter")
            await bench.level(level, 10)
            assert "level 0–10:" not in bench.screen
            assert bench.app.focused is focused
        await bench.press("right")
        await bench.level(8, 10)


async def test_a_number_typed_in_one_go_belongs_to_the_prompt():
    async with lab() as bench:
        bench.type("j", "1", "0", "backspace", "enter")
        await bench.level(1, 10)
        bench.type("j", "9", "9", "enter")
        await until(lambda: "is not a level; allowed: 0 to 10" in bench.screen)
        await bench.press("7", "enter")
        await bench.level(7, 10)


async def test_a_wrong_number_is_told_and_the_prompt_stays():
    async with lab(size=(60, 18)) as bench:
        for wrong in ("11", "-1", "x", "2.5", "²"):
            await bench.press("j", *("minus" if c == "-" else c for c in wrong), "enter")
            assert "is not a level; allowed: 0 to 10" in bench.screen, wrong
            assert isinstance(bench.app.focused, Input)
            await bench.press("ctrl+u")
            assert "allowed" not in bench.screen
            await bench.press("escape")
            assert "level 10/10" in bench.title
            assert not isinstance(bench.app.focused, Input)


async def test_letters_are_text_while_the_prompt_is_open():
    async with lab() as bench:
        await bench.press("j", "t", "q", "h", "space", "f")
        assert bench.app.is_running
        assert bench.app.model.session.training is None
        assert prompt(bench).query_one(Input).value == "tqh f"
        await bench.press("enter", "ctrl+u", "enter")
        assert not prompt(bench).display, "nothing asked for, nothing done"
        assert "level 10/10" in bench.title


async def test_the_prompt_shows_the_tab_it_is_on_and_closes_when_one_looks_elsewhere():
    async with lab(size=NARROW) as bench:
        await bench.press("1", "j")
        assert bench.app.main.tab == "denoising"
        await until(lambda: isinstance(bench.app.focused, Input))
        await bench.press("tab")
        await until(lambda: not prompt(bench).display)
        await bench.press("j")
        await bench.pilot.resize_terminal(50, 12)
        await until(lambda: not prompt(bench).display)
        await bench.pilot.resize_terminal(*WIDE)
        await bench.press("h")
        await bench.level(9, 10)
        bench.app.query_one(ExperimentList).focus()


async def test_the_prompt_knows_another_experiments_levels():
    async with lab() as bench:
        await bench.edit("schedule.levels", "4")
        await bench.film()
        bench.panel.focus()
        await bench.press("j")
        assert "level 0–4:" in bench.screen


@SIZES
async def test_sub_steps_go_from_level_to_level(size):
    async with lab(size=size) as bench:
        await bench.press("home", "f", "f", "f", "l", "l", "l")
        assert "level 0/10 + 3/8" in bench.title
        assert "level 0/10 + 3/8" in bench.screen
        assert "1/8 level steps" in bench.subtitle
        assert " at 0 " in bench.screen
        await bench.press(*["l"] * 5)
        assert "level 1/10 " in f"{bench.title} "
        assert "+" not in bench.title
        assert " here " in bench.screen
        await bench.press("h", "f")
        assert "level 0/10 " in f"{bench.title} "
        assert "steps" not in bench.subtitle
        await bench.press("l")
        assert "level 1/10" in bench.title


@pytest.mark.parametrize("name", ["naive-1d", "naive-multimodal"])
async def test_every_view_moves_between_levels_and_is_the_levels_own_at_one(name):
    async with lab(name, size=NARROW) as bench:
        await bench.press("home", "l", "l", "l")
        still = {
            "denoiser",
            "score field",
            "clean estimate",
        }  # these belong to the step from 3 to 4
        for view in views_of(bench.panel.film.dim):
            while bench.panel.view != view:
                await bench.press("v")
            whole = bench.panel.query_one("#film").lines
            await bench.press("f", "l")
            assert (bench.panel.query_one("#film").lines != whole) == (view not in still), view
            await bench.press("h")
            assert bench.panel.query_one("#film").lines == whole
            await bench.press("f", "f", "f")


async def test_the_points_between_are_on_a_line_and_the_truth_is_that_of_the_noise_there():
    async with lab("ddpm-multimodal") as bench:
        film = bench.panel.film
        assert np.allclose(film.at(3.25), 0.75 * film.x[3] + 0.25 * film.x[4], atol=1e-6)
        alpha = 0.75 * film.schedule.alphas[3] + 0.25 * film.schedule.alphas[4]
        assert film.alpha(3.25) == pytest.approx(float(alpha))
        variance = film.alpha(3.25) ** 2 * film.mixture.stds**2 + film.sigma(3.25) ** 2
        assert np.allclose(film.truth(3.25).stds ** 2, variance)
        await bench.press("home", "l", "l", "l", "f", "f", "l")
        assert "level 3/20 + 1/4" in bench.title
        assert f"alpha_bar {number(film.alpha(3.25) ** 2)}" in bench.title
    async with lab("naive-1d") as bench:
        await bench.press("home", "f", "l")
        assert f"level 0/10 + 1/2  sigma {number(bench.panel.film.sigma(0.5))}" in bench.title


async def test_pictures_that_are_kept_are_bounded(monkeypatch):
    async with lab() as bench:
        area = bench.panel.query_one("#film").size.area
        monkeypatch.setattr("tui_diffusion.lab.views.cache._KEPT", 5 * area)
        await bench.press("home", "f", "f", "f", *["l"] * 20)
        assert len(bench.panel._canvas.gallery) == 5
        assert "level 2/10 + 4/8" in bench.title


@pytest.mark.parametrize("name", ["naive-1d", "naive-multimodal"])
async def test_of_many_points_every_level_is_drawn_ahead_in_every_view(monkeypatch, name):
    monkeypatch.setattr("tui_diffusion.lab.widgets.film_canvas._MANY", 200)
    async with lab(name) as bench:
        scout = bench.panel._canvas.scout
        await bench.pilot.pause()  # until every line has its place
        for view in views_of(bench.panel.film.dim):
            assert bench.panel.view == view
            await until(lambda: not scout.busy)
            with monkeypatch.context() as patched:
                patched.setattr("tui_diffusion.lab.views.render.picture", None)  # nobody draws
                await bench.press("home", *["l"] * 10)
            await bench.press("v")


async def test_what_is_still_drawn_for_another_film_is_not_kept(monkeypatch):
    may, draw = threading.Event(), pictures.picture

    def late(*args):
        if threading.current_thread().name == "make_ready":
            assert may.wait(60)
        return draw(*args)

    monkeypatch.setattr(pictures, "picture", late)
    async with lab() as bench:
        panel = bench.panel
        first = panel.film
        await until(lambda: panel._canvas.scout.busy)
        panel.show(replace(first))
        may.set()
        await until(lambda: not panel._canvas.scout.busy)
        assert panel.film is not first
        assert {film for film, *_ in panel._canvas.gallery._pictures} == {panel.film}


async def test_play_goes_on_in_a_loop_and_says_so():
    async with lab() as bench:
        await bench.press("m")
        assert "loop" in bench.subtitle
        await bench.press("m", *["right_square_bracket"] * 2, "f", "home", "space")
        assert "playing 8/s · out and back" in bench.subtitle
        places = []

        def turned():
            places.append(bench.panel.play.place)
            return 10 in places and places[-1] < 10

        await until(turned)
        assert any(place % 1 for place in places)
        await bench.press("space", "m")
        assert not bench.panel.play.playing
        assert "out and back" not in bench.subtitle


async def test_the_way_of_playing_is_kept(tmp_path):
    async with lab() as bench:
        await bench.press("m", "m", "f", "right_square_bracket", "j", "3", "enter", "l")
        place = bench.app.place
    assert place == Place("naive-1d", 3, play_mode="out and back", speed=4.0, sub_steps=2)
    assert save(tmp_path / "s.toml", Settings(place=place)) == ""
    kept = load(tmp_path / "s.toml")
    assert kept == (Settings(place=place), "")
    app = make_lab()
    app._place = replace(kept[0].place)
    async with running(app) as bench:
        await bench.pilot.pause()
        panel = app.query_one("#denoising")
        assert panel.play.text == "level 3/10"
        assert panel.play.manner == "1/2 level steps · out and back"


@pytest.mark.parametrize("line", ['play_mode = "often"', "speed = 3", "sub_steps = true"])
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
    points = np.random.default_rng(0).normal(size=(MOST + 1, 2))
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
    async with lab("edm-moons", data__name=many) as bench:
        panel, canvas = bench.panel, bench.panel.query_one("#film")
        for key in ("v",) * len(VIEWS_2D) + ("home", "g"):
            await bench.press(key)
            await until(lambda: not panel._canvas.drawing)
            look = Look(panel.play.place, panel.view, panel.truth, panel.zoom)
            exact = picture(panel.film, look, *canvas.size, panel.palette, panel.glyphs)
            assert [line.text for line in canvas.lines] == [line.text for line in exact]
            assert "drawing" not in str(panel.border_subtitle)
    assert set(drawn_by) == {"make_ready"}


async def test_a_slow_picture_is_given_up_for_another_view_and_not_for_another_level(
    many, monkeypatch
):
    begun, may = threading.Event(), threading.Event()

    def drawing(film, look, *args):
        if look.view == "close-up":
            begun.set()
            while not may.wait(0.01):
                between_parts.get()()
        return picture(film, look, *args)

    monkeypatch.setattr("tui_diffusion.lab.views.render.picture", drawing)
    async with lab("edm-moons", data__name=many) as bench:
        canvas = bench.panel._canvas
        drawn = canvas.gallery._pictures

        def views():
            return {look.view for _, look, *_ in drawn}

        await until(lambda: not canvas.drawing)
        await bench.press("v")
        await until(begun.is_set)
        await bench.press("v")
        await until(lambda: bench.panel.view == "density" and not canvas.drawing)
        assert views() == {"scatter", "density"}

        begun.clear()
        bench.panel.restore(bench.panel.play, {1: "histogram", 2: "close-up"})
        await until(begun.is_set)
        await bench.press("home")
        assert canvas.drawing
        may.set()
        await until(lambda: not canvas.drawing)
        places = [look.place for _, look, *_ in drawn if look.view == "close-up"]
        assert places[:2] == [bench.panel.levels, 0], "late by some levels, then that of here"


async def test_an_awaited_picture_is_told_of_where_it_was_drawn_meanwhile():
    """A level that was being made ready when a key asked for it."""
    async with lab() as bench:
        canvas, told = bench.panel._canvas, []
        await until(lambda: canvas._latest is not None and not canvas.scout.busy)
        ahead = replace(canvas._latest, awaited=True, levels=0, drawn=told.append)
        canvas.gallery.picture(*ahead.seen)
        make_ready(ahead, lambda *_: None)
        assert told == [ahead]


async def test_the_comparison_draws_them_in_a_thread_too(many, tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSION_TUI_HOME", str(tmp_path / "home"))
    sources = [Source(k, stored.invented(k, "edm-moons", 60, data__name=many)) for k in "ab"]
    drawn_by: set[str] = set()

    def drawing(film, *args):
        if film.mixture.modes > MOST:
            drawn_by.add(threading.current_thread().name)
        return picture(film, *args)

    async with lab() as bench:
        monkeypatch.setattr("tui_diffusion.lab.views.render.picture", drawing)
        screen = CompareScreen(sources)
        bench.app.push_screen(screen)
        await until(lambda: len(screen.films) == 2)
        panes = screen.query(Pane)
        for key in ("v", "h"):
            await bench.press(key)
            await until(lambda: not any(pane.drawing for pane in panes))
            look = Look(screen.play.place, screen._view[2])
            for pane, film in zip(panes, screen.films.values(), strict=True):
                canvas = pane.query_one(FilmCanvas)
                exact = picture(film, look, *canvas.size, bench.app.palette, bench.app.glyphs)
                assert [line.text for line in canvas.lines] == [line.text for line in exact]
                assert "drawing" not in str(pane.border_subtitle)
    assert drawn_by == {"make_ready"}
