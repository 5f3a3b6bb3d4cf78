"""The lab's dialog that writes files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from textual.widgets import Input, Static

from tui_diffusion.core.files import remove_unfinished
from tui_diffusion.lab.runs.compare.screen import CompareScreen
from tui_diffusion.lab.runs.compare.subjects import Candidate
from tui_diffusion.lab.screens.export import ExportScreen
from tui_diffusion.lab.screens.exports import KINDS
from tui_diffusion.lab.widgets.choice_field import ChoiceField

from .. import stored_runs as stored
from ..lab_driver import Driver, lab, until


class Dialog:
    """The dialog, in the words of the tests."""

    def __init__(self, driver: Driver) -> None:
        self.workspace = driver

    @property
    def screen(self) -> ExportScreen:
        screen = self.workspace.app.screen
        assert isinstance(screen, ExportScreen)
        return screen

    def field(self, name: str) -> Input:
        return self.screen.query_one(f"#{name}", Input)

    def text(self, name: str) -> str:
        return str(self.screen.query_one(f"#{name}", Static).content)

    def choice(self, name: str) -> ChoiceField:
        return self.screen.query_one(f"#{name}", ChoiceField)

    async def says(self, *words: str) -> None:
        await until(lambda: all(word in self.text("message") for word in words), 30)

    async def closes(self, *words: str) -> None:
        """The dialog closes and a notice has these words."""
        app = self.workspace.app
        await until(lambda: not isinstance(app.screen, ExportScreen), 60)
        await until(
            lambda: any(
                all(word in notice.message for word in words) for notice in app._notifications
            ),
            10,
        )


@asynccontextmanager
async def dialog(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dialog]:
    monkeypatch.chdir(folder)
    async with lab("naive-1d", size=(80, 24)) as driver:
        await driver.press("e")
        await until(lambda: isinstance(driver.app.screen, ExportScreen))
        yield Dialog(driver)


async def test_arrows_choose_the_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dialog(tmp_path, monkeypatch) as it:
        seen = []
        for _ in KINDS:
            seen.append(Path(it.field("file").value).suffix)
            marked = [line for line in it.text("kinds").splitlines() if line.startswith("▸")]
            assert [line.split()[1] for line in marked] == seen[-1:]
            await it.workspace.press("down")
        assert seen == list(KINDS)
        await it.workspace.press("up")
        assert it.field("file").value == "naive-1d.py"
        it.field("file").value = "a.b.c"
        await it.workspace.press("down")
        assert it.field("file").value == "a.b.c.png"


async def test_options_of_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dialog(tmp_path, monkeypatch) as it:
        it.field("file").value = "naive-1d.gif"
        await it.workspace.pilot.pause()
        it.field("size").value = "320x240"
        it.field("fps").value, it.field("seconds").value = "5", "2"
        await it.workspace.press("enter")
        await it.closes("written: naive-1d.gif")
        with Image.open("naive-1d.gif") as trajectory:
            assert (trajectory.size, trajectory.n_frames) == ((320, 240), 10)


async def test_svg_is_the_lab_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dialog(tmp_path, monkeypatch) as it:
        it.field("file").value = "screen.svg"
        await it.workspace.pilot.pause()
        it.choice("show").action_turn(-1)
        assert it.choice("show").value == "the screen"
        await it.workspace.press("enter")
        await it.closes("written: screen.svg")
        text = "".join(ElementTree.parse("screen.svg").getroot().itertext()).replace("\xa0", " ")
        assert "level 10/10" in text
        assert "enter writes" not in text


async def test_wrong_values_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dialog(tmp_path, monkeypatch) as it:
        it.field("file").value = "naive-1d.gif"
        await it.workspace.pilot.pause()
        for name, value, wrong in (
            ("size", "big", "size: 'big' is not allowed; allowed: such as 640x480"),
            ("fps", "x", "fps: 'x' is not allowed; allowed: a number"),
            ("seconds", "1e9", "seconds: 1e+09 is not allowed; allowed: a number from 0.5 to 120"),
            ("file", "a.xyz", "a.xyz: suffix '.xyz' is not known; allowed: .gif"),
            ("file", "no/where.png", "its folder does not exist"),
        ):
            before = it.field(name).value
            it.field(name).value = value
            await it.workspace.press("enter")
            await it.says(wrong)
            it.field(name).value = before
        assert not list(tmp_path.iterdir())


async def test_enter_again_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text("mine")
    async with dialog(tmp_path, monkeypatch) as it:
        it.field("file").value = "mine.py"
        await it.workspace.press("enter")
        await it.says("mine.py: exists; allowed: a new file, or enter again")
        assert (tmp_path / "mine.py").read_text() == "mine"
        await it.workspace.press("enter")
        await it.closes("written: mine.py")
        assert "import torch" in (tmp_path / "mine.py").read_text()


async def test_what_is_shown_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with lab("naive-1d", size=(80, 24)) as driver:
        await driver.press("3", "v", "v", "left", "left", "e")
        it = Dialog(driver)
        assert it.choice("show").value == "pdf and cdf, level 8/10"
        assert it.choice("ground").value == "dark"
        it.field("file").value = "view.svg"
        await driver.pilot.pause()
        await driver.press("tab", "tab", "right")  # to the ground, and another
        assert it.choice("ground").value == "light"
        await driver.press("enter")
        await it.closes("written: view.svg")
        text = "".join(ElementTree.parse("view.svg").getroot().itertext())
        assert "level 8/10" in text
        assert "cdf of true data" in text
        assert "#ffffff" in Path("view.svg").read_text()
        assert driver.app.screen is driver.app.screen_stack[0]  # the next keys are the lab's


async def test_the_labs_theme_is_that_of_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with lab("naive-2d", size=(80, 24)) as driver:
        driver.app.theme = "textual-light"
        await driver.press("e")
        it = Dialog(driver)
        assert it.choice("ground").value == "light"
        it.field("size").value = "400x300"
        await driver.press("enter")
        await it.closes("written: naive-2d.png")
        with Image.open("naive-2d.png") as picture:
            assert picture.getpixel((1, 1)) == (255, 255, 255)


async def test_the_training_panel_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with lab("naive-1d", size=(80, 24)) as driver:
        await driver.press("2", "t")
        session = driver.app.model.session
        await until(lambda: session.training is not None and session.training.step > 10)
        await driver.press("x")
        await until(lambda: session.training is not None and not session.training.state.active)
        for name, words in (("loss.svg", "smoothed"), ("loss.csv", "step,loss")):
            await driver.press("e")
            it = Dialog(driver)
            it.field("file").value = name
            await driver.pilot.pause()
            assert it.choice("show").value == "loss curve"
            await driver.press("enter")
            await it.closes(f"written: {name}")
            assert words in Path(name).read_text()


async def test_an_export_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dialog(tmp_path, monkeypatch) as it:
        it.field("file").value = "long.mp4"
        await it.workspace.pilot.pause()
        it.field("seconds").value = "100"
        await it.workspace.press("enter")
        await it.says("/3000", "s left", "escape cancels")
        await it.workspace.press("escape")
        await it.says("Cancelled: nothing is written.")
        assert not list(tmp_path.iterdir())
        await it.workspace.press("escape")
        assert not isinstance(it.workspace.app.screen, ExportScreen)


async def test_leaving_the_lab_gives_an_export_up(tmp_path: Path, monkeypatch) -> None:
    async with dialog(tmp_path, monkeypatch) as it:
        it.field("file").value = "long.mp4"
        await it.workspace.pilot.pause()
        it.field("seconds").value = "100"
        await it.workspace.press("enter")
        await it.says("/3000")
        screen = it.screen
        it.workspace.app.exit(0)
    assert screen._cancelled.is_set()
    remove_unfinished(60)
    assert not list(tmp_path.iterdir())


async def test_a_comparison_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFFUSION_TUI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    sources = [Candidate(name, stored.run(name)) for name in ("one", "two")]
    async with lab("naive-1d", size=(80, 24)) as driver:
        screen = CompareScreen(sources)
        driver.app.push_screen(screen)
        await until(lambda: len(screen.trajectories) == 2 and screen.subjects)
        for name, show in (
            ("losses.svg", "losses"),
            ("films.svg", "denoising, side by side"),
            ("table.csv", "settings and results"),
        ):
            await driver.press("e")
            it = Dialog(driver)
            it.field("file").value = name
            await driver.pilot.pause()
            while it.choice("show").value != show:
                it.choice("show").action_turn(1)
            await driver.press("enter")
            await it.closes(f"written: {name}")
        for file in ("losses.svg", "films.svg"):
            text = "".join(ElementTree.parse(file).getroot().itertext())
            assert "A  one" in text and "B  two" in text
        assert Path("table.csv").read_text().startswith(",A  one,B  two")
