"""Files are read by other threads than the event loop's, and keys are answered meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_diffusion.core.config import point_files
from tui_diffusion.core.files import read_plain
from tui_diffusion.core.runs.naming import run_to_resume
from tui_diffusion.lab.panels.form import form as panel
from tui_diffusion.lab.runs import load, screen
from tui_diffusion.lab.runs.run_list import RunChoice, RunList

from ..fakes import FakeTrainers
from ..lab_driver import lab, make_lab, running, until
from ..stored_runs import invented


async def until_soon(condition):
    await until(condition, 10)


class Disk:
    """The reading of point files, which can be held up; it records who reads."""

    def __init__(self) -> None:
        self.threads: set[str] = set()
        self.files: list[str] = []
        self._slow: dict[str, threading.Event] = {}

    def hold(self, file: Path) -> Callable[[], None]:
        """Let nobody read a file until the returned function is called."""
        may = self._slow[file.name] = threading.Event()
        return may.set

    def release(self) -> None:
        for may in self._slow.values():
            may.set()

    def read(self, file: Path, *args: object) -> bytes:
        self.threads.add(threading.current_thread().name)
        self.files.append(file.name)
        if file.name in self._slow:
            self._slow[file.name].wait()
        return read_plain(file, *args)


@pytest.fixture
def disk(monkeypatch):
    disk = Disk()
    monkeypatch.setattr(point_files, "read_plain", disk.read)
    yield disk
    disk.release()


def written(file: Path, rows: int = 3) -> Path:
    file.write_text("x,y,kind\n" + "".join(f"{k},{k * k},{'ab'[k % 2]}\n" for k in range(rows)))
    return file


async def test_a_newer_value_wins_over_a_file_that_is_still_being_read(disk, tmp_path):
    slow, other = written(tmp_path / "slow.csv"), tmp_path / "other.csv"
    other.write_text("1\n2\n4\n")
    release = disk.hold(slow)
    async with lab("edm-moons") as driver:
        before = driver.app.model.workspace.experiment
        driver.form.enter("data.name", f"file:{slow}")
        await until_soon(lambda: "slow.csv" in disk.files)
        assert "reading slow.csv" in str(driver.form.border_subtitle)
        view = driver.panel.view
        driver.panel.focus()
        await driver.press("v")
        assert driver.panel.view != view, "keys are answered"
        driver.form.enter("training.lr", "0.5")
        await until_soon(lambda: driver.app.model.workspace.experiment.training.lr == 0.5)
        assert driver.app.model.workspace.experiment.data == before.data

        driver.form.enter("data.name", f"file:{other}")
        await until_soon(lambda: driver.app.model.workspace.experiment.data.path == str(other))
        assert driver.app.model.workspace.experiment.data.points[:, 0].tolist() == [1, 2, 4]
        assert driver.app.model.workspace.experiment.training.lr == 0.5
        release()
        await until_soon(lambda: not [t for t in threading.enumerate() if t.name == "reading"])
        await driver.pilot.pause(0.01)
        assert driver.app.model.workspace.experiment.data.path == str(other)
        assert not driver.form.problems
    assert disk.threads == {"reading"}


async def test_t_waits_for_the_file_in_the_form_and_another_experiment_drops_it(disk, tmp_path):
    slow = tmp_path / "slow.csv"
    slow.write_text("1\n2\n4\n")
    trainers = FakeTrainers()
    async with lab("edm-moons", trainers=trainers) as driver:
        release = disk.hold(slow)
        for kept in (False, True):
            driver.form.enter("data.name", f"file:{slow}")
            driver.panel.focus()
            await driver.press("t")
            assert not trainers.made
            if not kept:
                driver.app.updates.choose("edm-1d")
                assert not driver.form.reading
                driver.app.updates.choose("edm-moons")
        release()
        await driver.state("finished")
        assert [made.experiment.data.path for made in trainers.made] == [str(slow)]

        # A file that is gone is refused in one line, as ever.
        slow.unlink()
        await driver.press("t")
        await until_soon(lambda: "no such file" in " ".join(driver.screen.split()))
        assert len(trainers.made) == 1
    assert disk.threads == {"reading"}


async def test_choices_and_points_of_a_file_are_read_by_another_thread(disk, tmp_path, monkeypatch):
    monkeypatch.setattr(panel, "_PATIENCE", 60)
    file = written(tmp_path / "three.csv", 8)
    trainers = FakeTrainers()
    async with lab("edm-moons", trainers=trainers) as driver:
        form = driver.form
        form.enter("data.name", f"file:{file}")
        await until_soon(lambda: form.problems)
        release = disk.hold(file)
        for path, choice in (("data.columns", "x,y"), ("data.where", "kind:a")):
            form.select(path)
            form.focus()
            driver.type("enter", "down", "enter")
            await until_soon(lambda: form.editing)
            release()
            await until_soon(lambda: not form.editing and not form.reading)
            assert form.model.experiment.get(path) == choice
        await until_soon(lambda: driver.app.model.workspace.experiment == form.model.experiment)
        assert form.model.experiment.data.points.shape == (4, 2)

        release = disk.hold(written(file, 10))
        driver.panel.focus()
        await driver.press("t")
        await until_soon(lambda: "reading three.csv" in driver.status)
        assert not trainers.made
        await driver.press("x", "t")  # given up, and wanted again
        release()
        await driver.state("finished")
        (trainer,) = trainers.made
        assert trainer.experiment.data.points.shape == (5, 2)
    assert disk.threads == {"reading"}


async def test_a_run_is_opened_by_another_thread_unless_another_is_chosen(
    disk, tmp_path, monkeypatch
):
    file = tmp_path / "p.csv"
    file.write_text("1\n2\n4\n")
    invented("one", "naive-1d", 9, data__name=f"file:{file}")
    invented("two", "edm-1d", 9)
    found = {name: RunChoice(run_to_resume(name), "open") for name in ("one", "two")}
    disk.threads.clear()
    may, floors = threading.Event(), load.stage_floors

    def slow_floors(experiment):
        disk.threads.add(threading.current_thread().name)
        may.wait()
        return floors(experiment)

    monkeypatch.setattr(load, "stage_floors", slow_floors)
    async with lab("edm-moons") as driver:
        driver.app.windows.take_run(found["one"])
        await until_soon(lambda: disk.threads)
        assert "opening one" in driver.status
        driver.app.windows.take_run(found["two"])
        assert "opening two" in driver.status and driver.app.model.chosen == "edm-moons"
        may.set()
        await until_soon(lambda: driver.app.model.chosen == "edm-1d")
        await until_soon(lambda: not [t for t in threading.enumerate() if t.name == "reading"])
        await driver.pilot.pause(0.01)
        assert driver.app.model.chosen == "edm-1d" and "opening" not in driver.status
        assert driver.app.model.workspace.training.step == 9
    assert disk.threads == {"reading"}


async def test_the_lab_is_left_while_a_file_is_being_read(disk, tmp_path):
    release = disk.hold(slow := written(tmp_path / "slow.csv"))
    app = make_lab("edm-moons")
    async with running(app) as driver:
        driver.form.enter("data.name", f"file:{slow}")
        await until_soon(lambda: disk.files)
        driver.panel.focus()
        await driver.press("q")
        await until_soon(lambda: not app.is_running)
    release()


async def test_the_runs_are_read_by_another_thread_and_the_cursor_stays(monkeypatch):
    for name in ("one", "two", "three"):
        invented(name, "naive-1d", 9)
    readers: list[str] = []
    may, find = threading.Event(), screen.find_runs
    may.set()

    def slow_find():
        readers.append(threading.current_thread().name)
        may.wait()
        return find()

    monkeypatch.setattr(screen, "find_runs", slow_find)
    async with lab() as driver:
        await driver.press("r", "down")
        runs = driver.app.screen.query_one(RunList)
        here = runs.here.name
        assert len(runs.rows) == 3 and runs.cursor == 1
        may.clear()
        driver.app.screen._poll()
        await until_soon(lambda: len(readers) == 2)
        await driver.press("end", "home", "down", "space")
        assert runs.cursor == 2 and runs.marked, "keys are answered"
        await driver.press("up")
        invented("four", "naive-1d", 9)
        may.set()
        await until_soon(lambda: len(runs.rows) == 4)
        assert runs.here.name == here and len(runs.marked) == 1
    assert set(readers) == {"reading"}
