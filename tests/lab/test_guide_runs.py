"""Another run as the guide in the lab: taken, gone, and a run that names it exactly."""

from __future__ import annotations

import shutil

import pytest

from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.run import open_run, save_run
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.lab.app import Lab

from ..changed import changed
from ..lab_driver import running, until
from ..trainings import short, trained


@pytest.mark.slow
async def test_a_guide_that_vanishes_is_a_line_and_leaves_no_points_of_other_settings(home):
    weak = trained(short("edm-moons", 5, **{"network.width": 8}))
    save_run(store() / "weak-one", weak, "finished")
    quick = {"sampling__points": "60", "sampling__levels": "4", "training__steps": "20"}
    app = Lab(changed("edm-classes", device="cpu", network__width="8", **quick))
    async with running(app) as driver:
        await driver.trajectory()
        await driver.edit("sampling.guide", "weak")
        await driver.press("t")
        await until(lambda: app.model.workspace.training.metrics)
        run = next(run for run in list_runs() if run.folder.name != "weak-one")
        assert open_run(run.folder).experiment.sampling.guide == "weak-one"
        await driver.edit("sampling.guidance", "5")
        await driver.trajectory("network")
        shutil.rmtree(store() / "weak-one")
        await driver.edit("sampling.guidance", "6")
        await until(lambda: driver.panel.trajectory is None)
        text = " ".join(driver.screen.split())
        assert "cannot be sampled: sampling.guide: run 'weak-one' does not exist" in text
        await driver.edit("training.steps", "30")
        await driver.press("t")
        await until(lambda: "Not trained" in driver.screen)
        await driver.edit("sampling.guide", "no-label")
        await driver.press("t")
        await until(lambda: app.model.workspace.training.step == 30)
        await driver.trajectory("network")
        await driver.edit("sampling.label", "1")
        await driver.edit("data.name", "ring")
        await driver.trajectory()
        assert app.model.workspace.experiment.sampling.label == "all"
