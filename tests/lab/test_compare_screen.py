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
from tui_diffusion.lab.keymap import COMPARE_ACTIONS
from tui_diffusion.lab.runs.compare import subjects as comparison
from tui_diffusion.lab.runs.compare.film_pane import Pane
from tui_diffusion.lab.runs.compare.losses_panel import Overlaid
from tui_diffusion.lab.runs.compare.screen import CompareScreen
from tui_diffusion.lab.runs.compare.table import Table
from tui_diffusion.lab.runs.run_list import RunList
from tui_diffusion.lab.runs.screen import RunsScreen
from tui_diffusion.lab.screens.numbers import DENOISING, Asked, AskScreen, Reading
from tui_diffusion.lab.session.evaluation import report
from tui_diffusion.lab.session.records import State
from tui_diffusion.lab.session.session import Session, keep_in_store
from tui_diffusion.lab.widgets.level_slider import Ruler
from tui_diffusion.lab.widgets.text_line import Line

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
    async with running(app) as bench:
        await bench.film()
        yield bench


def two_runs():
    stored.run("one")
    stored.run("two", training__lr="0.05", sampling__points="300")


async def shows(bench, text):
    """Wait for this on the screen."""
    await until(lambda: text in bench.screen)


async def comparing(bench, count=2):
    """Wait for the comparison with all its films."""
    await until(
        lambda: isinstance(bench.app.screen, CompareScreen) and len(bench.app.screen.films) == count
    )
    await bench.pilot.pause(0.05)
    return bench.app.screen


async def compared(bench):
    """Mark the first two runs of the list and compare them."""
    await bench.press("r", "space", "space", "d")
    return await comparing(bench)


def titles(screen):
    return [str(pane.border_title or "- - -") for pane in screen.query(Pane) if pane.display]


# --- the comparison ----------------------------------------------------------------------------


async def test_marked_runs_are_compared_all_at_once_where_there_is_room():
    two_runs()
    async with lab(size=WIDE) as bench:
        await compared(bench)
        for text in ("A  level 10/10", "B  level 10/10", "times the floor", "energy distance"):
            await shows(bench, text)
        await shows(bench, "learning rate")
        await shows(bench, "0.05")
        await bench.press("q")
        await until(lambda: isinstance(bench.app.screen, RunsScreen))


async def test_a_narrow_terminal_has_pages():
    two_runs()
    async with lab(size=NARROW) as bench:
        await compared(bench)
        await shows(bench, "times the floor")
        await until(lambda: "level 10/10" not in bench.screen)
        await bench.press("2")
        await shows(bench, "A  level 10/10")
        await shows(bench, "B  level 10/10")
        await until(lambda: "times the floor" not in bench.screen)
        await bench.press("3")
        await shows(bench, "learning rate")


async def test_levels_of_runs_with_other_schedules_are_linked():
    stored.run("ten")
    stored.run("five", schedule__levels="5")
    async with lab() as bench:
        screen = await compared(bench)
        for key, levels in (
            ("end", {"10/10", "5/5"}),
            ("left", {"9/10", "4/5"}),
            ("left", {"8/10", "4/5"}),
            ("home", {"0/10", "0/5"}),
            ("l", {"1/10", "0/5"}),
            ("end", {"10/10", "5/5"}),
        ):
            await bench.press(key)
            await until(lambda levels=levels: {t.split()[2] for t in titles(screen)} == levels)
        assert bench.panel.level == 10, "the lab's own level stays"


async def test_keys_look_at_all_films_alike():
    two_runs()
    async with lab() as bench:
        screen = await compared(bench)
        before = screen.films[0].x.copy()
        await bench.press("v")
        await until(lambda: {str(p.border_subtitle) for p in screen.query(Pane)} == {"close-up"})
        await bench.press("n")
        await until(lambda: screen.films[1].wish.seed == screen._seed)
        assert screen.films[0].wish.seed == screen.films[1].wish.seed
        assert (screen.films[0].x[0] != before[0]).any()
        await bench.press("space")
        assert screen.play.playing
        await until(lambda: screen.play.at_end and not screen.play.playing)
        await bench.press("o")
        await until(lambda: "times the floor" not in bench.screen)
        await bench.press("question_mark")
        await shows(bench, "Fresh noise")
        await bench.press("escape", "escape")
        await until(lambda: isinstance(bench.app.screen, RunsScreen))


async def test_three_runs_in_a_narrow_terminal_are_seen_two_at_a_time():
    two_runs()
    stored.run("three", seed="3")
    async with lab(size=NARROW) as bench:
        await bench.press("r", "space", "space", "space", "d")
        screen = await comparing(bench, 3)
        await bench.press("2")
        await until(lambda: [title[0] for title in titles(screen)] == ["A", "B"])
        await shows(bench, "A B of 3")
        await bench.press("down")
        await until(lambda: [title[0] for title in titles(screen)] == ["B", "C"])
        await bench.press("down", "up")
        await until(lambda: [title[0] for title in titles(screen)] == ["A", "B"])


async def test_a_damaged_run_is_refused_and_the_others_are_shown():
    two_runs()
    folder = stored.run("broken")
    name = json.loads((folder / "run.json").read_text("utf-8"))["checkpoint"]
    size = (folder / name / "weights.safetensors").stat().st_size
    (folder / name / "weights.safetensors").write_bytes(b"x" * size)
    async with lab() as bench:
        await bench.press("r", "space", "space", "space", "d")
        screen = await comparing(bench)
        assert "broken" not in {subject.name for subject in screen.subjects}
        notes = list(bench.app._notifications)
        assert "weights.safetensors" in notes[0].message


async def test_the_bench_is_compared_with_the_latest_other_run_of_its_experiment():
    two_runs()
    async with lab() as bench:
        await bench.press("d")
        await until(lambda: isinstance(bench.app.screen, RunsScreen))
        await shows(bench, "space marks")
        await bench.press("q", "t")
        await bench.state("finished")
        await bench.press("d")
        screen = await comparing(bench)
        assert screen.subjects[0].name == "on the bench"
        await bench.press("r")
        await until(lambda: isinstance(bench.app.screen, RunsScreen))
        await bench.press("d")
        screen = await comparing(bench)
        assert len(screen.subjects) == 2, "the run under the cursor beside the bench"


# --- it plays as the lab does --------------------------------------------------------------------


def subtitles(screen):
    return [str(pane.border_subtitle) for pane in screen.query(Pane) if pane.display]


async def test_sub_steps_and_ways_of_playing():
    stored.run("ten")
    stored.run("five", schedule__levels="5")
    async with lab() as bench:
        screen = await compared(bench)
        await bench.press("home", "f", "f", "f", *["l"] * 3)
        assert {title.split("  ")[1] for title in titles(screen)} == {
            "level 0/10 + 3/8",
            "level 0/5 + 1/8",
        }
        await shows(bench, "histogram · 1/8 level steps")
        await shows(bench, " at 0 ")
        await bench.press("f", "m", *["right_square_bracket"] * 3, "space")
        await shows(bench, "playing 15/s · loop")
        await until(lambda: screen.play.at_end)
        await until(lambda: screen.level < 5)
        await bench.pilot.resize_terminal(*NARROW)
        await bench.press("2")
        await until(lambda: screen.play.at_end)
        await shows(bench, "playing 15/s · loop")
        await bench.press("space")
        level = screen.level
        await bench.pilot.pause(0.2)
        assert screen.level == level
        await bench.press("m")
        assert subtitles(screen) == ["histogram · out and back"] * 2


@SIZES
async def test_a_level_is_gone_to_by_its_number(size):
    two_runs()
    async with lab(size=size) as bench:
        screen = await compared(bench)
        await bench.press("j")
        await shows(bench, "level 0–10:")
        bench.type("7", "enter")
        await shows(bench, "A  level 7/10")
        await until(lambda: screen.focused is None)
        bench.type("j", "3", "n", "enter")
        await shows(bench, "is not a level; allowed: 0 to 10")
        await bench.press("escape", "right")
        await shows(bench, "A  level 8/10")
        assert screen._noise == 0, "a letter of the prompt is no key"


async def test_the_mouse_goes_to_a_level():
    two_runs()
    async with lab() as bench:
        screen = await compared(bench)
        await bench.pilot.click(screen.query_one(Ruler), offset=(7, 0))
        await until(lambda: {t.split()[2] for t in titles(screen)} == {"0/10"})


# --- what can be asked and done ------------------------------------------------------------------


@SIZES
async def test_every_number_of_the_comparison_can_be_asked(size):
    two_runs()
    async with lab(size=size) as bench:
        screen = await compared(bench)
        named = {"energy", "level"}
        for page, places in (("2", {"A  ", "B  "}), ("3", {"Settings and results"})):
            await bench.press(page, "a")
            await until(lambda: isinstance(bench.app.screen, AskScreen))
            asked = bench.app.screen.query_one(Asked)
            assert {str(row).replace("one", "").replace("two", "") for row in asked.rows} >= places
            read = [row for row in asked.rows if isinstance(row, Reading) and row.value]
            assert {reading.name for reading in read} >= named
            assert all(reading.entry.about for reading in read)
            named = {"energy distance", "final loss", "learning rate", "time"}
            while asked.here.name not in ("sigma/alpha", "energy", "learning rate"):
                await bench.press("down")
            await shows(bench, asked.here.entry.about.split(".")[0][:30])
            await bench.press("escape")
            await until(lambda: bench.app.screen is screen)


async def test_what_a_film_writes_is_read():
    two_runs()
    async with lab() as bench:
        screen = await compared(bench)
        for keys in (["left"], ["f", "left"], ["space"]):
            await bench.press(*keys)
            for pane in screen.query(Pane):
                lines = [pane.query_one(name, Line).lines[0].text for name in (".here", ".exact")]
                for text in (f"{pane.border_title}  {pane.border_subtitle}", *lines):
                    assert not left(text, DENOISING), text


@SIZES
async def test_the_footer_offers_what_works_on_the_page(size):
    two_runs()
    async with lab(size=size) as bench:
        screen = await compared(bench)
        for page, here, elsewhere in (
            ("1", "o floor", "v view"),
            ("2", "v view", "o floor"),
            ("3", "↓ next", "v view"),
        ):
            await bench.press(page)
            if size == WIDE:
                assert {"o floor", "v view", "a ask"} <= footer_keys(bench)
            else:
                await until(lambda here=here: here in footer_keys(bench))
                assert elsewhere not in footer_keys(bench)
            assert {"? help", "q back"} <= footer_keys(bench)
        for action in COMPARE_ACTIONS:
            assert hasattr(screen, f"action_{action.name.partition('(')[0]}")


def footer_keys(bench):
    """Keys and what they do, as the last line has them."""
    return set(re.split(r" {2,}", bench.screen.split("\n")[-1].strip()))


async def test_the_palette_does_what_the_comparison_can():
    two_runs()
    async with lab() as bench:
        await compared(bench)
        await bench.press("ctrl+p", *"jump")
        await shows(bench, "To a level by its number; where some")
        await bench.press("enter")
        await shows(bench, "level 0–10:")


async def test_four_runs_are_all_seen_where_everything_is():
    for name in ("one", "two", "three", "four"):
        stored.run(name, steps=20)
    async with lab(size=(100, 30)) as bench:
        await bench.press("r", *["space"] * 4, "d")
        screen = await comparing(bench, 4)
        assert [title[0] for title in titles(screen)] == ["A", "B", "C", "D"]
        table = screen.query_one(Table)
        await bench.press("pagedown")
        await until(lambda: table.scroll_offset.y > 0)
        await bench.press("pageup")
        await until(lambda: table.scroll_offset.y == 0)


async def test_a_film_that_cannot_be_made_is_told_and_the_others_are_shown(monkeypatch):
    two_runs()
    stored.run("three", seed="3")
    made = comparison.make_film

    def make(wish, tell):
        if wish.experiment.seed == 3:
            raise RuntimeError("CUDA error: no memory\nis left")
        return made(wish, tell)

    monkeypatch.setattr(comparison, "make_film", make)
    async with lab() as bench:
        await bench.press("r", "space", "space", "space", "d")
        screen = await comparing(bench, 3)
        await until(lambda: sum("level 10/10" in title for title in titles(screen)) == 2)
        assert any("CUDA error: no memory is left" in title for title in titles(screen))


async def test_a_terminal_that_is_too_small_says_so_and_keeps_the_place():
    two_runs()
    async with lab() as bench:
        await compared(bench)
        await bench.press("left")
        await bench.pilot.resize_terminal(50, 12)
        told = "diffusion-tui needs 60×18; this is 50×12"
        await until(lambda: " ".join(bench.screen.split()) == told)
        await bench.pilot.resize_terminal(*WIDE)
        await shows(bench, "B  level 9/10")


# --- the list of runs --------------------------------------------------------------------------


@SIZES
async def test_what_the_list_says_at_every_size(size):
    two_runs()
    (store() / "not a run").mkdir()
    (store() / "[red]half\x1b[31m").mkdir()
    (store() / "[red]half\x1b[31m" / "run.json").write_text("{")
    (store() / "a link").symlink_to("/")
    async with lab(size=size) as bench:
        await bench.press("r")
        await shows(bench, "energy")
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
            await shows(bench, text)
        if size == WIDE:
            await shows(bench, "naive-1d ")
        await bench.press("end", "space")
        await shows(bench, "cannot be compared")


async def test_up_to_four_runs_can_be_marked_and_marks_follow_their_runs():
    for k in range(5):
        stored.run(f"run-{k}", steps=20, measured=False)
    async with lab() as bench:
        await bench.press("r", *["space"] * 5)
        runs = bench.app.screen.query_one(RunList)
        assert len(runs.marked) == 4
        await shows(bench, "allowed: up to 4")
        await bench.press("home", "space")
        assert len(runs.marked) == 3
        await bench.press("m", "ctrl+u", *"new", "enter")
        assert "new" in {folder.name for folder in runs.marked}
        await bench.press("x", *"yes", "enter")
        await bench.press("home", "x", *"no", "enter")
        assert len(runs.all) == 4


async def test_the_filter_works_while_it_is_typed_and_escape_leaves_it_as_it_was():
    two_runs()
    stored.run("third", "ddpm-1d")
    async with lab() as bench:
        await bench.press("r", "f", *"ddpm")
        runs = bench.app.screen.query_one(RunList)
        assert [run.name for run in runs.rows] == ["third"]
        await bench.press("escape")
        assert len(runs.rows) == 3
        await bench.press("f", *"finished naive", "enter")
        assert {run.name for run in runs.rows} == {"one", "two"}
        await shows(bench, "2 of 3 runs")


async def test_what_others_write_meanwhile_is_seen_and_the_cursor_stays_at_its_run():
    two_runs()
    for name in ("one", "two"):
        stored.of_a_time(store() / name, "2020-01-01T00:00:00+00:00")
    async with lab() as bench:
        await bench.press("r", "down")
        runs = bench.app.screen.query_one(RunList)
        here = runs.here.name
        experiment = get_preset("naive-1d").experiment.with_settings({"device": "cpu"})
        with Checkpointer(Trainer(experiment), store() / "zz", seconds=0) as keeper:
            keeper.finish("training")
            bench.app.screen._look()
            assert [run.standing for run in runs.all if run.name == "zz"] == ["training"]
            assert runs.here.name == here
            await bench.press("home")
            assert runs.here.name == "zz"
            await bench.press("g")
            await shows(bench, "is being trained already")
        bench.app.screen._look()
        assert [run.standing for run in runs.all if run.name == "zz"] == ["interrupted"]


async def test_a_hundred_runs_with_long_names_scroll():
    folder = stored.run("first", steps=2, measured=False)
    about = (folder / "run.json").read_text("utf-8")
    for k in range(100):
        other = store() / f"{'a name that goes on and on ' * 6}{k:03}"
        other.mkdir()
        (other / "run.json").write_text(about, "utf-8")
        (other / "checkpoint-1").symlink_to(folder / "checkpoint-1")
    async with lab(size=SMALLEST) as bench:
        await bench.press("r", "end")
        runs = bench.app.screen.query_one(RunList)
        assert runs.cursor == 100
        assert runs.here.name.endswith("099")
        await shows(bench, "099")
        assert all(len(line) == SMALLEST[0] for line in bench.screen.split("\n"))


# --- going on ----------------------------------------------------------------------------------


async def test_a_finished_run_goes_on_from_the_list():
    stored.run("mine", steps=60)
    async with real_lab() as bench:
        await bench.press("r", "g")
        await shows(bench, "has finished its 60 steps")
        await bench.press("ctrl+u", *"60", "enter")
        await shows(bench, "a whole number above 60")
        await bench.press("ctrl+u", *"90", "enter")
        await bench.state("finished")
        await until(lambda: "90/90" in bench.status)
        await until(lambda: bench.app.model.bench.training.metrics is not None)
    run = open_run("mine")
    assert (run.step, run.state, run.experiment.training.steps) == (90, "finished", 90)
    assert run.metrics["steps"] == 90


async def test_more_steps_in_the_form_go_on_by_p_and_anew_by_t():
    async with real_lab(training__steps="60", device="cpu") as bench:
        await bench.press("t")
        await bench.state("finished")
        first = bench.app.model.bench.training
        await until(lambda: first.metrics is not None)
        await bench.edit("training.steps", "100")
        notes = bench.app._notifications
        await until(lambda: any("goes on from step 60" in note.message for note in notes), 10)
        await bench.press("p")
        second = bench.app.model.bench.training
        await until(lambda: second.state is State.FINISHED and second.metrics is not None)
        assert (second.step, second.run) == (100, first.run)
        assert (second.losses[:60] == first.losses[:60]).all()
        await bench.edit("training.lr", "0.01")
        await bench.edit("training.steps", "120")
        await bench.press("t")
        third = bench.app.model.bench.training
        await until(lambda: third.state is State.FINISHED and third.metrics is not None)
        assert third.run != first.run


async def test_after_a_stop_t_asks_and_t_again_trains_anew():
    async with real_lab(training__steps="200000", device="cpu") as bench:
        await bench.press("t")
        await until(lambda: bench.app.model.bench.training.step > 0)
        await bench.press("x")
        await bench.state("stopped")
        first = bench.app.model.bench.training
        await bench.press("t", "t")
        await until(lambda: bench.app.model.bench.training is not first)
        second = bench.app.model.bench.training
        await until(lambda: second.run is not None)
        assert second.run != first.run
        await bench.press("x")
        await bench.state("stopped")
        await asyncio.sleep(0)


async def test_another_size_or_theme_keeps_the_place():
    two_runs()
    async with lab(size=WIDE) as bench:
        screen = await compared(bench)
        await bench.press("left", "left")
        await bench.pilot.resize_terminal(*NARROW)
        await bench.press("2")
        await shows(bench, "A  level 8/10")
        await bench.pilot.resize_terminal(*WIDE)
        await shows(bench, "times the floor")
        await shows(bench, "B  level 8/10")
        bench.app.theme = "textual-light"
        await until(lambda: screen.query_one(Overlaid)._drawn[1] is bench.app.palette)
        assert screen.level == 8
