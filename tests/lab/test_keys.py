"""The lab's keys, wherever the focus is."""

import numpy as np
import pytest
from textual.widgets import Input

from tui_diffusion.lab.screens.help import HelpScreen

from ..lab_driver import focus, lab, until

PLACES = ("experiments", "form", "denoising", "training", "nothing")


async def test_keys_step_through_the_levels_whatever_has_the_focus():
    steps = [("home", 0), ("right", 1), ("l", 2), ("l", 3), ("left", 2), ("h", 1), ("h", 0),
             ("left", 0), ("end", 10), ("right", 10), ("h", 9)]  # fmt: skip
    async with lab() as driver:
        for where in PLACES:
            await focus(driver, where)
            for key, level in steps:
                await driver.press(key)
                assert f"level {level}/10" in driver.title, (where, key)
                assert f"level {level}/10" in driver.screen, (where, key)
        assert driver.app.model.chosen == "naive-1d"


@pytest.mark.parametrize("where", PLACES)
async def test_every_other_key_acts_whatever_has_the_focus(where):
    async with lab() as driver:
        await focus(driver, where)
        panel = driver.panel

        await driver.press("v")
        assert panel.view != "histogram"
        seen = [panel.view]
        while panel.view != "histogram":
            await driver.press("v")
            seen.append(panel.view)
        assert {"pdf and cdf", "mean and std"} < set(seen)

        await driver.press("g")
        assert panel.truth is False
        await driver.press("g")
        assert panel.truth is True

        await driver.press("plus", "plus")
        assert panel.zoom == 2
        await driver.press("minus", "minus", "minus")
        assert panel.zoom == -1

        speed = panel.playback.speed
        await driver.press("right_square_bracket")
        assert panel.playback.speed == speed + 1
        await driver.press("left_square_bracket", "left_square_bracket")
        assert panel.playback.speed == speed - 1

        before = panel.trajectory.x.copy()
        await driver.press("n")
        await until(lambda: not np.array_equal(panel.trajectory.x, before))

        await driver.press("i")
        await driver.trajectory("ideal")
        assert "ideal denoiser" in driver.subtitle
        await driver.press("i")
        await driver.trajectory("forward")

        logarithmic = driver.loss.logarithmic
        await driver.press("y")
        assert driver.loss.logarithmic is not logarithmic

        await driver.press("home", "space")
        assert panel.playback.playing
        await driver.press("space")
        assert not panel.playback.playing

        await driver.press("t")
        await driver.state("finished")
        await driver.press("question_mark")
        await until(lambda: isinstance(driver.app.screen, HelpScreen))
        await driver.press("escape")
        await until(lambda: len(driver.app.screen_stack) == 1)
        await driver.press("q")
        await until(lambda: not driver.app.is_running)
        assert driver.app.return_value == 0


async def test_zoom_and_speed_have_ends():
    async with lab() as driver:
        await driver.press(*["plus"] * 20)
        highest = driver.panel.zoom
        await driver.press("plus")
        assert driver.panel.zoom == highest < 20
        await driver.press(*["right_square_bracket"] * 9)
        assert driver.panel.playback.speed == 5
        await driver.press(*["left_square_bracket"] * 9)
        assert driver.panel.playback.speed == 0


async def test_keys_are_letters_while_a_field_is_edited():
    async with lab() as driver:
        driver.form.select("training.lr")
        driver.form.focus()
        await driver.press("home", "enter")
        assert isinstance(driver.app.focused, Input)
        await driver.press(
            "end", "ctrl+u", *"thlvginpxq123", "space", "left", "end", "question_mark"
        )
        assert driver.app.focused.value == "thlvginpxq123 ?"
        assert driver.app.model.session.training is None
        assert "level 0/10" in driver.title
        assert driver.app.is_running and len(driver.app.screen_stack) == 1
        await driver.press("escape")
        assert not driver.form.editing
        assert driver.form.model.text("training.lr") == "0.001"
        await driver.press("l")
        assert "level 1/10" in driver.title


async def test_what_is_typed_at_once_after_enter_belongs_to_the_field():
    async with lab() as driver:
        driver.form.select("training.steps")
        driver.form.focus()
        await driver.pilot.pause(0.01)
        driver.type("enter", "q", "t", "4", "2", "enter")
        await until(lambda: driver.form.model.drafts == {"training.steps": "qt42"})
        assert driver.app.is_running
        assert driver.app.model.session.training is None


async def test_keys_are_not_the_labs_while_choices_are_open():
    async with lab() as driver:
        driver.form.select("training.optimizer")
        driver.form.focus()
        await driver.press("enter")
        assert driver.form.editing
        await driver.press("t", "h", "q", "space")
        assert driver.app.model.session.training is None
        assert "level 10/10" in driver.title
        await driver.press("escape")
        assert not driver.form.editing
        await driver.press("h")
        assert "level 9/10" in driver.title


async def test_play_runs_to_the_end_and_holds():
    async with lab() as driver:
        seen = []
        driver.loss.at = seen.append  # the loss is told of every level that shows
        await driver.press(*["right_square_bracket"] * 5, "space")
        assert driver.panel.playback.playing, "from the end it starts anew"
        assert "playing 15/s" in driver.subtitle
        await until(lambda: not driver.panel.playback.playing and seen[-1:] == [10])
        assert seen == list(range(11))
        assert "level 10/10" in driver.title
        assert "playing" not in driver.subtitle
        await driver.pilot.pause(0.2)
        assert driver.panel.level == 10


async def test_a_step_holds_the_play():
    async with lab() as driver:
        await driver.press(*["left_square_bracket"] * 5, "home", "space", "right")
        assert not driver.panel.playback.playing
        assert "level 1/10" in driver.title


async def test_the_ruler_takes_clicks():
    async with lab() as driver:
        ruler = driver.panel.query_one("#ruler")
        await driver.pilot.click(ruler, offset=(7, 0))
        assert "level 0/10" in driver.title
        await driver.pilot.click(ruler, offset=(ruler.size.width - 8, 0))
        assert "level 10/10" in driver.title
