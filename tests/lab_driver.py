"""The lab under a pilot, with trainings that compute nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.pilot import Pilot

from tui_diffusion.lab.app import Lab
from tui_diffusion.lab.panels.denoising import DenoisingPanel
from tui_diffusion.lab.panels.experiments import ExperimentList
from tui_diffusion.lab.panels.form.form import Form
from tui_diffusion.lab.panels.training import LossPanel
from tui_diffusion.lab.session.session import Session
from tui_diffusion.lab.widgets.text_line import TextLine

from .changed import changed
from .fakes import FakeTrainer, FakeTrainers

WIDE, NARROW = (120, 40), (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])

_CHARACTERS = {"full_stop": ".", "minus": "-", "plus": "+", "space": " ", "question_mark": "?",
               "left_square_bracket": "[", "right_square_bracket": "]", "comma": ","}  # fmt: skip
"""Keys with a name that write a character."""


async def until(condition: Callable[[], object], seconds: float = 120) -> None:
    """Let the lab run until this holds and is drawn; else fail with what the labs show."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "\n".join(["waited in vain", *map(_shown, _running)])
        await asyncio.sleep(0.01)
    for driver in _running:
        await driver.pilot.pause(0)


_running: list[Driver] = []
"""The labs before a person now, for the message of a wait in vain."""


def _shown(driver: Driver) -> str:
    """The screen of a lab, and what it is at."""
    sampling = driver.app.model.sampling
    return f"{driver.screen}\n{'sampling' if sampling.busy else 'at rest'}"


def make_lab(
    name="naive-1d",
    *,
    trainers=None,
    glyphs="braille",
    colours="truecolour",
    points="200",
    **settings,
) -> Lab:
    """A lab whose trainings are fake; ``data__std="0.1"`` sets ``data.std``."""
    app = Lab(changed(name, sampling__points=points, **settings), glyphs=glyphs, colours=colours)
    trainers = trainers if trainers is not None else FakeTrainers()
    app.model.session = Session(app._notify, trainers, lambda experiment: ((0, FakeTrainer.FLOOR),))
    return app


class Driver:
    """What a person sees and does, in the words of the tests."""

    def __init__(self, app: Lab, pilot: Pilot) -> None:
        self.app, self.pilot = app, pilot

    async def press(self, *keys: str) -> None:
        """These keys, and whatever follows from them at once.

        Not `Pilot.press`, which waits for an idle process, and with threads at work a second a key.
        """
        for key in keys:
            screens = len(self.app.screen_stack)
            self.type(key)
            await self.pilot.pause(0)
            await self.pilot.pause(0.01)
            if len(self.app.screen_stack) > screens:  # the next key is for the window
                await until(lambda: self.app.screen.is_mounted)
                await self.pilot.pause(0)

    def type(self, *keys: str) -> None:
        """These keys, all at once, before the lab has answered any of them."""
        for key in keys:
            event = events.Key(key, key if len(key) == 1 else _CHARACTERS.get(key))
            event.set_sender(self.app)
            self.app._driver.send_message(event)

    async def trajectory(self, source: str = "forward") -> None:
        """Wait for points of this source."""
        await until(
            lambda: (
                self.panel.trajectory is not None
                and self.panel.trajectory.request
                == self.app.model.workspace.request(live=self.panel.trajectory.request.live)
                and self.panel.trajectory.request.source == source
                and not self.app.model.sampling.busy
            )
        )
        await self.pilot.pause(0.01)

    async def state(self, state: str) -> None:
        """Wait for this word in the status line."""
        await until(lambda: state in self.status.split())
        await self.pilot.pause(0.01)

    async def level(self, level: int, levels: int) -> None:
        """Wait for this level in the title."""
        await until(lambda: f"level {level}/{levels} " in f"{self.title} ")

    async def edit(self, path: str, text: str) -> None:
        """Put a text into a field by keyboard."""
        self.form.select(path)
        self.form.focus()
        await self.press("enter")
        await self.press("end", "ctrl+u", *(_key(character) for character in text), "enter")
        # From the text to the form to the lab: a message each.
        for _ in range(3):
            await self.pilot.pause(0)

    @property
    def panel(self) -> DenoisingPanel:
        return self.app.screen_stack[0].query_one(DenoisingPanel)

    @property
    def loss(self) -> LossPanel:
        return self.app.screen_stack[0].query_one(LossPanel)

    @property
    def form(self) -> Form:
        return self.app.screen_stack[0].query_one(Form)

    @property
    def title(self) -> str:
        """The title of the denoising panel."""
        return str(self.panel.border_title)

    @property
    def subtitle(self) -> str:
        return str(self.panel.border_subtitle)

    @property
    def banner(self) -> str:
        """What the banner over the loss says, where it shows."""
        banner = self.loss.query_one(".banner")
        return str(banner.content) if banner.display else ""

    @property
    def status(self) -> str:
        """The status line."""
        return self.app.screen_stack[0].query_one("#status", TextLine).lines[0].text

    @property
    def screen(self) -> str:
        """All that is on the screen."""
        return "\n".join(s.text for s in self.app.screen._compositor.render_strips())


def _key(character: str) -> str:
    return {value: key for key, value in _CHARACTERS.items()}.get(character, character)


def _of_the_lab(threads: set[threading.Thread]) -> list[threading.Thread]:
    """Those that have to end: not of a test's executor, nor of a file that does not answer."""
    others = ("ThreadPoolExecutor", "reading")
    return [t for t in threads if t.daemon and not t.name.startswith(others)]


@asynccontextmanager
async def running(app: Lab, size=WIDE) -> AsyncIterator[Driver]:
    """This lab before a person; once it is left, all its threads have ended."""
    before = set(threading.enumerate())
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            _running.append(Driver(app, pilot))
            try:
                yield _running[-1]
            finally:
                _running.pop()
    finally:
        for trainer in getattr(app.model.session._make_trainer, "made", ()):
            trainer.allow()
        await until(app.close_workers)
        await until(lambda: not _of_the_lab(set(threading.enumerate()) - before))


@asynccontextmanager
async def lab(*args, size=WIDE, **options) -> AsyncIterator[Driver]:
    """`make_lab` running, with its first film there."""
    async with running(make_lab(*args, **options), size) as driver:
        await driver.trajectory()
        yield driver


async def focus(driver, where):
    """Put the focus on a widget, or on none."""
    screen = driver.app.screen
    match where:
        case "experiments":
            screen.query_one(ExperimentList).focus()
        case "form":
            driver.form.focus()
        case "denoising":
            driver.panel.focus()
        case "training":
            driver.loss.focus()
        case "nothing":
            screen.set_focus(None)
    await driver.pilot.pause(0.01)
