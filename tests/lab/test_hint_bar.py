"""The bar of keys names what is of use where one is, in one line, and is clicked like the tabs."""

import pytest
from rich.cells import cell_len
from textual.theme import BUILTIN_THEMES

from tui_diffusion.interface.keymap import ACTIONS
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.widgets.key_bar import (
    ENDS,
    FIELD_BAR,
    LEVEL_BAR,
    NARROW_BARS,
    WIDE_BARS,
    WINDOWS,
    bar,
)

from ..lab_driver import NARROW, WIDE, lab, until

PALETTE = Palette.from_theme(BUILTIN_THEMES["textual-dark"].to_color_system().generate(), "none")


def written(hints, ends, width, glyphs="braille"):
    left, right = ("".join(t for t, _ in runs) for runs in bar(hints, ends, width, PALETTE, glyphs))
    assert cell_len(left) + cell_len(right) <= width
    return left, right


def test_every_bar_is_one_line_that_ends_in_help_and_the_way_out():
    for hints in (*NARROW_BARS.values(), *WIDE_BARS.values()):
        for width in (60, 80, 100, 120, 200):
            for glyphs in ("braille", "ascii"):
                left, right = written(hints, ENDS, width, glyphs)
                assert right == " ? help  q quit "
                assert glyphs != "ascii" or left.isascii()
                assert width < 200 or len(left.split("  ")) == len(hints)
    for hints in (FIELD_BAR, LEVEL_BAR):
        assert "escape leaves it" in written(hints, (), 60)[0]


def test_the_bar_of_the_wide_lab_is_that_of_the_design():
    wanted = (
        " t train  p pause  x stop  ← → step  space play  n new noise  v view  g truth  i ideal "
    )
    for panel in ("experiments", "denoising"):
        assert written(WIDE_BARS[panel], ENDS, 120)[0].startswith(wanted)


def test_at_80_columns_no_key_of_weight_is_hidden_and_every_key_is_bound():
    seen = [written(WINDOWS, (), 42)[0], *(written(h, ENDS, 80)[0] for h in NARROW_BARS.values())]
    shown = {word.split()[0] for line in seen for word in line.split("  ") if word.strip()}
    assert shown >= set("eravcdwzu") | {"t", "p", "x", "o", "g", "i", "tab", "enter", "space"}
    bound = {key for action in ACTIONS for key in action.keys.split(",")}
    bound |= {"up", "down", "tab", "enter", "escape", "backspace", "comma", "full_stop", "asterisk"}
    for hints in (*NARROW_BARS.values(), *WIDE_BARS.values(), WINDOWS, ENDS, FIELD_BAR, LEVEL_BAR):
        assert {key for hint in hints for key in hint.keys} <= bound


async def click(driver, line, text):
    """Click on a text in a line."""
    shown = driver.app.query_one(line).lines[0].text
    await driver.pilot.click(line, offset=(shown.index(text) + 1, 0))
    await driver.pilot.pause(0.02)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_keys_and_tabs_are_clicked_and_the_bar_is_that_of_the_panel(size):
    async with lab(size=size) as driver:
        app = driver.app
        if size == NARROW:
            await click(driver, "#tabs", "2 training")
            await until(lambda: app.main.tab == "training" and "o views" in driver.screen)
            await click(driver, "#tabs", "3 denoising")
            await until(lambda: app.main.tab == "denoising")
        await click(driver, "#footer", " ←")
        await driver.level(9, 10)
        await click(driver, "#footer", " step")
        await driver.level(10, 10)
        await click(driver, "#footer", "? help")
        await until(lambda: len(app.screen_stack) == 2)
        await driver.press("escape")
        driver.type("1", "tab")
        await until(lambda: "tab to the fields" in driver.screen)
        await until(lambda: "enter edit" in driver.screen and app.focused in driver.form.children)
        driver.form.select("data.std")
        await driver.press("enter", "end", "ctrl+u", "0", ".", "5")
        await until(lambda: "escape leaves it" in driver.screen and "q quit" not in driver.screen)
        if size == NARROW:  # leaving a field takes its value, and a click is no text in it
            await click(driver, "#tabs", "3 denoising")
            await until(lambda: app.main.tab == "denoising" and not driver.form.editing)
        else:
            await click(driver, "#footer", " takes it")
        await until(lambda: app.model.workspace.experiment.data.std == 0.5)
        await driver.press("3", "j")
        await until(lambda: "enter takes it  escape" in driver.screen)
        await click(driver, "#footer", "escape")
        await until(lambda: "q quit" in driver.screen)
