"""The guided first run: passed by actions, in nobody's way, and only once."""

import re
import sys
from dataclasses import replace

import pytest

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.interface.settings import RestorePoint
from tui_diffusion.lab.guide.stations import AGAIN, STATIONS, Guide, VisibleState
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.widgets.hint_bar import HintBar

from ..fakes import FakeTrainers
from ..lab_driver import NARROW, make_lab, running, until


def guided(**options):
    app = make_lab("naive-1d", **options)
    app.guide = True
    return app


def seen(*sights):
    """Where a guide is that has come to its second station, after these."""
    guide = Guide()
    guide.at = 1
    for sight in sights:
        guide.see(sight)
    return guide.at


def test_choosing_ends_with_enter_or_with_training_and_the_guide_with_its_last_card():
    for action in ("step", "view", "tour", "train"):
        guide = Guide()
        guide.at = 0
        assert not guide.did(action) and guide.at == 0
        assert guide.did("choose") and guide.at == 1
        guide.at = len(STATIONS) - 1
        assert guide.did(action) == (action == "tour")
        assert guide.at == (None if action == "tour" else len(STATIONS) - 1)


def test_stations_are_passed_in_turn_each_once_its_thing_is_done():
    assert [s.task for s in STATIONS] == ["choose", "train", "step", "truth", "ideal", ""]
    data = VisibleState("training", "forward", 10)
    net = VisibleState("trained", "network", 10)
    ways = (
        [data, net],
        [replace(net, level=9)],
        [replace(net, level=9, truth=False), replace(net, level=9)],
        [replace(net, source="ideal"), net],
    )
    sights = []
    for at, way in enumerate(ways, 1):
        for others in (way[:-1], [*sights[-1:]] * 2):
            assert seen(*sights, *others) == at
        unseen = [replace(sight, source=None) for sight in way]
        assert seen(*sights, *unseen) == (at + 1 if at == 1 else at), "not where it shows"
        sights += way
        assert seen(*sights) == at + 1
    assert seen(*sights, replace(net, network="none")) == 5, "the last card stays"


def test_no_station_speaks_of_a_network_that_is_not_there():
    net = VisibleState("trained", "network", 10)
    for network, at in (("none", 1), ("training", 1), ("failed", 1), ("trained", 2)):
        assert seen(VisibleState(network)) == at
        later = {"none": 1, "failed": 1, "training": 2, "trained": 2}[network]
        assert seen(net, VisibleState(network)) == later


def test_no_word_of_the_status_line_or_a_title_is_in_the_guide():
    words = {state.value for state in SessionState}
    for at, station in [*enumerate(STATIONS), (1, AGAIN)]:
        guide = Guide()
        guide.at = at
        guide._broken = station == AGAIN
        for tab in (None, "setup", "training", "denoising"):
            text = f"{guide.head()} {guide.text(tab)}"
            assert not words & set(re.findall(r"\w+", text.lower())), station
            assert not re.search(r"(level|step) \S*/", text)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["wide", "narrow"])
async def test_the_five_stations_on_the_real_lab(size):
    app = guided()
    async with running(app, size) as driver:
        await driver.trajectory()
        note = app.query_one(HintBar)

        def at(number):
            assert f"First run {number} of 5" in note.lines[0].text
            assert "escape skips" in note.lines[0].text
            assert f"level {driver.panel.level}/10" in driver.title or size[0] < 100
            assert "q quit" in driver.screen and "naive" in driver.status

        at(1)
        if size[0] < 100:
            assert "1 shows the list" in driver.screen
        await driver.press("1")
        at(1)
        await driver.press("v", "g", "g")
        at(1)
        app.query_one("#experiments").focus()
        await driver.press("down", "up")
        at(1)
        await driver.press("enter")
        await until(lambda: "First run 2" in note.lines[0].text)
        at(2)
        await driver.press("t")
        await driver.state("finished")
        await driver.trajectory("network") if size[0] >= 100 else None
        at(3)
        assert ("3 shows the points" in driver.screen) == (size[0] < 100)
        await driver.press("3")
        await driver.trajectory("network")
        await driver.press("right")
        at(3)
        await driver.press("left")
        at(4)
        await driver.press("g")
        at(4)
        await driver.press("g")
        at(5)
        await driver.press("i")
        await driver.trajectory("ideal")
        at(5)
        await driver.press("i")
        await driver.trajectory("network")
        assert "First run: the lab is yours" in note.lines[0].text
        await driver.press("escape")
        assert not note.display
        assert app.restore_point.guided


async def test_a_training_that_is_refused_passes_no_station():
    app = guided()
    async with running(app, NARROW) as driver:
        await driver.trajectory()
        await driver.press("1")
        await driver.edit("data.std", "-1")
        await driver.press("t")
        assert "First run 1 of 5" in driver.screen
        await driver.edit("data.std", "0.1")
        await driver.press("t")
        await until(lambda: "First run 3 of 5" in driver.screen)


async def test_after_a_training_that_fails_the_guide_waits_and_the_line_says_why():
    trainers = FakeTrainers(ends=ConfigError("device: 'cuda' is not here; allowed: auto, cpu"))
    app = guided(trainers=trainers)
    async with running(app, NARROW) as driver:
        await driver.trajectory()
        await driver.press("1")
        app.query_one("#experiments").focus()
        row = app.query_one(HintBar).lines[2]
        assert row.text.startswith(" one, enter keeps")
        await driver.pilot.click("#note", offset=(6, 2))  # its keys are clicked as those of the bar
        await until(lambda: "First run 2 of 5" in driver.screen)
        await driver.press("t")
        await driver.state("failed")
        await driver.press("3", "left", "g", "g", "i", "i")
        assert "First run 2 of 5" in driver.screen
        assert AGAIN.split(":")[0] in driver.screen
        assert "device: 'cuda' is not here" in driver.status
        trainers.options = {}
        await driver.press("t")
        await driver.state("finished")
        assert "First run 3 of 5" in driver.screen


async def test_escape_ends_it_and_the_palette_begins_it_again():
    app = guided()
    async with running(app, NARROW) as driver:
        await driver.trajectory()
        focused = app.focused
        await driver.press("escape")
        assert not app.query_one(HintBar).display
        assert app.focused is focused
        command = next(c for c in app.get_system_commands(app.screen) if "first run" in c.title)
        command.callback()
        await until(lambda: "First run 1 of 5" in driver.screen)


@pytest.mark.parametrize("size", [(60, 18), (80, 20), (120, 21), (50, 12)])
async def test_without_room_there_is_none(size):
    app = guided()
    async with running(app, size) as driver:
        await until(lambda: driver.panel.trajectory is not None)
        assert not app.query_one(HintBar).display
        await driver.pilot.resize_terminal(80, 24)
        await until(lambda: "First run 1 of 5" in driver.screen)


@pytest.mark.parametrize("width", [60, 76, 80, 99, 100, 200])
@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
async def test_every_text_fits(width, glyphs):
    app = guided(glyphs=glyphs)
    async with running(app, (width, 24)) as driver:
        note = app.query_one(HintBar)
        # Without a network, the arrival of the first points puts the guide back to its training.
        await until(lambda: driver.panel.trajectory is not None)
        for at, station in enumerate(STATIONS):
            app.guidance._guide.at = at
            for tab in ("setup", "training", "denoising"):
                app.main.tab = tab
                app.guidance.write()
                await driver.pilot.pause(0)
                shown = " ".join(line.text for line in note.lines)
                assert station.text.split()[-1].replace("`", "") in shown
                assert all(line.cell_length == width for line in note.lines)
                if glyphs == "ascii" and station.task == "step":
                    assert "right" in shown and "→" not in shown


async def test_it_is_not_there_unasked():
    app = make_lab("naive-1d")
    app._restore_from = RestorePoint()
    async with running(app, NARROW):
        assert not app.query_one(HintBar).display
        assert not app.restore_point.guided


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_only_the_very_first_start_is_guided():
    from ..pseudo_terminal import Terminal

    with Terminal("naive-1d", size=(80, 24)) as terminal:
        terminal.until("First run 1 of 5")
        terminal.until("idle")
        terminal.until("level 10/10")
        terminal.go("left", "level 9/10")
        terminal.press("q")
        terminal.ends_cleanly()
    with Terminal("naive-1d", size=(80, 24)) as terminal:
        terminal.until("idle")
        assert "First run" not in terminal.text
        terminal.press("q")
        terminal.ends_cleanly()
