"""Every number on the screen has a name, and every name a meaning."""

import re
from dataclasses import fields
from textwrap import wrap

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip
from textual.theme import BUILTIN_THEMES

from tui_diffusion.core.analysis.attribution import Attribution
from tui_diffusion.core.analysis.glossary import GLOSSARY, of_key
from tui_diffusion.core.analysis.guidance.vectors import LevelGuidance
from tui_diffusion.core.analysis.loss_floor import LevelLoss
from tui_diffusion.core.analysis.metrics import Quality
from tui_diffusion.core.analysis.report import training_report
from tui_diffusion.core.analysis.start_mismatch import StartMismatch
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.numbered_text import NamedNumber, text_of, wrapped
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.writer import save_run
from tui_diffusion.interface.gpus import Gpu
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.output.differ import TerminalContent
from tui_diffusion.lab.panels.training import LOSS_VIEWS
from tui_diffusion.lab.readings import Reading, readings_in, readings_on, run_of
from tui_diffusion.lab.sampling.measures import Measurement
from tui_diffusion.lab.screens.numbers import AskScreen, NumberList
from tui_diffusion.lab.views.names import views_of
from tui_diffusion.lab.widgets.canvas import Canvas
from tui_diffusion.lab.widgets.measured_lines import measured_lines

from ..cases import for_each
from ..fakes import FakeTrainers
from ..lab_driver import NARROW, WIDE, lab, until
from ..trainings import trained

NAMES = r"naive-\dd|ddpm-\dd[\w-]*|edm-\dd|dpm[\w+-]*|gaussian-\dd|x0_hat|diffusion-tui"
"""What has a digit and is no number."""


@for_each("kind", [Quality, LevelLoss, Attribution, StartMismatch, LevelGuidance])
def test_every_figure_of_evaluate_has_a_meaning(kind):
    for field in fields(kind):
        assert of_key(field.name).about
    assert of_key("amplification") is not of_key("amplification_out")


def test_no_name_and_no_key_means_two_things():
    names = [name for entry in GLOSSARY.values() for name in (entry.name, *entry.also)]
    keys = [key for entry in GLOSSARY.values() for key in entry.keys]
    assert len(names) == len(set(names))
    assert len(keys) == len(set(keys))


def test_a_number_has_the_exact_one_that_stands_below_it():
    palette = Palette.from_theme(
        BUILTIN_THEMES["textual-dark"].to_color_system().generate(), "none"
    )
    items = [
        Measurement("mean", "(1.0, nan)", "mean", "(0.5, 2.0)"),
        Measurement("energy", "-1.2e-05", "real  ", "3.1e-06", chance="0.002"),
        Measurement("moves", "0.1", "noise", "-0.25"),
        Measurement("mode²", "…", "real ", "…"),
    ]
    for width, count in ((80, 3), (52, 2), (26, 1)):
        lines = measured_lines((" here  ", "exact"), items, lambda _: 14, 2, width, palette)
        here, exact = (Strip([Segment(*run) for run in runs]) for runs in lines)
        assert here.cell_length == exact.cell_length
        assert [*readings_on(here, exact), *readings_on(exact)] == [
            Reading("mean", "(1.0, nan)", "exact (0.5, 2.0)"),
            *[Reading("energy", "-1.2e-05", "real 3.1e-06"), Reading("±", "0.002")] * (count > 1),
            *[Reading("moves", "0.1"), Reading("noise", "-0.25")] * (count > 2),
        ]


def test_a_name_never_reaches_the_terminal():
    red = Style(color="red")
    plain, line = Strip([Segment("step 12/20 ", red)]), Strip(
        [Segment(*run_of(("step ", NamedNumber("step", "12/20"), " "), red))]
    )  # fmt: skip
    assert [*readings_on(line)] == [Reading("step", "12/20")]
    sent = []
    for strip in (plain, line):
        update, content = LayoutUpdate([[strip]], Region(0, 0, 11, 1)), TerminalContent()
        sent.append(content.least(update).render_segments(Console(color_system="truecolor")))
        assert not content.least(update).render_segments(Console()), "nothing has changed"
    assert sent[0] == sent[1] and "12/20" in sent[0]


@for_each("width", [10, 24, 40, 200])
def test_a_sentence_keeps_its_numbers_when_it_is_wrapped(width):
    numbers = [NamedNumber("start off by", "1e-05"), NamedNumber("start", "0.3")]
    text = ("The start is off by ", numbers[0], " std, which costs the sample ", numbers[1], ".")
    lines = [*wrapped(text, width)]
    assert [text_of(line) for line in lines] == wrap(text_of(text), width)
    assert [part for line in lines for part in line if isinstance(part, NamedNumber)] == numbers


def left(text, readings):
    """Return the groups of digits in a text that belong to no reading, from left to right."""
    rest = re.sub(NAMES, "", text)
    for value in sorted({value for reading in readings for value in values(reading)}, key=len)[
        ::-1
    ]:
        rest = re.sub(rf"(?<![\d.,]){re.escape(value)}(?!\d)", "", rest)
    return re.findall(r"\d+", rest)


def values(reading):
    """Yield the texts of a reading on the screen: its value, and the one below it."""
    yield reading.value
    if reading.below:
        yield reading.below.partition(" ")[2]


def every_number_is_explained(texts, readings):
    """Every number in these texts has a reading, and every reading is there, with an entry."""
    for text in texts:
        assert not left(text, readings), text
    for reading in readings:
        assert reading.entry.about.endswith("."), reading
        for value in values(reading):
            assert any(value in text for text in texts), reading


def titles_of(panel):
    return f"{panel.border_title}  {panel.border_subtitle}"


def lines_of(panel, selector):
    return [line.text for line in panel.query_one(selector, Canvas).lines]


def nothing_is_left(driver):
    """Every number on the lines of text now shown is explained."""
    panel, loss, status = driver.panel, driver.loss, driver.app.screen.query_one("#status", Canvas)
    every_number_is_explained([driver.status], [*status.readings()])
    texts = [titles_of(panel), *lines_of(panel, "#numbers"), *lines_of(panel, "#goals")]
    pictured = lines_of(panel, "#trajectory") if panel.is_on_screen else []
    # The ticks of an axis are explained by its label.
    texts += pictured[-1:] if panel.view == "pdf and cdf" else pictured[:1]
    every_number_is_explained(texts, [*panel.readings()])
    texts = [titles_of(loss)]
    if loss.view != "loss" and loss.diagnosis is not None:
        lines = lines_of(loss, Canvas)
        texts += (
            lines if loss.view == "error" else lines[-2:] if loss.view == "excess" else lines[-1:]
        )
    every_number_is_explained(texts, [*loss.readings()])


@pytest.mark.slow
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
        for _ in views_of(driver.panel.trajectory.dim):
            await driver.press("v")
            await until(lambda: not driver.panel._canvas.drawing)
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
            if view == "guidance":
                assert "No guidance: its weight is 1." in driver.screen
            else:
                assert len({reading.name for reading in driver.loss.readings()}) >= 3, view


async def test_the_numbers_of_a_training_under_way():
    trainers = FakeTrainers(limit=300)
    async with lab("naive-1d", trainers=trainers) as driver:
        await driver.press("t")
        await driver.state("training")
        await until(lambda: "step 300/1,000" in driver.status and "left" in driver.status)
        nothing_is_left(driver)
        assert {"step", "steps a second", "time left", "times its floor"} == {
            reading.name for reading in driver.app.screen.query_one("#status", Canvas).readings()
        }


def test_the_numbers_of_a_gpu():
    both, memory = ("GPU load", "37 %"), ("GPU memory", "1.0/128 GiB")
    for load, shown in ((37, [both, memory]), (None, [memory])):
        text = Gpu(0, "NVIDIA H200", 2**30, 2**37, load).numbered_text()
        assert [(r.name, r.value.strip()) for r in readings_in(text)] == shown


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
