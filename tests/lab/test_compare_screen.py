"""The comparison: pages, films, the mouse, the palette."""

import json
import re

import pytest

from tui_diffusion.interface.keymap import COMPARE_ACTIONS
from tui_diffusion.lab.readings import Reading
from tui_diffusion.lab.runs.compare import subjects as comparison
from tui_diffusion.lab.runs.compare.losses_panel import LossesPanel
from tui_diffusion.lab.runs.compare.table import ComparisonTable
from tui_diffusion.lab.runs.compare.trajectory_pane import TrajectoryPane
from tui_diffusion.lab.runs.screen import RunsScreen
from tui_diffusion.lab.screens.numbers import AskScreen, NumberList
from tui_diffusion.lab.widgets.level_slider import LevelSlider

from .. import stored_runs as stored
from ..lab_driver import NARROW, WIDE, lab, until
from .runs_driver import SIZES, compared, comparing, shows, titles, two_runs
from .test_asking import every_number_is_explained, lines_of, titles_of

# --- the comparison ----------------------------------------------------------------------------


async def test_marked_runs_are_compared_all_at_once_where_there_is_room():
    two_runs()
    async with lab(size=WIDE) as driver:
        await compared(driver)
        for text in ("A  level 10/10", "B  level 10/10", "times the floor", "energy distance"):
            await shows(driver, text)
        await shows(driver, "learning rate")
        await shows(driver, "0.05")
        await driver.press("q")
        await until(lambda: isinstance(driver.app.screen, RunsScreen))


async def test_a_narrow_terminal_has_pages():
    two_runs()
    async with lab(size=NARROW) as driver:
        await compared(driver)
        await shows(driver, "times the floor")
        await until(lambda: "level 10/10" not in driver.screen)
        await driver.press("2")
        await shows(driver, "A  level 10/10")
        await shows(driver, "B  level 10/10")
        await until(lambda: "times the floor" not in driver.screen)
        await driver.press("3")
        await shows(driver, "learning rate")


async def test_levels_of_runs_with_other_schedules_are_linked():
    stored.run("ten")
    stored.run("five", schedule__levels="5")
    async with lab() as driver:
        screen = await compared(driver)
        for key, levels in (
            ("end", {"10/10", "5/5"}),
            ("left", {"9/10", "4/5"}),
            ("left", {"8/10", "4/5"}),
            ("home", {"0/10", "0/5"}),
            ("l", {"1/10", "0/5"}),
            ("end", {"10/10", "5/5"}),
        ):
            await driver.press(key)
            await until(lambda levels=levels: {t.split()[2] for t in titles(screen)} == levels)
        assert driver.panel.level == 10, "the lab's own level stays"


@pytest.mark.slow
async def test_keys_look_at_all_films_alike():
    two_runs()
    async with lab() as driver:
        screen = await compared(driver)
        before = screen.trajectories[0].x.copy()
        await driver.press("v")
        await until(
            lambda: {str(p.border_subtitle) for p in screen.query(TrajectoryPane)} == {"close-up"}
        )
        await driver.press("n")
        await until(lambda: screen.trajectories[1].request.seed == screen.background.seed)
        assert screen.trajectories[0].request.seed == screen.trajectories[1].request.seed
        assert (screen.trajectories[0].x[0] != before[0]).any()
        await driver.press("space")
        assert screen.playback.playing
        await until(lambda: screen.playback.at_end and not screen.playback.playing)
        await driver.press("o")
        await until(lambda: "times the floor" not in driver.screen)
        await driver.press("question_mark")
        await shows(driver, "fresh noise, the same for all")
        await driver.press("escape", "escape")
        await until(lambda: isinstance(driver.app.screen, RunsScreen))


async def test_three_runs_in_a_narrow_terminal_are_seen_two_at_a_time():
    two_runs()
    stored.run("three", seed="3")
    async with lab(size=NARROW) as driver:
        await driver.press("r", "space", "space", "space", "d")
        screen = await comparing(driver, 3)
        await driver.press("2")
        await until(lambda: [title[0] for title in titles(screen)] == ["A", "B"])
        await shows(driver, "A B of 3")
        await driver.press("down")
        await until(lambda: [title[0] for title in titles(screen)] == ["B", "C"])
        await driver.press("down", "up")
        await until(lambda: [title[0] for title in titles(screen)] == ["A", "B"])


async def test_a_damaged_run_is_refused_and_the_others_are_shown():
    two_runs()
    folder = stored.run("broken")
    name = json.loads((folder / "run.json").read_text("utf-8"))["checkpoint"]
    size = (folder / name / "weights.safetensors").stat().st_size
    (folder / name / "weights.safetensors").write_bytes(b"x" * size)
    async with lab() as driver:
        await driver.press("r", "space", "space", "space", "d")
        screen = await comparing(driver)
        assert "broken" not in {subject.name for subject in screen.subjects}
        notes = list(driver.app._notifications)
        assert "weights.safetensors" in notes[0].message


async def test_the_bench_is_compared_with_the_latest_other_run_of_its_experiment():
    two_runs()
    async with lab() as driver:
        await driver.press("d")
        await until(lambda: isinstance(driver.app.screen, RunsScreen))
        await shows(driver, "space marks")
        await driver.press("q", "t")
        await driver.state("finished")
        await driver.press("d")
        screen = await comparing(driver)
        assert screen.subjects[0].name == "this training"
        await driver.press("r")
        await until(lambda: isinstance(driver.app.screen, RunsScreen))
        await driver.press("d")
        screen = await comparing(driver)
        assert len(screen.subjects) == 2, "the run under the cursor beside the training"


# --- it plays as the lab does --------------------------------------------------------------------


def subtitles(screen):
    return [str(pane.border_subtitle) for pane in screen.query(TrajectoryPane) if pane.display]


@pytest.mark.slow
async def test_sub_steps_and_ways_of_playing():
    stored.run("ten")
    stored.run("five", schedule__levels="5")
    async with lab() as driver:
        screen = await compared(driver)
        await driver.press("home", "f", "f", "f", *["l"] * 3)
        assert {title.split("  ")[1] for title in titles(screen)} == {
            "level 0/10 + 3/8",
            "level 0/5 + 1/8",
        }
        await shows(driver, "histogram · 1/8 level steps")
        await shows(driver, " at 0 ")
        await driver.press("f", "m", *["right_square_bracket"] * 3, "space")
        await shows(driver, "playing 15/s · loop")
        await until(lambda: screen.playback.at_end)
        await until(lambda: screen.level < 5)
        await driver.pilot.resize_terminal(*NARROW)
        await driver.press("2")
        await until(lambda: screen.playback.at_end)
        await shows(driver, "playing 15/s · loop")
        await driver.press("space")
        level = screen.level
        await driver.pilot.pause(0.2)
        assert screen.level == level
        await driver.press("m")
        assert subtitles(screen) == ["histogram · out and back"] * 2


@SIZES
async def test_a_level_is_gone_to_by_its_number(size):
    two_runs()
    async with lab(size=size) as driver:
        screen = await compared(driver)
        await driver.press("j")
        await shows(driver, "level 0–10:")
        driver.type("7", "enter")
        await shows(driver, "A  level 7/10")
        await until(lambda: screen.focused is None)
        driver.type("j", "3", "n", "enter")
        await shows(driver, "is not a level; allowed: 0 to 10")
        await driver.press("escape", "right")
        await shows(driver, "A  level 8/10")
        assert screen.background.noise == 0, "a letter of the prompt is no key"


async def test_the_mouse_goes_to_a_level():
    two_runs()
    async with lab() as driver:
        screen = await compared(driver)
        await driver.pilot.click(screen.query_one(LevelSlider), offset=(7, 0))
        await until(lambda: {t.split()[2] for t in titles(screen)} == {"0/10"})


# --- what can be asked and done ------------------------------------------------------------------


@SIZES
async def test_every_number_of_the_comparison_can_be_asked(size):
    two_runs()
    async with lab(size=size) as driver:
        screen = await compared(driver)
        named = {"energy", "level"}
        for page, places in (("2", {"A  ", "B  "}), ("3", {"Settings and results"})):
            await driver.press(page, "a")
            await until(lambda: isinstance(driver.app.screen, AskScreen))
            asked = driver.app.screen.query_one(NumberList)
            assert {str(row).replace("one", "").replace("two", "") for row in asked.rows} >= places
            read = [row for row in asked.rows if isinstance(row, Reading) and row.value]
            assert {reading.name for reading in read} >= named
            assert all(reading.entry.about for reading in read)
            named = {"energy distance", "final loss", "learning rate", "time"}
            while asked.here.name not in ("sigma/alpha", "energy", "learning rate"):
                await driver.press("down")
            await shows(driver, asked.here.entry.about.split(".")[0][:30])
            await driver.press("escape")
            await until(lambda: driver.app.screen is screen)


async def test_what_a_film_writes_is_read():
    two_runs()
    async with lab() as driver:
        screen = await compared(driver)
        for keys in (["left"], ["f", "left"], ["space"]):
            await driver.press(*keys)
            for pane in screen.query(TrajectoryPane):
                lines = [*lines_of(pane, ".here"), *lines_of(pane, ".exact")]
                every_number_is_explained([titles_of(pane), *lines], [*pane.readings()])


@SIZES
async def test_the_footer_offers_what_works_on_the_page(size):
    two_runs()
    async with lab(size=size) as driver:
        screen = await compared(driver)
        for page, here, elsewhere in (
            ("1", "o floor", "v view"),
            ("2", "v view", "o floor"),
            ("3", "↓ next", "v view"),
        ):
            await driver.press(page)
            if size == WIDE:
                assert {"o floor", "v view", "a ask"} <= footer_keys(driver)
            else:
                await until(lambda here=here: here in footer_keys(driver))
                assert elsewhere not in footer_keys(driver)
            assert {"? help", "q back"} <= footer_keys(driver)
        for action in COMPARE_ACTIONS:
            assert hasattr(screen, f"action_{action.name.partition('(')[0]}")


def footer_keys(driver):
    """Keys and what they do, as the last line has them."""
    return set(re.split(r" {2,}", driver.screen.split("\n")[-1].strip()))


async def test_the_palette_does_what_the_comparison_can():
    two_runs()
    async with lab() as driver:
        await compared(driver)
        await driver.press("ctrl+p", *"jump")
        await shows(driver, "Go to a level by its number; a run")
        await driver.press("enter")
        await shows(driver, "level 0–10:")


async def test_four_runs_are_all_seen_where_everything_is():
    for name in ("one", "two", "three", "four"):
        stored.run(name, steps=20)
    async with lab(size=(100, 30)) as driver:
        await driver.press("r", *["space"] * 4, "d")
        screen = await comparing(driver, 4)
        assert [title[0] for title in titles(screen)] == ["A", "B", "C", "D"]
        table = screen.query_one(ComparisonTable)
        await driver.press("pagedown")
        await until(lambda: table.scroll_offset.y > 0)
        await driver.press("pageup")
        await until(lambda: table.scroll_offset.y == 0)


async def test_a_narrow_terminal_offers_the_keys_of_the_next_runs():
    for name in ("one", "two", "three", "four"):
        stored.run(name, steps=20)
    async with lab(size=(80, 24)) as driver:
        await driver.press("r", *["space"] * 4, "d")
        screen = await comparing(driver, 4)
        await driver.press("2")
        assert screen.room < 4
        assert {"scroll(1)", "scroll(-1)"} <= {action.name for action in screen.offered}


async def test_a_film_that_cannot_be_made_is_told_and_the_others_are_shown(monkeypatch):
    two_runs()
    stored.run("three", seed="3")
    made = comparison.measure_trajectory

    def make(request, tell):
        if request.experiment.seed == 3:
            raise RuntimeError("CUDA error: no memory\nis left")
        return made(request, tell)

    monkeypatch.setattr(comparison, "measure_trajectory", make)
    async with lab() as driver:
        await driver.press("r", "space", "space", "space", "d")
        screen = await comparing(driver, 3)
        await until(lambda: sum("level 10/10" in title for title in titles(screen)) == 2)
        assert any("CUDA error: no memory is left" in title for title in titles(screen))


async def test_a_terminal_that_is_too_small_says_so_and_keeps_the_place():
    two_runs()
    async with lab() as driver:
        await compared(driver)
        await driver.press("left")
        await driver.pilot.resize_terminal(50, 12)
        told = "diffusion-tui needs 60×18; this is 50×12"
        await until(lambda: " ".join(driver.screen.split()) == told)
        await driver.pilot.resize_terminal(*WIDE)
        await shows(driver, "B  level 9/10")


async def test_another_size_or_theme_keeps_the_place():
    two_runs()
    async with lab(size=WIDE) as driver:
        screen = await compared(driver)
        await driver.press("left", "left")
        await driver.pilot.resize_terminal(*NARROW)
        await driver.press("2")
        await shows(driver, "A  level 8/10")
        await driver.pilot.resize_terminal(*WIDE)
        await shows(driver, "times the floor")
        await shows(driver, "B  level 8/10")
        driver.app.theme = "textual-light"
        await until(lambda: screen.query_one(LossesPanel)._drawn[1] is driver.app.palette)
        assert screen.level == 8
