"""What widgets are told of their layout, also if a position is asked for between two layouts."""

import asyncio

from textual.app import App
from textual.widget import Widget

from tui_diffusion.lab.output.screens import PacedScreen
from tui_diffusion.lab.panels.form.editors import ValueChoices

from ..lab_driver import lab, until


class Told(Widget):
    """A widget that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told = []

    def on_show(self):
        self.told.append("shown")

    def on_resize(self):
        self.told.append("resized")


class Host(App):
    def get_default_screen(self):
        return PacedScreen(id="_default")


def ask_for_a_position(widget):
    """Ask as a scroll does, which makes the screen find all positions anew."""
    widget.screen._compositor.update_widgets({Widget()})
    assert widget.region is not None


async def test_a_widget_is_told_that_it_is_shown_and_of_its_size():
    async with Host().run_test() as pilot:
        widget = Told()
        widget.display = False
        await pilot.app.mount(widget)
        await pilot.pause(0.01)
        assert widget.told == []
        widget.display = True
        ask_for_a_position(widget)
        await until(lambda: widget.told == ["resized", "shown"])
        widget.styles.height = 3
        ask_for_a_position(widget)
        await until(lambda: widget.told == ["resized", "shown", "resized"])


async def test_a_list_shows_its_choice():
    async with lab("edm-multimodal", sampling__sampler="langevin") as driver:
        driver.form.focus()
        await until(lambda: driver.form.fields.has_focus)  # later, a list would lose it and close
        driver.form.select("sampling.sampler")
        driver.form.open()
        editor = driver.app.screen.query_one(ValueChoices)
        while not editor.is_mounted:
            await asyncio.sleep(0)
        ask_for_a_position(editor)
        await until(lambda: "predictor-corrector" in driver.screen)
        assert "│langevin" in driver.screen
