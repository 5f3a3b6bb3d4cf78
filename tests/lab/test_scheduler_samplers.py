"""The lab with a scheduler of diffusers as its sampler."""

import sys
import threading

import pytest
from textual.widgets import Static

from tui_diffusion.core import diffusers_step

from ..lab_driver import lab, until

pytest.importorskip("diffusers")
NAME = "diffusers:UniPC"


async def test_it_is_chosen_drawn_and_shown_without_the_event_loop_loading_it(monkeypatch):
    loaders = set()
    real = diffusers_step.scheduler_class

    def loaded(name):
        loaders.add(threading.current_thread())
        return real(name)

    monkeypatch.setattr(diffusers_step, "scheduler_class", loaded)
    async with lab("edm-multimodal", sampling__sampler="langevin") as driver:
        await driver.press("i")
        driver.form.focus()
        driver.form.select("sampling.sampler")
        await driver.press(*["full_stop"] * 8, "comma")  # after those built in, in their order
        await until(lambda: driver.app.model.workspace.experiment.sampling.sampler == NAME)
        await driver.press("enter")
        await until(lambda: "diffusers:DPMSolverSDE" in driver.screen)
        await driver.press("escape")
        await until(lambda: loaders)
        await driver.trajectory("ideal")
        assert NAME in driver.screen and "level 20/20" in driver.screen
        await driver.press("c")
        await until(lambda: "this_order" in sources(driver))
        assert "def scheduler_step(" in sources(driver)
        await driver.press("escape")
        monkeypatch.setitem(sys.modules, "diffusers", None)
        await driver.press("c")
        await until(lambda: "needs diffusers; allowed: pip install" in sources(driver))
        await driver.press("escape")
    assert loaders and threading.main_thread() not in loaders


def sources(driver) -> str:
    """All that the window holds."""
    return "\n".join(str(widget.content) for widget in driver.app.screen.query(Static))
