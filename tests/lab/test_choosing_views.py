"""Views by key, forwards and backwards, and by name in the palette."""

from __future__ import annotations

from tui_diffusion.export.views import VIEWS_2D
from tui_diffusion.lab.panels.training import LOSS_VIEWS

from ..lab_driver import lab, until


async def test_views_go_forwards_and_backwards_and_come_by_their_name() -> None:
    async with lab("naive-2d", size=(80, 24)) as driver:
        await driver.press("3")
        first = driver.panel.view
        await driver.press("V")
        assert driver.panel.view == VIEWS_2D[VIEWS_2D.index(first) - 1]
        await driver.press("v", "v")
        assert driver.panel.view == VIEWS_2D[VIEWS_2D.index(first) + 1]
        for _ in VIEWS_2D:
            await driver.press("V")
        assert driver.panel.view == VIEWS_2D[VIEWS_2D.index(first) + 1]
        await driver.press("2", "O")
        assert driver.loss.view == LOSS_VIEWS[-1]
        await driver.press("o", "o")
        assert driver.loss.view == LOSS_VIEWS[1]

        app = driver.app
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert {f"View: {name}" for name in VIEWS_2D} <= commands.keys()
        assert {f"View of the training: {name}" for name in LOSS_VIEWS} <= commands.keys()
        commands["View: paths"].callback()
        await until(lambda: app.main.tab == "denoising" and driver.panel.view == "paths")
        commands["View of the training: schedule"].callback()
        await until(lambda: app.main.tab == "training" and driver.loss.view == "schedule")
        await until(lambda: driver.loss.diagnosis is not None)
