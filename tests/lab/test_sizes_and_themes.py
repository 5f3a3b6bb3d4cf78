"""Other sizes, themes and characters keep what is on the screen."""

import pytest

from tui_diffusion.lab.panels.status_bars import status

from ..fakes import FakeTrainers
from ..lab_driver import NARROW, SIZES, WIDE, lab, until


async def test_another_theme_redraws_everything():
    def colours(driver):
        strips = driver.app.screen._compositor.render_strips()
        return {s.style.color for strip in strips for s in strip if s.style and s.text.strip()}

    async with lab() as driver:
        await driver.press("t")
        await driver.state("finished")
        await driver.trajectory("network")
        before, text = colours(driver), driver.screen
        driver.app.theme = "textual-light"
        await until(lambda: driver.app.palette.style("truth").color in colours(driver))
        await driver.pilot.pause(0.1)
        after = colours(driver)
        assert driver.screen.split()[:4] == text.split()[:4]
        shown = {"truth", "network", "bars", "axis", "text"}
        palette = driver.app.palette
        assert {palette.style(role).color for role in shown} <= after
        assert len(after & before) < len(before) / 3, "little is left of the old colours"


async def test_sizes_keep_level_focus_and_tab_in_mid_training():
    trainers = FakeTrainers(limit=100)
    async with lab(trainers=trainers) as driver:
        await driver.press("t")
        await driver.state("training")
        await until(lambda: "step 100/1,000" in driver.screen)
        await driver.press("3", "home", "l", "l")
        for width, height in (
            (80, 24),
            (120, 40),
            (50, 12),
            (60, 18),
            (59, 18),
            (60, 17),
            (200, 60),
        ):
            await driver.pilot.resize_terminal(width, height)
            await driver.pilot.pause(0.05)
            small = width < 60 or height < 18
            assert ("60×18" in driver.screen) == small
            assert ("level 2/10" in driver.screen) != small
            assert ("step 100/1,000" in driver.screen) != small
            assert driver.panel.level == 2
            assert driver.app.main.tab == "denoising"
            assert driver.app.model.session.state == "training"
        await driver.pilot.resize_terminal(*WIDE)
        await driver.pilot.pause(0.05)
        assert driver.app.focused is driver.panel
        await driver.press("l")
        assert "level 3/10" in driver.screen
        assert len(driver.screen.splitlines()) == 40
        trainers.last.allow()
        await driver.state("finished")


async def test_another_size_lays_the_status_line_out_anew():
    trainers = FakeTrainers(chunk=100_000)
    async with lab("ddpm-multimodal", trainers=trainers, training__steps="2000000") as driver:
        await driver.press("t")
        await driver.state("finished")
        await driver.trajectory("network")
        wide = driver.status
        driver.app.updates.refresh = lambda: None  # nothing more happens
        await driver.pilot.resize_terminal(*NARROW)
        await until(lambda: len(driver.status) == NARROW[0])
        narrow = driver.status
        assert "ddpm-multimodal " in narrow and "finished  step 2,000,000/2,000,000 " in narrow
        await driver.pilot.resize_terminal(*WIDE)
        await until(lambda: driver.status == wide)
        training, palette = driver.app.model.session.training, driver.app.palette
        left, right = status("ddpm-multimodal", training, "", NARROW[0], palette)
        assert narrow.split() == "".join(text for text, _ in left + right).split()


async def test_too_small_says_what_is_needed():
    async with lab(size=(50, 12)) as driver:
        assert "60×18" in driver.screen and "50×12" in driver.screen
        assert "Denoising" not in driver.screen
        await driver.press("t")
        await until(lambda: driver.app.model.session.state == "finished")


async def test_hardly_any_terminal_is_no_fault_wherever_one_is():
    async with lab(size=NARROW) as driver:
        for size in ((20, 5), (2, 2), (80, 24), (34, 18), (60, 3), (60, 18)):
            for key in "123":
                await driver.press(key)
                await driver.pilot.resize_terminal(*size)
                await driver.pilot.pause(0.02)
        assert "level 10/10" in driver.screen


@SIZES
async def test_ascii_means_ascii_everywhere(size):
    async with lab("naive-2d", size=size, glyphs="ascii") as driver:
        for key in ("1", "2", "3", "v", "v", "v", "t"):
            await driver.press(key)
            assert driver.screen.isascii(), key
        await driver.state("finished")
        await driver.trajectory("network")
        for key in ("1", "2", "3"):
            await driver.press(key)
            assert driver.screen.isascii(), key


@pytest.mark.slow
async def test_an_ascii_help_an_error_and_a_small_screen_are_ascii_too():
    async with lab(size=NARROW, glyphs="ascii") as driver:
        await driver.press("question_mark")
        await until(lambda: "escape closes" in driver.screen)
        assert driver.screen.isascii()
        await driver.press("pagedown")
        assert driver.screen.isascii()
        await driver.press("escape", "1")
        await driver.edit("training.lr", "abc")
        assert driver.screen.isascii()
        driver.form.select("training.optimizer")
        driver.form.focus()
        await driver.press("enter")
        assert driver.screen.isascii()
        await driver.press("escape", "t")
        await until(lambda: "Not trained" in driver.screen)
        assert driver.screen.isascii()
        await driver.pilot.resize_terminal(50, 12)
        await until(lambda: "60x18" in driver.screen)
        assert driver.screen.isascii()
