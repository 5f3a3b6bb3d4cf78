"""Every number on the screen has a name, and every name a meaning."""

import re
from dataclasses import fields

import pytest

from tui_diffusion.core.analysis.attribution import Attribution
from tui_diffusion.core.analysis.glossary import GLOSSARY, meaning, of_key
from tui_diffusion.core.analysis.loss_floor import LevelLoss
from tui_diffusion.core.analysis.metrics import Quality
from tui_diffusion.core.analysis.report import training_report
from tui_diffusion.core.analysis.start_mismatch import StartMismatch
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.writer import save_run
from tui_diffusion.interface.gpus import Gpu
from tui_diffusion.lab.panels.training import LOSS_VIEWS
from tui_diffusion.lab.screens.numbers import (
    DENOISING,
    GPU,
    LOSS,
    PICTURE,
    STATUS,
    AskScreen,
    NumberList,
    places,
    read,
)
from tui_diffusion.lab.widgets.canvas import Canvas
from tui_diffusion.lab.widgets.text_line import TextLine

from ..cases import for_each
from ..fakes import FakeTrainers
from ..lab_driver import NARROW, WIDE, lab, until
from ..trainings import trained

NAMES = r"naive-\dd|ddpm-\dd[\w-]*|edm-\dd|gaussian-\dd|x0_hat|diffusion-tui"
"""What has a digit and is no number."""


def test_every_pattern_reads_a_number_with_a_meaning():
    for patterns in (STATUS, DENOISING, PICTURE, LOSS, GPU):
        for name, pattern in patterns:
            assert re.compile(pattern).groups == 1
            assert meaning(name).about.endswith(".")


@for_each("kind", [Quality, LevelLoss, Attribution, StartMismatch])
def test_every_figure_of_evaluate_has_a_meaning(kind):
    for field in fields(kind):
        assert of_key(field.name).about
    assert of_key("amplification") is not of_key("amplification_out")


def test_no_name_and_no_key_means_two_things():
    names = [name for entry in GLOSSARY.values() for name in (entry.name, *entry.also)]
    keys = [key for entry in GLOSSARY.values() for key in entry.keys]
    assert len(names) == len(set(names))
    assert len(keys) == len(set(keys))


def test_what_is_exact_is_read_from_the_line_below():
    here, exact = " here  mean (1.0, nan)  std 0.1   ", " exact mean (0.5, 2.0)  std 1e-05"
    mean, std = read(here, DENOISING, exact)
    assert (mean.name, mean.value, mean.below) == ("mean", "(1.0, nan)", "exact (0.5, 2.0)")
    assert (std.value, std.below) == ("0.1", "exact 1e-05")


def left(text, patterns):
    """The digits on a line that nobody can ask about."""
    spans = [match.span(1) for _, pattern in patterns for match in re.finditer(pattern, text)]
    rest = "".join(c for at, c in enumerate(text) if not any(a <= at < b for a, b in spans))
    return re.findall(r"\d", re.sub(NAMES, "", rest))


def nothing_is_left(driver):
    """Every number on the lines of text now shown is read."""
    app, panel, loss = driver.app, driver.panel, driver.loss
    assert not left(driver.status, STATUS), driver.status
    for part in (panel, loss):
        titles = f"{part.border_title}  {part.border_subtitle}"
        assert not left(titles, DENOISING if part is panel else LOSS), titles
    for name in ("#numbers", "#goals"):
        text = app.screen.query_one(name, TextLine).lines[0].text
        assert not left(text, DENOISING), text
    if loss.view != "loss" and loss.diagnosis is not None:
        lines = [line.text for line in loss.query_one(Canvas).lines]
        note = lines if loss.view == "error" else lines[-1:]
        assert not left("\n".join(note), LOSS), note
    if panel.view in ("pdf and cdf", "paths"):
        lines = [line.text for line in panel.query_one("#trajectory", Canvas).lines]
        note = lines[-1] if panel.view == "pdf and cdf" else lines[0]
        assert not left(note, PICTURE), note


@pytest.mark.parametrize(
    ("name", "size"),
    [("naive-1d", WIDE), ("ddpm-multimodal", NARROW), ("ddpm-1d-per-level", WIDE)],
)
async def test_no_number_on_the_screen_is_left_without_a_meaning(name, size):
    async with lab(name, size=size) as driver:
        nothing_is_left(driver)
        await driver.press("t")
        await driver.state("finished")
        await driver.trajectory("network")
        nothing_is_left(driver)
        for keys in (["home"], ["k"], ["l"], ["k"] * 8, ["space"], ["i"], ["i"]):
            await driver.press(*keys)
            nothing_is_left(driver)
        for _ in range(6):
            await driver.press("v")
            nothing_is_left(driver)
        await driver.press("2")
        for view in LOSS_VIEWS[1:]:
            await driver.press("o")
            await until(
                lambda: driver.loss.diagnosis is not None and not driver.app.model.diagnoses.busy
            )
            await until(
                lambda view=view: driver.loss.view == view and driver.loss.has_class("drawn")
            )
            await driver.pilot.pause(0.05)
            nothing_is_left(driver)
            readings = dict(
                places(
                    driver.panel, driver.loss, *(driver.app.screen.query_one(f"#{line}", TextLine)
                    for line in ("status", "gpu"))
                )
            )["Training"]  # fmt: skip
            assert len(readings) >= 3, view


async def test_the_numbers_of_a_training_under_way():
    trainers = FakeTrainers(limit=300)
    async with lab("naive-1d", trainers=trainers) as driver:
        await driver.press("t")
        await driver.state("training")
        await until(lambda: "step 300/1,000" in driver.status and "left" in driver.status)
        nothing_is_left(driver)
        assert {"step", "steps a second", "time left", "times its floor"} == {
            reading.name for reading in read(driver.status, STATUS)
        }


def test_the_numbers_of_a_gpu():
    text = Gpu(0, "", 2**30, 2**37, 37).text()
    assert [r.name for r in read(text, GPU)] == ["GPU load", "GPU memory"]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_asking(size):
    async with lab("naive-2d", size=size) as driver:
        await driver.press("3", "a")
        await until(lambda: isinstance(driver.app.screen, AskScreen) and "formula" in driver.screen)
        asked = driver.app.screen.query_one(NumberList)
        assert asked.rows[0] == "Denoising", "the panel in focus first"
        while asked.here.name != "std":
            await driver.press("down")
        assert f"std = {asked.here.value}" in driver.screen
        assert "Standard deviation of the points" in driver.screen
        assert asked.here.below.startswith("exact (0.01")
        while asked.cursor + 1 < asked.count():
            await driver.press("pagedown")
        assert asked.here.name == [*GLOSSARY][-1]
        await driver.press("enter")
        await until(lambda: not isinstance(driver.app.screen, AskScreen))
        assert not any(getattr(row, "cause", "") for row in asked.rows), "true data"
        await driver.press("i")
        await driver.trajectory("ideal")
        await driver.press("a")
        await until(lambda: isinstance(driver.app.screen, AskScreen) and "formula" in driver.screen)
        while driver.app.screen.query_one(NumberList).here.name != "std":
            await driver.press("down")
        assert "here     Too small, by the post's own rule" in driver.screen
        await driver.press("escape")
        await until(lambda: not isinstance(driver.app.screen, AskScreen))
        await driver.press("2", "a")
        await until(lambda: isinstance(driver.app.screen, AskScreen))
        if size == NARROW:
            rows = driver.app.screen.query_one(NumberList).rows
            assert "Denoising" not in rows, "only what is on the screen"


async def test_the_numbers_of_a_run_can_be_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSION_TUI_HOME", str(tmp_path))
    trainer = trained(get_preset("naive-1d").experiment.with_settings({"training.steps": 20}))
    save_run(store() / "mine", trainer, "finished", training_report(trainer))
    async with lab() as driver:
        await driver.press("r")
        await until(lambda: "mine" in driver.screen)
        await driver.press("a")
        await until(lambda: isinstance(driver.app.screen, AskScreen))
        await until(lambda: "20/20" in driver.screen and "energy distance" in driver.screen)
