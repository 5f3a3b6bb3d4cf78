"""The lab's help and palette name every key, view and page."""

import pytest

from tui_diffusion import docs
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.interface.keymap import ACTIONS
from tui_diffusion.lab.screens.help import PAGE_KEYS, HelpScreen

from ..lab_driver import SIZES, lab, make_lab, until


@SIZES
async def test_help_opens_and_closes(size):
    async with lab(size=size) as driver:
        for close in ("escape", "q", "question_mark"):
            await driver.press("question_mark")
            await until(lambda: isinstance(driver.app.screen, HelpScreen))
            await until(lambda: "Keys: " in driver.screen)
            await driver.press("l", "t")
            await driver.press(close)
            await until(lambda: len(driver.app.screen_stack) == 1)
            assert driver.app.is_running
        assert "level 10/10" in driver.title
        assert driver.app.model.session.training is None


@pytest.mark.slow
async def test_the_help_opens_every_page_of_the_documentation():
    async with lab() as driver:
        await driver.press("question_mark")
        await until(lambda: isinstance(driver.app.screen, HelpScreen))
        assert [*PAGE_KEYS.values()] == [*docs.TOPICS]
        for key, topic in PAGE_KEYS.items():
            await driver.press(key)
            first = docs.page(topic).splitlines()[0].removeprefix("# ")
            await until(lambda: f" {first} " in driver.screen)  # noqa: B023
            assert f" {topic} " in driver.screen
            await driver.press("escape")
            await until(lambda: isinstance(driver.app.screen, HelpScreen))


@SIZES
async def test_the_help_begins_with_the_keys_of_what_is_in_focus(size):
    async with lab(size=size) as driver:
        for tab, group in (("1", "setup"), ("2", "training"), ("3", "denoising"), ("4", "sweep")):
            await driver.press(tab, "question_mark")
            await until(lambda: isinstance(driver.app.screen, HelpScreen))
            texts = driver.app.screen._page.renderables
            said = [text.plain.strip() for text in texts if hasattr(text, "plain")]
            keys = [line for line in said if line.startswith("Keys: ")]
            assert said[0] == keys[0] == f"Keys: {group}" and len({*keys}) == len(keys) == 5
            assert said.index(PRESETS["naive-1d"].about) < said.index("Formulas of these settings")
            await until(lambda: f"Keys: {group}" in driver.screen)  # noqa: B023
            await driver.press("escape")


async def test_the_help_explains_every_view_and_every_key():
    from tui_diffusion.lab.views.names import PICTURES
    from tui_diffusion.lab.views.render import VIEWS_1D, VIEWS_2D

    assert set(PICTURES) >= {*VIEWS_1D, *VIEWS_2D, "loss"}
    assert all(action.help.endswith(".") for action in ACTIONS)


async def test_the_palette_lists_every_action():
    async with lab() as driver:
        titles = {command.title for command in driver.app.get_system_commands(driver.app.screen)}
        for action in ACTIONS:
            assert any(f"({action.shown})" in title for title in titles), action.name
        await driver.press("ctrl+p")
        await driver.pilot.pause(0.2)
        await driver.press(*"ideal")
        await until(lambda: "Ideal (i)" in driver.screen)
        await driver.press("down", "enter")
        await driver.trajectory("ideal")


def test_every_action_exists_and_no_key_is_used_twice():
    app = make_lab()
    keys = [key for action in ACTIONS for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))
    for action in ACTIONS:
        target = app.targets[action.target]
        assert hasattr(target, f"action_{action.name.partition('(')[0]}"), action.name
