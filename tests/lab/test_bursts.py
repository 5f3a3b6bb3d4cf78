"""Keys in bursts: they wait for a screen that is being built; none fails in one that is left."""

import asyncio
import random
from collections.abc import Callable

import pytest
from textual import events
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widget import Widget

from tui_diffusion.lab.messages import RequestFailed, SessionUpdate, TrajectoryReady
from tui_diffusion.lab.output.screens import CommandMenu
from tui_diffusion.lab.runs.run_list import RunList
from tui_diffusion.lab.runs.screen import RunsScreen
from tui_diffusion.lab.screens.help import HelpScreen

from ..lab_driver import NARROW, WIDE, lab, until
from ..stored_runs import invented

BURSTS = (
    ("r", "escape"),
    ("r", "right_square_bracket", "down", "escape"),
    ("r", "d", "escape", "escape"),
    ("d", "1", "h", "home", "escape"),
    ("d", "f", "u", "q"),
    ("ctrl+p", "v", "d", "escape"),
    ("ctrl+p", "escape"),
    ("question_mark", "ctrl+p", "escape", "escape"),
    ("question_mark", "3", "d", "escape", "escape"),
)
KEYS = (
    *"rdhl123fuvacejzotpxmgyn",
    *("escape", "ctrl+p", "question_mark", "home", "end", "enter", "down", "up", "tab", "space"),
)


@pytest.fixture
def slowly(monkeypatch) -> None:
    """Screens that take long to build, as beside other load."""
    compose = Widget._compose

    async def later(self: Widget) -> None:
        if isinstance(self, Screen):
            await asyncio.sleep(0.05)
        await compose(self)

    monkeypatch.setattr(Widget, "_compose", later)


async def test_a_key_waits_for_the_screen_that_it_is_for(slowly):
    """The screen is opened as another one closes, for which Textual itself does not wait."""
    for number, preset in enumerate(("naive-1d", "naive-2d")):
        invented(f"run-{number}", preset, 50)
    async with lab() as driver:

        async def burst(opens: Callable[[], object], *keys: str) -> None:
            driver.app.call_next(opens)
            for key in ("f1", *keys):  # the first one comes before it
                event = events.Key(key, None)
                event._set_forwarded()  # it has gone up from a widget of the screen below
                driver.app.post_message(event)
            await until(lambda: not driver.app._message_queue.qsize())
            await driver.pilot.pause(0)

        await burst(driver.app.windows.action_runs, "end", "space")
        runs = driver.app.screen.query_one(RunList)
        assert runs.marked == [runs.rows[1].folder]
        await driver.press("escape")
        for opens in (driver.app.windows.action_runs, driver.app.action_command_palette):
            await burst(opens, "down", "escape")
            await until(lambda: len(driver.app.screen_stack) == 1)


async def test_nothing_fails_in_a_screen_that_is_left():
    """A callback, a timer and a worker, each of which looks for what is no longer there."""
    looked = []

    def look() -> None:
        looked.append(1)
        screen.query_one("#none")

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:  # as Textual's palette takes it
            look()

    async with lab(size=NARROW) as driver:
        for screen in (RunsScreen(plain=False), CommandMenu(), HelpScreen([])):
            before = len(looked)
            driver.app.push_screen(screen)
            await until(lambda screen=screen: screen.is_mounted)
            with pytest.raises(NoMatches):  # where it should be there, that it is not is a defect
                await screen._dispatch_message(events.Callback(look))
            screen.run_worker(work)
            await driver.pilot.pause(0)
            screen.call_after_refresh(look)
            screen.call_later(look)
            driver.app.pop_screen()
            await screen._dispatch_message(events.Callback(look))
            await until(lambda screen=screen: not screen.is_running)
            await until(lambda before=before: len(looked) >= before + 4)
        await driver.press("right")
        assert driver.app.screen.is_running


async def test_nothing_fails_in_a_lab_that_is_taken_down(monkeypatch):
    """Its widgets go first, then its screens; keys and messages arrive until the last has gone."""
    sent = (*KEYS, *KEYS)  # the second time from other tabs
    async with lab() as driver:
        app, trajectory = driver.app, driver.panel.trajectory
        close_all = app._close_all

        async def last_moments() -> None:
            await app._prune(*app.main.children)
            driver.type(*sent)
            for message in (
                SessionUpdate(),
                TrajectoryReady(trajectory),
                RequestFailed(ValueError("no")),
            ):
                app.post_message(message)
            app.call_later(app.guidance.end)
            app.call_later(app.updates.show_workspace)
            app.call_later(app.main.fit, app.size)
            await until(lambda: app._exception or not app._message_queue.qsize())
            await close_all()

        monkeypatch.setattr(app, "_close_all", last_moments)
    # to leave raises what has failed


async def test_the_lab_goes_on_after_a_message_that_came_too_early(slowly):
    """What looks into the screen on top, which is only being built, finds nothing there."""
    async with lab(size=NARROW) as driver:
        app, looked = driver.app, []

        def look() -> None:
            looked.append(app.screen.is_mounted)
            app.screen.query_one("#none")

        app.call_next(app.windows.action_help)
        app.call_later(look)
        await until(lambda: looked)
        assert looked == [False]
        await until(lambda: app.screen.is_mounted)
        await driver.press("escape")
        await until(lambda: app.screen is app.main)
        await driver.press("home")
        await driver.level(0, 10)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_any_keys_in_bursts(seed):
    chance = random.Random(seed)
    for number, preset in enumerate(("naive-1d", "naive-2d")):
        invented(f"run-{number}", preset, 50)
    async with lab(size=chance.choice((WIDE, NARROW))) as driver:
        for _ in range(60):
            some = [chance.choice(KEYS) for _ in range(chance.randint(2, 5))]
            for key in chance.choice((*BURSTS, some)):
                driver.type(key)
                if chance.random() < 0.3:
                    await asyncio.sleep(chance.choice((0, 0.001, 0.01)))
            await asyncio.sleep(chance.choice((0, 0.02, 0.1)))
            while len(driver.app.screen_stack) > 1 and chance.random() < 0.9:
                await driver.press("escape")
            if driver.app._exit:  # some q was for the lab
                break
