"""The lab follows a training that another process is at, and only reads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.manifest import PROGRESS_FILE, RunError
from tui_diffusion.core.runs.naming import whole_run
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run, store
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.lab.app import Lab
from tui_diffusion.lab.runs import load, watch
from tui_diffusion.lab.runs.run_list import RunChoice
from tui_diffusion.lab.runs.watch import Watch
from tui_diffusion.lab.session.session import Session, keep_in_store

from ..changed import changed
from ..lab_driver import Driver, lab, running, until
from ..stored_runs import small

STEPS = 400


class Elsewhere:
    """A training of the run "job" that goes as far as it is told, as in another process."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._progress = trainer.run(every=10)
        self.keeper = Checkpointer(trainer, store() / "job", seconds=0)

    @classmethod
    def begun(cls) -> Elsewhere:
        """A training of 10 steps, with a checkpoint."""
        job = cls(Trainer(small("naive-1d", STEPS)))
        job.go(10)
        job.checkpoint()
        return job

    @classmethod
    def resumed(cls) -> Elsewhere:
        return cls(resume(open_run("job")))

    def go(self, steps: int) -> None:
        """Take steps and record their losses."""
        for _ in range(steps // 10):
            next(self._progress)
        self.keeper._log._due = 0
        if self.keeper._lock is not None:
            self.keeper._log.offer()

    def checkpoint(self) -> None:
        self.keeper._due = 0
        self.keeper.offer()
        self.keeper._join()

    def die(self) -> None:
        """End as if killed: the files stay as they are."""
        self.keeper._join()
        self.keeper._lock.release()
        self.keeper._lock = None


@contextmanager
def unchanged(folder):
    """Hold that nothing in a folder changes."""

    def state():
        return {f: (f.stat().st_mtime_ns, f.stat().st_ino) for f in [folder, *folder.rglob("*")]}

    before = state()
    yield
    assert state() == before


def opened() -> tuple[Watch, watch.Training]:
    """The watch of the run "job" and the record that it keeps."""
    found = load.load_run(RunChoice(whole_run("job"), "open"))
    return found.watch, found.training


def losses_of(training) -> list[float]:
    return training.losses[: training.step].tolist()


def test_a_record_follows_a_training_its_death_and_its_going_on():
    job = Elsewhere.begun()
    job.go(20)
    with unchanged(store() / "job"):
        look, training = opened()
    assert (training.state, training.step, training.snapshot[0]) == ("training", 30, 10)
    assert training.watched == f"process {os.getpid()} on {os.uname().nodename}"
    assert training.lr == training.experiment.training.lr
    job.go(20)
    job.checkpoint()
    job.go(10)
    with unchanged(store() / "job"):
        look.look()
    assert (training.step, training.snapshot[0]) == (60, 50)
    assert losses_of(training) == job.trainer.losses[:60].tolist()
    assert training.seconds == job.trainer.seconds
    job.die()
    with unchanged(store() / "job"):
        look.look()
    assert (training.state, training.step, training.watched) == ("stopped", 50, "")
    assert (store() / "job" / PROGRESS_FILE).exists(), "it was left, and is not the run's end"
    job = Elsewhere.resumed()
    look.look()
    assert (training.state, training.step) == ("training", 50)
    job.go(30)
    look.look()
    assert losses_of(training) == job.trainer.losses[:80].tolist()
    job.go(STEPS - 80)
    job.keeper.finish("finished")
    look.look()
    job.keeper.close()
    look.look()
    assert (training.state, training.step, training.watched) == ("finished", STEPS, "")
    assert training.snapshot[0] == STEPS


def test_one_that_is_killed_and_goes_on_between_two_looks_is_followed():
    job = Elsewhere.begun()
    job.go(50)
    look, training = opened()
    assert training.step == 60
    before = training.losses
    job.die()
    job = Elsewhere.resumed()
    job.go(20)
    look.look()
    assert (training.step, training.state) == (30, "training")
    assert losses_of(training) == job.trainer.losses[:30].tolist()
    assert training.losses is not before, "drawings keep what they have read"
    job.keeper.close()


def test_a_checkpoint_that_is_newer_than_the_losses_counts():
    job = Elsewhere.begun()
    job.go(10)
    for _ in range(3):
        next(job._progress)
    job.keeper._log._due = np.inf
    job.checkpoint()
    look, training = opened()
    assert training.step == 50
    job.go(10)
    look.look()
    assert losses_of(training) == job.trainer.losses[:60].tolist()
    job.keeper.close()


def test_a_run_without_a_file_of_losses_opens():
    """As earlier versions write it: the losses are those of the latest checkpoint."""
    job = Elsewhere.begun()
    job.go(10)
    (store() / "job" / PROGRESS_FILE).unlink()
    look, training = opened()
    assert (training.state, training.step) == ("training", 10)
    job.checkpoint()
    look.look()
    assert training.snapshot[0] == 20
    job.keeper.close()


@contextmanager
def looking_often(monkeypatch):
    monkeypatch.setattr(watch, "PERIOD", 0.02)
    monkeypatch.setattr(watch, "_REST", 0.02)
    yield


async def take(driver: Driver) -> None:
    """Press enter in ``r`` on the one run that there is."""
    await driver.press("r")
    await until(lambda: driver.app.screen.query("#runs") and "job" in driver.screen)
    await driver.press("enter")


async def test_enter_on_a_training_elsewhere_watches_it_and_p_goes_on_with_it(monkeypatch):
    job = Elsewhere.begun()
    with looking_often(monkeypatch):
        async with lab("edm-moons") as driver:
            app = driver.app
            app.model.session = Session(app._notify, keep=keep_in_store)
            await take(driver)
            await until(lambda: "watching  training  step 10/400" in driver.status)
            for key, said in (("p", "Not paused"), ("x", "Not stopped"), ("t", "Not trained")):
                with unchanged(store() / "job"):
                    await driver.press(key)
                    notice = list(app._notifications)[-1]
                    assert notice.title == said
                    assert "trains this run, the lab only watches" in notice.message
            assert "watching  training" in driver.status
            job.go(60)
            await until(lambda: "step 70/400" in driver.status)
            await driver.trajectory("network")
            assert "network, step 10" in driver.subtitle
            job.checkpoint()
            await until(lambda: "network, step 70" in driver.subtitle)
            job.keeper.finish("stopped")
            job.keeper.close()
            await driver.state("stopped")
            assert "watching" not in driver.status
            assert np.isfinite(losses_of(app.model.workspace.training)).all()
            await driver.press("p")
            await driver.state("finished")
            assert "step 400/400" in driver.status
    assert open_run("job").state == "finished"


async def test_enter_on_the_labs_own_training_shows_it(monkeypatch):
    async with lab("naive-1d", training__steps="1000000") as driver:
        app = driver.app
        app.model.session = Session(app._notify, keep=keep_in_store)
        await driver.press("t")
        training = app.model.session.training
        await until(lambda: training.run is not None and training.run.exists(), 20)
        await take_first(driver)
        await until(lambda: len(app.screen_stack) == 1)
        assert app.model.workspace.training is training
        assert "watching" not in driver.status
        await driver.press("x")
        await driver.state("stopped")


async def test_the_lab_opens_on_a_training_elsewhere_and_resumes_none():
    job = Elsewhere.begun()
    run = whole_run("job")
    async with running(Lab(changed("edm-moons"), watch=run)) as driver:
        await until(lambda: "watching  training  step 10/400" in driver.status)
        assert driver.app.model.chosen == "naive-1d"
    with pytest.raises(RunError, match=r"process \d+ on .* trains it; allowed: to watch it"):
        load.load_run(RunChoice(run, "resume"))
    job.keeper.finish("finished")
    job.keeper.close()
    found = load.load_run(RunChoice(run, "watch"))
    assert found.watch is not None, "another process may go on with it"


async def take_first(driver: Driver) -> None:
    await driver.press("r")
    await until(
        lambda: driver.app.screen.query("#runs") and driver.app.screen.query_one("#runs").all
    )
    await driver.press("enter")


async def test_a_run_that_vanishes_is_watched_no_more_and_one_line_says_so(monkeypatch):
    job = Elsewhere.begun()
    with looking_often(monkeypatch):
        async with lab("edm-moons") as driver:
            await take(driver)
            await driver.state("watching")
            training = driver.app.model.workspace.training
            (store() / "job").rename(store() / "gone")
            await until(lambda: "the run job was deleted" in " ".join(driver.screen.split()))
            assert (training.state, training.run, training.watched) == ("stopped", None, "")
            await driver.state("stopped")
            assert [notice.title for notice in driver.app._notifications] == ["Not saved"]
    job.keeper.folder = store() / "gone"
    job.keeper.close()


TRAIN = [sys.executable, "-m", "tui_diffusion", "train"]


@pytest.mark.slow
async def test_a_process_is_watched_killed_and_watched_again(monkeypatch):
    """For real: the losses come while another process trains, and its killing shows."""
    job = store() / "job"
    first = [*TRAIN, "ddpm-1d", "--set", "training.steps=9000000", "--device", "cpu"]
    process = subprocess.Popen([*first, "--out", str(job)], stderr=subprocess.DEVNULL)
    try:
        await until((job / "run.json").exists)
        async with lab("edm-moons") as driver:
            await take(driver)
            await driver.state("watching")
            training = driver.app.model.workspace.training
            for _ in range(3):
                step = training.step
                await until(lambda: training.step > step)  # noqa: B023
            process.send_signal(signal.SIGKILL)
            process.wait()
            await driver.state("stopped")
            assert training.step == open_run("job").step
            process = subprocess.Popen([*TRAIN, "--resume", "job"], stderr=subprocess.DEVNULL)
            await driver.state("watching")
            step = training.step
            await until(lambda: training.step > step)
            process.terminate()
            process.wait()
            await driver.state("stopped")
            assert training.step == open_run("job").step > step
    finally:
        process.kill()
        process.wait()
