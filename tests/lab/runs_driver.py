"""Runs in a store, and the lab that lists and compares them."""

from contextlib import asynccontextmanager

import pytest

from tui_diffusion.lab.runs.compare.screen import CompareScreen
from tui_diffusion.lab.runs.compare.trajectory_pane import TrajectoryPane
from tui_diffusion.lab.session.evaluation import report
from tui_diffusion.lab.session.session import Session, keep_in_store

from .. import stored_runs as stored
from ..lab_driver import NARROW, WIDE, make_lab, running, until

SMALLEST = (60, 18)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW, SMALLEST], ids=["wide", "narrow", "small"])


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
