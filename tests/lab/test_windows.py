"""Notices and windows: each comes once and closes alone."""

from textual.command import CommandList

from tui_diffusion.lab.session.records import SessionState

from ..lab_driver import NARROW, lab, until


async def test_a_notice_said_again_takes_the_place_of_the_first():
    async with lab(size=NARROW) as driver:
        await driver.press("w", "w", "w")
        driver.app.notify("another", title="Elsewhere")
        await until(lambda: "another" in driver.screen)
        assert driver.screen.count("Copied") == 1
        assert "level 10/10" in driver.screen and "idle" in driver.screen


async def test_a_window_that_is_told_twice_to_close_closes_alone():
    async with lab(size=NARROW) as driver:
        for level, key in enumerate(("question_mark", "e", "z", "a", "u", "r", "c")):
            await driver.press(key)
            await until(lambda: len(driver.app.screen_stack) == 2)
            window = driver.app.screen
            window.dismiss()
            window.dismiss()
            await until(lambda: driver.app.screen is driver.app.screen_stack[0])
            await driver.press("left")
            assert f"level {9 - level}/10" in driver.screen, key


async def test_paging_through_a_list_that_has_only_just_opened_is_no_fault():
    async with lab(size=NARROW) as driver:
        for key in ("pageup", "pagedown"):
            driver.type("ctrl+p", key, key)
            await until(lambda: len(driver.app.screen_stack) == 2)
            await driver.press(key, "escape", "escape")
            await until(lambda: len(driver.app.screen_stack) == 1)
        await driver.press("1")
        driver.form.select("training.optimizer")
        driver.form.focus()
        driver.type("enter", "pagedown", "pageup", "pagedown")
        await driver.press("pagedown", "escape", "3")
        assert "level 10/10" in driver.screen


async def test_a_tick_that_is_not_due_posts_nothing(monkeypatch):
    async with lab() as driver:
        app, posted = driver.app, []
        monkeypatch.setattr(app, "post_while_running", posted.append)
        app.updates.frames.took(1e9)
        app.updates.frames.due()
        app._notify()
        assert posted == []
        app.updates._last_states = (SessionState.PAUSED,)  # a change of state always shows
        app._notify()
        app.updates._last_states = app.model.states
        app.updates.frames._last -= app.updates.frames.period
        app._notify()
        assert len(posted) == 2


async def test_a_command_is_run_once_however_often_enter_is_pressed():
    async with lab() as driver:
        for times in (1, 2, 5):
            ran = []
            points = driver.app.targets["points"]
            points.action_noise = lambda ran=ran: ran.append("noise")
            await driver.press("ctrl+p")
            commands = driver.app.screen
            await driver.press(*"new noise".replace(" ", ""))
            await until(lambda: commands.query_one(CommandList).option_count == 1)  # noqa: B023
            driver.type(*["enter"] * times)
            await until(lambda: len(driver.app.screen_stack) == 1 and ran)  # noqa: B023
            for _ in range(3):
                await driver.pilot.pause(0)
            assert ran == ["noise"]
