"""Another experiment and other settings in the lab."""

import pytest

from tui_diffusion.core.config.presets import PRESETS

from ..lab_driver import NARROW, SIZES, WIDE, focus, lab, until


@pytest.mark.parametrize("size", [WIDE, pytest.param(NARROW, marks=pytest.mark.slow)])
async def test_every_experiment_can_be_chosen_by_keyboard(size):
    async with lab(size=size) as driver:
        await driver.press("1")
        for index, (name, preset) in enumerate(PRESETS.items()):
            if index:
                await driver.press("down")
            await driver.press("enter")
            await until(lambda: driver.app.model.chosen == name)  # noqa: B023
            if size == WIDE and index % 5:
                continue  # its drawing takes the time, and the narrow one waits for each
            await driver.trajectory()
            assert name in driver.status.split()
            levels = preset.experiment.levels
            assert f"level {levels}/{levels}" in driver.title
            assert preset.experiment.data.name in driver.title
            assert (
                driver.form.model.experiment.get("training.steps")
                == preset.experiment.training.steps
            )
        await driver.press("down")
        assert driver.app.model.chosen == name, "the last one"


async def test_what_is_set_stays_with_its_experiment():
    async with lab() as driver:
        await driver.edit("training.steps", "123")
        await focus(driver, "experiments")
        await driver.press("down")
        await until(lambda: driver.form.model.text("training.steps") == "1000")
        await driver.press("up")
        await until(lambda: driver.form.model.text("training.steps") == "123")
        assert driver.app.model.workspace.experiment.training.steps == 123


async def test_another_std_changes_the_forward_film():
    async with lab() as driver:
        narrow = driver.panel.trajectory.x[-1].std()
        await driver.edit("data.std", "0.5")
        await driver.trajectory()
        assert driver.panel.trajectory.request.experiment.data.std == 0.5
        assert driver.panel.trajectory.x[-1].std() > 20 * narrow


async def test_other_levels_change_the_ruler_and_the_title():
    async with lab() as driver:
        await driver.edit("schedule.levels", "4")
        await driver.trajectory()
        assert "level 4/4" in driver.title
        await driver.press("home", "l")
        assert "level 1/4" in driver.title


@SIZES
async def test_a_wrong_value_cannot_start_a_training_and_names_its_field(size):
    async with lab(size=size) as driver:
        await driver.press("1")
        await driver.edit("training.lr", "abc")
        assert "training.lr" in driver.form.problems
        await driver.press("3", "t")
        assert driver.app.model.session.training is None
        assert "idle" in driver.status
        await until(lambda: "Not trained" in driver.screen)
        assert "training.lr" in driver.screen
        assert "'abc' is not allowed" in " ".join(driver.screen.split())
        assert driver.form.path == "training.lr"
        assert "Hyperparameters" in driver.screen, "the field is in sight"
        await driver.edit("training.lr", "0.01")
        assert not driver.form.problems
        await driver.press("t")
        await driver.state("finished")
        assert driver.app.model.workspace.training.experiment.training.lr == 0.01


async def test_a_network_that_no_longer_fits_gives_way_to_true_data():
    async with lab() as driver:
        await driver.press("t")
        await driver.state("finished")
        await driver.trajectory("network")
        await driver.edit("training.lr", "0.5")
        await driver.trajectory("network")
        await driver.edit("data.std", "0.5")
        await driver.trajectory("forward")
        assert "true data" in driver.subtitle
        await driver.edit("data.std", "0.01")
        await driver.trajectory("network")
