"""The guided first run: passed by deeds, in nobody's way, and only once."""

import re
import sys

import pytest

from tui_diffusion.lab.guide import DEEDS, STATIONS, Guide
from tui_diffusion.lab.note import Note
from tui_diffusion.lab.session import State
from tui_diffusion.lab.settings import Place

from .pilots import NARROW, make_lab, running, until


def guided(**options):
    app = make_lab("naive-1d", **options)
    app.guide = True
    return app


def passed(*deeds):
    guide = Guide()
    guide.at = 0
    for deed in deeds:
        guide.did(deed)
    return guide.at


def test_stations_are_passed_in_turn_each_by_its_own_deed():
    ways = [station.deed for station in STATIONS if station.deed]
    assert ways == ["choose", "train", "step", "truth", "ideal"]
    assert set(DEEDS.values()) == set(ways[1:])
    for done in range(len(ways) + 1):
        assert passed(*ways[:done]) == done
        if done < len(ways):
            others = [deed for deed in ways if deed != ways[done]]
            others.remove("train") if done == 0 else None
            assert passed(*ways[:done], *others, "view") == done
    assert passed("train") == 2, "who trains has chosen"
    assert passed(*ways, "view") == len(ways)
    assert passed(*ways, "help") is None


def test_no_word_of_the_status_line_or_a_title_is_in_the_guide():
    words = {state.value for state in State}
    for at, station in enumerate(STATIONS):
        guide = Guide()
        guide.at = at
        for tab in (None, "setup", "training", "denoising"):
            text = f"{guide.head()} {guide.text(tab)}"
            assert not words & set(re.findall(r"\w+", text.lower())), station
            assert not re.search(r"(level|step) \S*/", text)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["wide", "narrow"])
async def test_the_five_stations_on_the_real_lab(size):
    app = guided()
    async with running(app, size) as bench:
        await bench.film()
        note = app.query_one(Note)

        def at(number):
            assert f"First run {number} of 5" in note.lines[0].text
            assert "escape skips" in note.lines[0].text
            assert f"level {bench.panel.level}/10" in bench.title or size[0] < 100
            assert "q quit" in bench.screen and "naive" in bench.status

        at(1)
        if size[0] < 100:
            assert "1 shows the list" in bench.screen
        await bench.press("1")
        at(1)
        await bench.press("v", "g", "g")
        at(1)
        app.query_one("#experiments").focus()
        await bench.press("enter")
        at(2)
        await bench.press("t")
        await bench.state("finished")
        await bench.film("network") if size[0] >= 100 else None
        at(3)
        assert ("3 shows the points" in bench.screen) == (size[0] < 100)
        await bench.press("3", "left")
        at(4)
        await bench.press("g")
        at(5)
        await bench.press("i")
        assert "First run: the lab is yours" in note.lines[0].text
        await bench.press("escape")
        assert not note.display
        assert app.place.guided


async def test_a_training_that_is_refused_passes_no_station():
    app = guided()
    async with running(app, NARROW) as bench:
        await bench.film()
        await bench.press("1")
        await bench.edit("data.std", "-1")
        await bench.press("t")
        assert "First run 1 of 5" in bench.screen
        await bench.edit("data.std", "0.1")
        await bench.press("t")
        await until(lambda: "First run 3 of 5" in bench.screen)


async def test_escape_ends_it_and_the_palette_begins_it_again():
    app = guided()
    async with running(app, NARROW) as bench:
        await bench.film()
        focused = app.focused
        await bench.press("escape")
        assert not app.query_one(Note).display
        assert app.focused is focused
        command = next(c for c in app.get_system_commands(app.screen) if "first run" in c.title)
        command.callback()
        await until(lambda: "First run 1 of 5" in bench.screen)


@pytest.mark.parametrize("size", [(60, 18), (80, 20), (120, 21), (50, 12)])
async def test_without_room_there_is_none(size):
    app = guided()
    async with running(app, size) as bench:
        await until(lambda: bench.panel.film is not None)
        assert not app.query_one(Note).display
        await bench.pilot.resize_terminal(80, 24)
        await until(lambda: "First run 1 of 5" in bench.screen)


@pytest.mark.parametrize("width", [60, 76, 80, 99, 100, 200])
@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
async def test_every_text_fits(width, glyphs):
    app = guided(glyphs=glyphs)
    async with running(app, (width, 24)) as bench:
        note = app.query_one(Note)
        for at, station in enumerate(STATIONS):
            app.learning._guide.at = at
            for tab in ("setup", "training", "denoising"):
                app.layout.tab = tab
                app.learning.write()
                await bench.pilot.pause(0)
                shown = " ".join(line.text for line in note.lines)
                assert station.text.split()[-1].replace("`", "") in shown
                assert all(line.cell_length == width for line in note.lines)
                if glyphs == "ascii" and station.deed == "step":
                    assert "right" in shown and "→" not in shown


async def test_it_is_not_there_unasked():
    app = make_lab("naive-1d")
    app._place = Place()
    async with running(app, NARROW):
        assert not app.query_one(Note).display
        assert not app.place.guided


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_only_the_very_first_start_is_guided():
    from .terminal import Terminal

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
