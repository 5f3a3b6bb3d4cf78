"""What is opened and closed, trained and resized, again and again, leaves nothing behind."""

import gc
import threading
from collections import Counter
from itertools import pairwise

import pytest

from ..lab_driver import NARROW, WIDE, Driver, lab, until
from ..stored_runs import invented

SCREENS = ("question_mark", "r", "c", "e", "a", "u", "d", "z", "ctrl+p")
"""The keys of all screens that escape leaves."""
ROUNDS = 4


def held() -> Counter[str]:
    """How many there are of every type of ours, and of the threads of a name."""
    gc.collect()
    types = (type(thing) for thing in gc.get_objects())
    ours = Counter(t.__qualname__ for t in types if t.__module__.startswith("tui_diffusion"))
    return ours + Counter(f"thread {thread.name}" for thread in threading.enumerate())


async def everything(driver: Driver) -> None:
    """Every screen, a training, other sizes, and a run opened; then rest."""
    app = driver.app
    for key in SCREENS:
        await driver.press(key)
        await until(lambda: len(app.screen_stack) == 2)
        await driver.press("escape")
        await until(lambda: len(app.screen_stack) == 1)
    await driver.press("t")
    await driver.state("finished")
    await driver.trajectory("network")
    await driver.pilot.resize_terminal(*NARROW)
    await driver.pilot.resize_terminal(*WIDE)
    await driver.press("r", "enter")
    await until(lambda: len(app.screen_stack) == 1 and not app.updates._reader.busy)
    await driver.trajectory("network")
    await until(lambda: not driver.panel._canvas.scout.busy)
    # The levels are measured one after the other, in the background.
    await until(lambda: driver.panel.trajectory.next_to_measure(0) is None)
    app.model.session._make_trainer.made.clear()


@pytest.mark.slow
async def test_what_is_closed_or_has_ended_leaves_neither_object_nor_thread():
    invented("kept", "naive-1d", 60)
    async with lab() as driver:
        counts = []
        for _ in range(ROUNDS):
            await everything(driver)
            counts.append(held())
        # What is on its way comes and goes; a leak grows every time.
        steps = [after - before for before, after in pairwise(counts)]
        assert not set.intersection(*map(set, steps))
