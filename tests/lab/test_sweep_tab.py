"""The sweep's tab: from the fields to results, live, and what can be done with them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.lab_driver import NARROW, WIDE, lab, until
from tests.sweeps import Inline, carried_out, small
from tui_diffusion.core.sweeps.store import list_sweeps, read_sweep, sweep_folders
from tui_diffusion.lab.runs.compare.screen import CompareScreen
from tui_diffusion.lab.screens.export import ExportScreen
from tui_diffusion.lab.sweeps.prompts import LeavePrompt, SweepList, SweepsScreen
from tui_diffusion.lab.sweeps.runner import SweepRunner

SHORT = {"training__steps": "20", "points": "40", "device": "cpu"}


class Gate(ThreadPoolExecutor):
    """Trains one training after the other, each once it is let through."""

    def __init__(self):
        super().__init__(1)
        self.names, self._gate = [], threading.Semaphore(0)

    def open(self, count=1):
        self._gate.release(count)

    def submit(self, function, /, *arguments, **more):
        self.names.append(arguments[0].name)

        def work():
            self._gate.acquire()
            return function(*arguments, **more)

        return super().submit(work)


async def opened(driver, executor=None):
    """Open the tab; what it trains is trained in this process."""
    await driver.press("4")
    await until(lambda: driver.app.sweeps is not None and driver.app.sweeps.panel.has_focus)
    sweeps = driver.app.sweeps
    sweeps._make = partial(SweepRunner, engine=executor or Inline())
    await until(lambda: driver.app.model.loaded)
    return sweeps


def notices(driver):
    return " ".join(notice.message for notice in driver.app._notifications)


async def vary(driver, path, text):
    driver.form.select(path)
    driver.form.focus()
    await driver.press("asterisk")
    await driver.press("end", "ctrl+u")
    await driver.press(*(("comma" if c == "," else c) for c in text), "enter")
    await driver.pilot.pause(0.01)


async def planned(driver, trainings):
    await until(lambda: (plan := driver.app.sweeps.panel.plan) and plan.sweep
                and len(plan.sweep.trainings()) == trainings)  # fmt: skip


async def finished(driver):
    panel = driver.app.sweeps.panel
    await until(lambda: panel.runner is not None and not panel.runner.active)
    await until(lambda: panel.ranking is not None and panel.details is not None)
    await driver.pilot.pause(0.01)


@pytest.mark.parametrize("size", [NARROW, pytest.param(WIDE, marks=pytest.mark.slow)])
async def test_fields_become_axes_and_cells_become_trainings(home, size):
    async with lab(size=size, **SHORT) as driver:
        sweeps = await opened(driver)
        panel = sweeps.panel
        await until(lambda: "* on a field gives it values" in driver.screen)
        await driver.press("1")
        await vary(driver, "network.width", "4,8")
        await vary(driver, "training.lr", "0.001,0.01")
        await vary(driver, "seed", "2")
        await planned(driver, 8)
        assert "3 varied" in str(driver.form.border_subtitle)
        await driver.press("4")
        await until(lambda: "4 cells × 2 seeds: 8 trainings, about" in driver.screen)
        await driver.press("t")
        await finished(driver)
        await until(lambda: "8/8 trainings  4/4 cells" in driver.screen)
        assert [one.state for one in list_sweeps()] == ["finished"]
        assert panel.results.stored.name in str(panel.border_title)

        # the cursor, its trainings and the level
        first = panel.details
        assert len(first.losses) == 2 and first.trajectory is not None
        await driver.press("right", "up")
        assert panel.cursor == 3 and "width=8 lr=0.01" in driver.screen
        await until(lambda: panel.details is not first and panel.details.request.cell == 3)
        level = driver.panel.level
        await driver.press("h")
        assert driver.panel.level == level - 1
        await driver.press("n")
        await until(lambda: panel.details.request.shown == 1)

        # measures
        await driver.press("v")
        assert panel.measure == panel.results.measures[1] and panel.border_subtitle
        await driver.press("V")
        assert panel.measure == "energy_distance"

        # marks and the comparison
        await driver.press("space", "left", "space", "d")
        await until(lambda: isinstance(driver.app.screen, CompareScreen))
        await until(lambda: len(driver.app.screen.subjects) == 2)
        assert [s.name for s in driver.app.screen.subjects] == [
            "width=8 lr=0.01", "width=4 lr=0.01",
        ]  # fmt: skip
        await driver.press("q")

        # the export
        await driver.press("e")
        await until(lambda: isinstance(driver.app.screen, ExportScreen))
        await driver.press("escape")

        # as the lab's training
        await driver.press("enter")
        workspace = driver.app.model.workspace
        await until(lambda: driver.app.model.workspace.training is not None)
        workspace = driver.app.model.workspace
        await until(lambda: driver.app.main.tab == "denoising")
        assert (workspace.experiment.network.width, workspace.experiment.training.lr) == (4, 0.01)
        assert workspace.training.run.parent == panel.results.stored.folder
        assert len(workspace.variation.axes) == 2  # the next sweep is still that of the form


async def test_a_sweep_is_drawn_as_its_cells_get_done_and_stops_and_goes_on(home):
    async with lab(size=NARROW, **SHORT) as driver:
        gate = Gate()
        sweeps = await opened(driver, gate)
        panel = sweeps.panel
        await driver.press("1")
        await vary(driver, "network.width", "4,8,16")
        await planned(driver, 3)
        await driver.press("4", "t")
        gate.open()
        await until(lambda: "1/3 trainings" in driver.screen and panel.details is not None)
        assert [result.done for result in panel.results.cells] == [1, 0, 0]
        await driver.press("t")  # a second one
        await until(lambda: "one at a time" in notices(driver))
        await driver.press("x")
        gate.open(9)
        await until(lambda: not sweeps.runner.active)
        await until(lambda: "stopped: p goes on" in driver.screen)
        done = read_sweep(panel.results.stored.folder)
        missing = len(done.missing(done.sweep.trainings()))
        assert 0 < missing < 3
        before = list(gate.names)
        await driver.press("p")
        await until(lambda: "3/3 trainings" in driver.screen and not sweeps.runner.active)
        assert len(gate.names) - len(before) == missing  # nothing is done twice
        await driver.press("p")
        await until(lambda: "Every training of this sweep is done" in notices(driver))


@pytest.mark.parametrize(
    "key", ["g", *(pytest.param(key, marks=pytest.mark.slow) for key in ("escape", "x"))]
)
async def test_leaving_asks_what_becomes_of_the_sweep(home, monkeypatch, key):
    detached = []
    monkeypatch.setattr(
        "tui_diffusion.lab.sweeps.detached.go_on_alone",
        lambda folder: detached.append(folder) or "goes on",
    )
    async with lab(size=NARROW, **SHORT) as driver:
        gate = Gate()
        sweeps = await opened(driver, gate)
        await driver.press("1")
        await vary(driver, "network.width", "4,8")
        await planned(driver, 2)
        await driver.press("4", "t")
        gate.open()
        await until(lambda: "1/2 trainings" in driver.screen)
        await driver.press("q")
        await until(lambda: isinstance(driver.app.screen, LeavePrompt))
        await driver.press(key)
        gate.open(9)
        if key == "escape":
            assert driver.app.is_running
            await until(lambda: "2/2 trainings" in driver.screen and not sweeps.runner.active)
            await driver.press("q")
            await until(lambda: not driver.app.is_running)
            assert driver.app.farewell == "" and not detached
            return
        await until(lambda: driver.app.farewell)
        folder = sweeps.runner.folder
        assert detached == ([folder] if key == "g" else [])
        assert f"sweep --resume {folder.name}" in driver.app.farewell or key == "g"


@pytest.mark.slow
async def test_a_sweep_on_disk_is_opened_with_any_number_of_axes(home):
    carried_out(small("network.width=4,8", "training.lr=1e-3,1e-2", "network.depth=1,2", seeds=1))
    carried_out(small("network.width=4,8,16", seeds=2))
    async with lab(size=NARROW, **SHORT) as driver:
        sweeps = await opened(driver)
        for downs, shown, titles in ((0, 3, ("network.width", "[4]")), (1, 8, ("training.lr",))):
            await driver.press("o")
            await until(lambda: isinstance(driver.app.screen, SweepsScreen))
            await until(lambda: driver.app.screen.query_one(SweepList).rows)
            await driver.press(*["down"] * downs, "enter")
            await until(lambda n=shown: sweeps.panel.results is not None
                        and len(sweeps.panel.results.cells) == n)  # fmt: skip
            await until(lambda: sweeps.panel.details is not None)
            await driver.pilot.pause(0.01)
            for title in titles:
                assert title in driver.screen


async def test_a_sweep_on_disk_is_renamed_and_removed_after_a_yes(home):
    first = carried_out(small("network.width=4,8", seeds=1)).stored.folder
    second = carried_out(small("network.depth=1,2", seeds=1)).stored.folder
    async with lab(size=NARROW, **SHORT) as driver:
        await opened(driver)
        await driver.press("o")
        await until(lambda: isinstance(driver.app.screen, SweepsScreen))
        await until(lambda: "finished" in driver.screen)
        await driver.press("m", "ctrl+u", *"depths", "enter")
        await until(lambda: "depths" in driver.screen)
        assert [found.name for found in sweep_folders()] == ["depths", first.name]
        await driver.press("m", "ctrl+u", *first.name, "enter")
        await until(lambda: "is taken" in driver.screen)
        await driver.press("x", *"no", "enter")
        await driver.press("x", *"yes", "enter")
        await until(lambda: "depths" not in driver.screen)
        assert [found.name for found in sweep_folders()] == [first.name]
        await driver.press("x", "escape", "escape")
        await until(lambda: not isinstance(driver.app.screen, SweepsScreen))
    assert not second.exists() and first.exists()


async def test_without_an_axis_nothing_starts_and_a_wrong_one_is_named(home):
    async with lab(size=NARROW, **SHORT) as driver:
        await opened(driver)
        await until(lambda: driver.app.sweeps.panel.plan is not None)
        await driver.press("t")
        await until(lambda: "no field varies" in notices(driver))
        for key in ("space", "v", "n", "enter", "d", "p", "x", "left", "up"):
            await driver.press(key)
        await driver.press("e")
        await until(lambda: "no sweep shows" in notices(driver))
        await driver.press("1")
        await vary(driver, "network.width", "4,x")
        assert "a whole number from 1" in str(driver.form.model.fault("network.width"))
        assert "'x' is not allowed" in driver.screen
        assert driver.app.model.workspace.variation.axes == {}
