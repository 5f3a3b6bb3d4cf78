"""The list of runs: what it says, marks, filters, and goes on with."""

import asyncio

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.lab.runs.run_list import RunList
from tui_diffusion.lab.session.records import SessionState

from .. import stored_runs as stored
from ..lab_driver import WIDE, lab, until
from .runs_driver import SIZES, SMALLEST, real_lab, shows, two_runs

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
