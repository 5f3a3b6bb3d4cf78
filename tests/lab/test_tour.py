"""The tour of the post: nine scripts in its order, each with its experiment, and two more."""

import pytest
from textual.containers import VerticalScroll

from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.interface.settings import RestorePoint
from tui_diffusion.lab.screens.tour import TOUR, TourScreen
from tui_diffusion.lab.widgets.hint_bar import HintBar

from ..lab_driver import NARROW, WIDE, lab, make_lab, running, until

POST = (
    "simple_1Diffusion", "simple_1Diffusion_video", "simple_2Diffusion", "simple_multimodal",
    "simple_multimodal_video", "single_DDPM", "simple_DDPM", "multimodal_DDPM", "detailed_DDPM",
)  # fmt: skip


def test_the_nine_scripts_in_the_order_of_the_post():
    post, after = TOUR[: len(POST)], TOUR[len(POST) :]
    assert tuple(station.script for station in post) == POST
    assert [station.experiment for station in after] == ["edm-classes", "finite-moons"]
    assert all(station.title and not station.script for station in after)
    for station in post:
        assert PRESETS[station.experiment].script == station.script.removesuffix("_video")
        if station.script.endswith("_video"):
            assert ".mp4" in station.here and ".gif" in station.here


@pytest.mark.slow
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_through_the_tour_and_onto_the_bench(size):
    async with lab("edm-moons", size=size) as driver:
        await driver.press("u")
        await until(
            lambda: isinstance(driver.app.screen, TourScreen) and "1 of 11" in driver.screen
        )
        for at, station in enumerate(TOUR):
            title = f"{station.script}.py" if station.script else f"After the post: {station.title}"
            assert f"{at + 1} of 11" in driver.screen and title in driver.screen
            page = driver.app.screen.query_one(VerticalScroll)
            assert page.max_scroll_y == 0, "all of it is seen at once"
            await driver.press("n")
        assert "11 of 11" in driver.screen
        await driver.press("p", "p", "left", "left")
        assert "7 of 11" in driver.screen
        await driver.press("enter")
        await until(lambda: not isinstance(driver.app.screen, TourScreen))
        await driver.trajectory()
        assert driver.app.model.chosen == "ddpm-1d-per-level" in driver.status
        assert "Tour 7 of 11" in driver.screen
        await driver.press("t")
        await driver.state("finished")
        assert "Tour 7 of 11" in driver.screen
        driver.app.updates.choose("edm-1d")
        driver.app.guidance.did("choose")
        await driver.pilot.pause(0.01)
        assert not driver.app.query_one(HintBar).display, "another experiment"
        await driver.press("u")
        await until(lambda: "8 of 11" in driver.screen)
        await driver.press("u", "p", "escape")
        await until(lambda: driver.app.restore_point.tour == 7)
        assert driver.app.model.chosen == "edm-1d"


async def test_u_goes_on_and_escape_goes_back_to_where_one_was():
    async with lab("edm-moons", size=NARROW) as driver:
        app, note = driver.app, driver.app.query_one(HintBar)
        for number in (1, 2, 11):
            app.guidance.station = 10 if number == 11 else app.guidance.station
            await driver.press("u")
            await until(lambda: isinstance(app.screen, TourScreen))
            await until(lambda number=number: f"{number} of 11" in driver.screen)
            await driver.press("enter")
            await until(lambda: not isinstance(app.screen, TourScreen))
            await until(
                lambda at=number: app.model.chosen == TOUR[at - 1].experiment and note.display
            )
            text = " ".join(" ".join(line.text for line in note.lines).split())
            assert text.startswith(f"Tour {number} of 11") and "escape goes back" in text
            assert TOUR[number - 1].reminder.replace("`", "") in text, "whole"
            assert ("u goes on" in text) == (number < 11)
        await driver.press("escape")
        await until(lambda: app.model.chosen == "edm-moons" and not note.display)
        await driver.press("u", "p", "p", "p", "enter")
        await until(lambda: app.model.chosen == "ddpm-multimodal")
        app.updates.choose("edm-1d")
        await driver.press("escape")
        assert app.model.chosen == "edm-1d", "chosen since, and not by the tour"


async def test_the_tour_goes_on_where_it_was_left():
    app = make_lab()
    app.guidance.station = RestorePoint(tour=4).tour
    async with running(app, NARROW) as driver:
        app.guidance.action_tour()
        await until(lambda: isinstance(app.screen, TourScreen))
        await driver.pilot.pause(0.01)
        assert app.screen.at == 4
