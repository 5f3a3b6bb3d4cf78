"""The lab's dialog that writes files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from textual.widgets import Input, Static

from tui_diffusion.lab.exporting import KINDS, ExportScreen

from .pilots import Bench, lab, until


class Dialog:
    """The dialog, in the words of the tests."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    @property
    def screen(self) -> ExportScreen:
        screen = self.bench.app.screen
        assert isinstance(screen, ExportScreen)
        return screen

    def field(self, name: str) -> Input:
        return self.screen.query_one(f"#{name}", Input)

    def text(self, name: str) -> str:
        return str(self.screen.query_one(f"#{name}", Static).content)

    async def says(self, *words: str) -> None:
        await until(lambda: all(word in self.text("told") for word in words), 30)


@asynccontextmanager
async def dialog(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dialog]:
    monkeypatch.chdir(folder)
    async with lab("naive-1d", size=(80, 24)) as bench:
        await bench.press("e")
        await until(lambda: isinstance(bench.app.screen, ExportScreen))
        yield Dialog(bench)


async def test_arrows_choose_the_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dialog(tmp_path, monkeypatch) as it:
        seen = []
        for _ in KINDS:
            seen.append(Path(it.field("file").value).suffix)
            marked = [line for line in it.text("kinds").splitlines() if line.startswith("▸")]
            assert [line.split()[1] for line in marked] == seen[-1:]
            await it.bench.press("down")
        assert seen == list(KINDS)
        await it.bench.press("up")
        assert it.field("file").value == "naive-1d.py"
        it.field("file").value = "a.b.c"
        await it.bench.press("down")
        assert it.field("file").value == "a.b.c.gif"


async def test_options_of_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dialog(tmp_path, monkeypatch) as it:
        it.field("size").value = "200x150"
        it.field("fps").value, it.field("seconds").value = "5", "2"
        await it.bench.press("enter")
        await it.says("written: naive-1d.gif")
        with Image.open("naive-1d.gif") as film:
            assert (film.size, film.n_frames) == ((200, 150), 10)


async def test_svg_is_the_lab_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dialog(tmp_path, monkeypatch) as it:
        it.field("file").value = "screen.svg"
        await it.bench.press("enter")
        await it.says("written: screen.svg")
        text = "".join(ElementTree.parse("screen.svg").getroot().itertext()).replace("\xa0", " ")
        assert "level 10/10" in text
        assert "enter writes" not in text


async def test_wrong_values_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dialog(tmp_path, monkeypatch) as it:
        for name, value, wrong in (
            ("size", "big", "size: 'big' is not allowed; allowed: such as 640x480"),
            ("fps", "x", "fps: 'x' is not allowed; allowed: a number"),
            ("seconds", "1e9", "seconds: 1e+09 is not allowed; allowed: a number from 0.5 to 120"),
            ("file", "a.xyz", "a.xyz: suffix '.xyz' is not known; allowed: .gif"),
            ("file", "no/where.png", "its folder does not exist"),
        ):
            before = it.field(name).value
            it.field(name).value = value
            await it.bench.press("enter")
            await it.says(wrong)
            it.field(name).value = before
        assert not list(tmp_path.iterdir())


async def test_enter_again_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text("mine")
    async with dialog(tmp_path, monkeypatch) as it:
        it.field("file").value = "mine.py"
        await it.bench.press("enter")
        await it.says("mine.py: exists; allowed: a new file, or enter again")
        assert (tmp_path / "mine.py").read_text() == "mine"
        await it.bench.press("enter")
        await it.says("written: mine.py")
        assert "import torch" in (tmp_path / "mine.py").read_text()
