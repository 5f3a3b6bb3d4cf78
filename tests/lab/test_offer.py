"""The next start offers to go on with what was left in mid-training, once."""

import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tui_diffusion.core.paths import settings_file
from tui_diffusion.core.runs.run import open_run, save_run, store
from tui_diffusion.core.runs.store import latest_run, list_runs
from tui_diffusion.interface.settings import RestorePoint, load
from tui_diffusion.lab.runs.resume_prompt import ResumePrompt, unfinished
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.session.session import Session, keep_in_store

from ..changed import changed
from ..lab_driver import NARROW, WIDE, Driver, make_lab, running, until
from ..trainings import trained

if sys.platform != "win32":
    from ..pseudo_terminal import Terminal

ALL = ("naive-1d", "naive-2d")


def left(name="naive-1d", state="training", at=0.0, steps=40, folder="run") -> Path:
    """A run at its 20th step, written ``at`` seconds after the epoch."""
    experiment = changed(name, training__steps=steps, device="cpu")
    run = save_run(store() / folder, trained(experiment, 20), state)
    os.utime(run / "run.json", (at, at))
    return run


# --- what is offered ---------------------------------------------------------------------------


def test_the_run_written_last_is_offered_if_it_can_go_on():
    assert unfinished(ALL, None) is None
    left(at=10)
    left("naive-2d", "stopped", at=20, folder="later")
    assert latest_run().name == "later"
    assert unfinished(ALL, None).name == "later"
    assert unfinished(ALL, "run").name == "later"
    assert unfinished(ALL, "later") is None, "declined, and an older one is no matter"
    assert unfinished(("naive-1d",), None) is None, "another experiment was asked for"
    left("naive-2d", "finished", at=30, folder="last")
    assert unfinished(ALL, None) is None


def test_what_is_being_written_damaged_or_hostile_is_not_offered(home):
    from tui_diffusion.core.runs.lock import Lock

    run = left()
    lock = Lock.take(run)
    assert unfinished(ALL, None) is None
    lock.release()
    assert unfinished(ALL, None).name == "run"
    (run / "run.json").write_text("[")
    assert unfinished(ALL, None) is None
    shutil.rmtree(run)
    left(folder="a\x1b[31mb")
    assert unfinished(ALL, None) is None
    shutil.rmtree(store())
    store().write_text("no folder")
    assert unfinished(ALL, None) is None


# --- the question ------------------------------------------------------------------------------


def asking(**options):
    app = make_lab(**options)
    app.offered = ALL
    app.model.session = Session(app._notify, keep=keep_in_store)
    return app


@asynccontextmanager
async def asked(app, size=NARROW) -> AsyncIterator[Driver]:
    """A lab that asks whether to go on."""
    async with running(app, size) as driver:
        await until(lambda: isinstance(app.screen, ResumePrompt))
        await until(lambda: "20/40" in driver.screen)
        yield driver


@pytest.mark.parametrize("answer", ["enter", "escape"])
async def test_the_guided_first_run_waits_for_the_answer(answer):
    left()
    app = asking()
    app.guide = True
    async with asked(app) as driver:
        assert "First run" not in driver.screen
        await driver.press(answer)
        await until(lambda: not isinstance(app.screen, ResumePrompt))
        await driver.pilot.pause(0.05)
        assert ("First run 1 of 5" in driver.screen) == (answer == "escape")
        await until(lambda: app.model.loaded)


@pytest.mark.parametrize("early", [True, False], ids=["while torch loads", "after"])
async def test_enter_goes_on_to_the_end(early):
    left("naive-2d")
    app = asking()
    async with asked(app) as driver:
        assert "naive-2d was stopped at step 20/40" in driver.screen
        if not early:
            await until(lambda: app.model.loaded)
        await driver.press("enter")
        await driver.state("finished")
        assert (app.model.chosen, app.model.workspace.training.step) == ("naive-2d", 40)
    assert open_run("run").state == "finished"
    assert len(list_runs()) == 1


async def test_escape_is_for_good_and_another_key_is_for_the_lab():
    left()
    app = asking()
    async with asked(app) as driver:
        await driver.press("home")
        await driver.level(0, 10)
        assert not isinstance(app.screen, ResumePrompt)
        assert app.restore_point.declined is None
    app = asking()
    async with asked(app, WIDE) as driver:
        await driver.press("escape")
        await until(lambda: not isinstance(app.screen, ResumePrompt))
        assert app.restore_point.declined == "run"
    assert unfinished(ALL, app.restore_point.declined) is None
    assert open_run("run").step == 20


async def test_what_was_stopped_by_hand_is_not_offered():
    app = asking(training__steps="10000000")
    async with running(app) as driver:
        await until(lambda: app.model.loaded)
        await driver.press("t")
        await driver.state("training")
        await until(lambda: app.model.workspace.training.step > 0)
        await driver.press("x")
        await driver.state("stopped")
    assert app.model.workspace.training.state is SessionState.STOPPED
    assert latest_run().name == app.restore_point.declined


async def test_tests_and_hand_made_labs_are_not_asked():
    left()
    app = make_lab()
    async with running(app, NARROW):
        await until(lambda: app.main.denoising.trajectory is not None)
        assert len(app.screen_stack) == 1


def test_the_declined_run_is_kept_whatever_its_name():
    file = settings_file()
    from tui_diffusion.interface.settings import Settings, save

    for name in ("run", 'a "b" \\ [place] # x', "ü = 3"):
        settings = Settings(place=RestorePoint(declined=name))
        assert save(file, settings) == ""
        assert load(file) == (settings, "")


# --- for real ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("how", ["SIGKILL", "q", "SIGHUP", "SIGTERM", "SIGINT"])
def test_however_it_was_left_the_next_start_asks_once(how):
    with Terminal("ddpm-1d", "--set", "training.steps=60000000") as terminal:
        terminal.until("idle")
        terminal.press("t")
        terminal.until(lambda: list_runs())
        if how == "q":
            terminal.press(how)
        else:
            terminal.send(getattr(signal, how))
        terminal.wait()
    (run,) = list_runs()
    assert run.standing == ("interrupted" if how == "SIGKILL" else "stopped")
    with Terminal("naive-1d", size=(80, 24)) as terminal:
        terminal.until("idle")
        assert "Go on?" not in terminal.text
        terminal.press("q")
        terminal.ends_cleanly()
    with Terminal(size=(80, 24)) as terminal:
        terminal.until("ddpm-1d was stopped at step")
        terminal.until("idle")
        terminal.press("enter")
        terminal.until("training  step")
        terminal.press("q")
        terminal.ends_cleanly()
    assert list_runs()[0].about.step >= run.about.step
    with Terminal(size=(80, 24)) as terminal:
        terminal.until("ddpm-1d was stopped at step")
        terminal.press("escape")
        terminal.until(lambda: "Go on?" not in terminal.text)
        terminal.press("q")
        terminal.ends_cleanly()
    with Terminal(size=(80, 24)) as terminal:
        terminal.until("idle")
        assert "Go on?" not in terminal.text
        terminal.press("q")
        terminal.ends_cleanly()
