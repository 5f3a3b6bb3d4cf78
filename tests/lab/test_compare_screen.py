"""The comparison and the list of runs as a person sees and drives them."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.interface.keymap import COMPARE_ACTIONS
from tui_diffusion.lab.runs.compare import subjects as comparison
from tui_diffusion.lab.runs.compare.losses_panel import LossesPanel
from tui_diffusion.lab.runs.compare.screen import CompareScreen
from tui_diffusion.lab.runs.compare.table import ComparisonTable
from tui_diffusion.lab.runs.compare.trajectory_pane import TrajectoryPane
from tui_diffusion.lab.runs.run_list import RunList
from tui_diffusion.lab.runs.screen import RunsScreen
from tui_diffusion.lab.screens.numbers import DENOISING, AskScreen, NumberList, Reading
from tui_diffusion.lab.session.evaluation import report
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.session.session import Session, keep_in_store
from tui_diffusion.lab.widgets.level_slider import LevelSlider
from tui_diffusion.lab.widgets.text_line import TextLine

from .. import stored_runs as stored
from ..lab_driver import NARROW, WIDE, lab, make_lab, running, until
from .test_asking import left

SMALLEST = (60, 18)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW, SMALLEST], ids=["wide", "narrow", "small"])


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSION_TUI_HOME", str(tmp_path))


@asynccontextmanager
async def real_lab(**settings):
    """The lab with a session that trains, writes and measures."""
    app = make_lab(**settings)
    app.model.session = Session(app._notify, keep=keep_in_store, measure=report)
    async with running(app) as driver:
        await driver.trajectory()
        yield driver


def two_runs():
    stored.run("one")
    stored.run("two", training__lr="0.05", sampling__points="300")


async def shows(driver, text):
    """Wait for this on the screen."""
    await until(lambda: text in driver.screen)


async def comparing(driver, count=2):
    """Wait for the comparison with all its films."""
    await until(
        lambda: (
            isinstance(driver.app.screen, CompareScreen)
            and len(driver.app.screen.trajectories) == count
        )
    )
    await driver.pilot.pause(0.05)
    return driver.app.screen


async def compared(driver):
    """Mark the first two runs of the list and compare them."""
    await driver.press("r", "space", "space", "d")
    return await comparing(driver)


def titles(screen):
    return [
        str(pane.border_title or "- - -") for pane in screen.query(TrajectoryPane) if pane.display
    ]


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
                lines = [
                    pane.query_one(name, TextLine).lines[0].text for name in (".here", ".exact")
                ]
                for text in (f"{pane.border_title}  {pane.border_subtitle}", *lines):
                    assert not left(text, DENOISING), text


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


# --- the list of runs --------------------------------------------------------------------------


@SIZES
async def test_what_the_list_says_at_every_size(size):
    two_runs()
    (store() / "not a run").mkdir()
    (store() / "[red]half\x1b[31m").mkdir()
    (store() / "[red]half\x1b[31m" / "run.json").write_text("{")
    (store() / "a link").symlink_to("/")
    async with lab(size=size) as driver:
        await driver.press("r")
        await shows(driver, "energy")
        listed = ("one", "two", "finished", "foreign", "damaged", "5 runs", "[red]half?[31m")
        for text in (
            *listed,
            "energy",
            "age",
            "enter opens",
            "g goes on",
            "d compares",
            "q closes",
        ):
            await shows(driver, text)
        if size == WIDE:
            await shows(driver, "naive-1d ")
        await driver.press("end", "space")
        await shows(driver, "cannot be compared")


async def test_up_to_four_runs_can_be_marked_and_marks_follow_their_runs():
    for k in range(5):
        stored.run(f"run-{k}", steps=20, measured=False)
    async with lab() as driver:
        await driver.press("r", *["space"] * 5)
        runs = driver.app.screen.query_one(RunList)
        assert len(runs.marked) == 4
        await shows(driver, "allowed: up to 4")
        await driver.press("home", "space")
        assert len(runs.marked) == 3
        await driver.press("m", "ctrl+u", *"new", "enter")
        assert "new" in {folder.name for folder in runs.marked}
        await driver.press("x", *"yes", "enter")
        await driver.press("home", "x", *"no", "enter")
        await until(lambda: not driver.app.screen._reader.busy)
        assert len(runs.all) == 4


async def test_the_filter_works_while_it_is_typed_and_escape_leaves_it_as_it_was():
    two_runs()
    stored.run("third", "ddpm-1d")
    async with lab() as driver:
        await driver.press("r", "f", *"ddpm")
        runs = driver.app.screen.query_one(RunList)
        assert [run.name for run in runs.rows] == ["third"]
        await driver.press("escape")
        assert len(runs.rows) == 3
        await driver.press("f", *"finished naive", "enter")
        assert {run.name for run in runs.rows} == {"one", "two"}
        await shows(driver, "2 of 3 runs")


async def test_what_others_write_meanwhile_is_seen_and_the_cursor_stays_at_its_run():
    two_runs()
    for name in ("one", "two"):
        stored.of_a_time(store() / name, "2020-01-01T00:00:00+00:00")
    async with lab() as driver:
        await driver.press("r", "down")
        runs = driver.app.screen.query_one(RunList)
        here = runs.here.name
        experiment = get_preset("naive-1d").experiment.with_settings({"device": "cpu"})
        with Checkpointer(Trainer(experiment), store() / "zz", seconds=0) as keeper:
            keeper.finish("training")
            driver.app.screen._poll()
            await until(lambda: not driver.app.screen._reader.busy)
            assert [run.standing for run in runs.all if run.name == "zz"] == ["training"]
            assert runs.here.name == here
            await driver.press("home")
            assert runs.here.name == "zz"
            await driver.press("g")
            await shows(driver, "is already training")
        driver.app.screen._poll()
        await until(lambda: not driver.app.screen._reader.busy)
        assert [run.standing for run in runs.all if run.name == "zz"] == ["interrupted"]


async def test_a_hundred_runs_with_long_names_scroll():
    folder = stored.run("first", steps=2, measured=False)
    about = (folder / "run.json").read_text("utf-8")
    for k in range(100):
        other = store() / f"{'a name that goes on and on ' * 6}{k:03}"
        other.mkdir()
        (other / "run.json").write_text(about, "utf-8")
        (other / "checkpoint-1").symlink_to(folder / "checkpoint-1")
    async with lab(size=SMALLEST) as driver:
        await driver.press("r", "end")
        runs = driver.app.screen.query_one(RunList)
        assert runs.cursor == 100
        assert runs.here.name.endswith("099")
        await shows(driver, "099")
        assert all(len(line) == SMALLEST[0] for line in driver.screen.split("\n"))


# --- going on ----------------------------------------------------------------------------------


async def test_a_finished_run_goes_on_from_the_list():
    stored.run("mine", steps=60)
    async with real_lab() as driver:
        await driver.press("r", "g")
        await shows(driver, "has finished its 60 steps")
        await driver.press("ctrl+u", *"60", "enter")
        await shows(driver, "a whole number above 60")
        await driver.press("ctrl+u", *"90", "enter")
        await driver.state("finished")
        await until(lambda: "90/90" in driver.status)
        await until(lambda: driver.app.model.workspace.training.metrics is not None)
    run = open_run("mine")
    assert (run.step, run.state, run.experiment.training.steps) == (90, "finished", 90)
    assert run.metrics["steps"] == 90


async def test_more_steps_in_the_form_go_on_by_p_and_anew_by_t():
    async with real_lab(training__steps="60", device="cpu") as driver:
        await driver.press("t")
        await driver.state("finished")
        first = driver.app.model.workspace.training
        await until(lambda: first.metrics is not None)
        await driver.edit("training.steps", "100")
        notes = driver.app._notifications
        await until(lambda: any("goes on from step 60" in note.message for note in notes), 10)
        await driver.press("p")
        second = driver.app.model.workspace.training
        await until(lambda: second.state is SessionState.FINISHED and second.metrics is not None)
        assert (second.step, second.run) == (100, first.run)
        assert (second.losses[:60] == first.losses[:60]).all()
        await driver.edit("training.lr", "0.01")
        await driver.edit("training.steps", "120")
        await driver.press("t")
        third = driver.app.model.workspace.training
        await until(lambda: third.state is SessionState.FINISHED and third.metrics is not None)
        assert third.run != first.run


async def test_after_a_stop_t_asks_and_t_again_trains_anew():
    async with real_lab(training__steps="200000", device="cpu") as driver:
        await driver.press("t")
        await until(lambda: driver.app.model.workspace.training.step > 0)
        await driver.press("x")
        await driver.state("stopped")
        first = driver.app.model.workspace.training
        await driver.press("t", "t")
        await until(lambda: driver.app.model.workspace.training is not first)
        second = driver.app.model.workspace.training
        await until(lambda: second.run is not None)
        assert second.run != first.run
        await driver.press("x")
        await driver.state("stopped")
        await asyncio.sleep(0)


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
