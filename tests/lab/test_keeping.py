"""Presets of one's own in the lab: saved, chosen, renamed, removed; damaged ones a line."""

from __future__ import annotations

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.user_presets import own_presets, save_preset
from tui_diffusion.core.paths import presets_folder
from tui_diffusion.lab.panels.experiments import ExperimentList
from tui_diffusion.lab.screens.save_preset import SavePresetScreen

from ..lab_driver import NARROW, lab, until


def listed(driver) -> ExperimentList:
    return driver.app.screen_stack[0].query_one(ExperimentList)


async def open_prompt(driver) -> None:
    await driver.press("z")
    await until(lambda: isinstance(driver.app.screen, SavePresetScreen))


async def closed(driver) -> None:
    await until(lambda: len(driver.app.screen_stack) == 1)
    await driver.pilot.pause(0.01)


async def test_save_train_change_rename_and_remove():
    async with lab(size=NARROW) as driver:
        await driver.press("1")
        await driver.edit("training.steps", "60")
        await open_prompt(driver)
        await driver.press(*"my", "space", *"own", "enter")
        await closed(driver)
        assert listed(driver).chosen == "my-own" and "Mine" in driver.screen
        assert "my-own" in driver.status and driver.form.border_subtitle == "enter edits"
        assert own_presets()[0]["my-own"].experiment == driver.app.model.workspace.experiment
        assert driver.app.model.workspaces["naive-1d"].experiment.training.steps == 60

        await driver.press("t")
        await driver.state("finished")
        assert driver.app.model.workspace.training.experiment.name == "my-own"
        await driver.press("1")
        await driver.edit("training.batch", "8")
        await open_prompt(driver)  # rename; what was changed since is kept in the workspace
        await driver.press("down", "end", *"er", "enter")
        await closed(driver)
        assert (
            list(own_presets()[0])
            == ["my-owner"]
            == [p.id for p in listed(driver).presets if p.own]
        )
        assert driver.app.model.workspace.experiment.training.batch == 8
        assert driver.app.model.workspace.training.step == 60 and driver.form.changed(
            "training.batch"
        )

        driver.app.set_focus(listed(driver))
        await driver.press("backspace")
        await until(lambda: isinstance(driver.app.screen, SavePresetScreen))
        await driver.press("enter")
        assert "for good?" in driver.screen and own_presets()[0]
        await driver.press("enter")
        await closed(driver)
        assert not own_presets()[0] and listed(driver).chosen == "naive-1d"
        assert "Mine" not in driver.screen


async def test_a_wrong_name_is_said_and_a_taken_one_asks():
    save_preset("mine", get_preset("naive-1d").experiment)
    async with lab() as driver:
        await driver.press("n")
        await open_prompt(driver)
        for name, said in (("", "not allowed"), ("naive-1d", "built-in"), ("-", "not allowed")):
            driver.app.screen.query_one("Input").value = name
            await driver.press("enter")
            assert said in driver.screen
        driver.app.screen.query_one("Input").value = "mine"
        await driver.press("enter")
        assert "enter again replaces it" in driver.screen
        await driver.press("escape")
        await closed(driver)
        assert own_presets()[0]["mine"].experiment.sampling.points == 1000
        await open_prompt(driver)
        driver.app.screen.query_one("Input").value = "mine"
        await driver.press("enter", "enter")
        await closed(driver)
        assert own_presets()[0]["mine"].experiment.sampling.points == 200


async def test_a_damaged_one_is_a_warning_and_the_others_are_there():
    save_preset("good", get_preset("flow-moons").experiment)
    (presets_folder() / "bad.json").write_text("{")
    async with lab() as driver:
        assert [p.id for p in listed(driver).presets if p.own] == ["good"]
        assert any("bad.json: left out" in n.message for n in driver.app._notifications)


@pytest.mark.parametrize("name", ["good", "gone", "bad"])
def test_the_lab_opens_where_it_was_left_or_at_the_beginning(name, monkeypatch, capsys):
    from tui_diffusion.core.config.errors import ConfigError
    from tui_diffusion.core.paths import settings_file
    from tui_diffusion.interface.settings import RestorePoint, Settings, save
    from tui_diffusion.lab import launch as start

    save_preset("good", get_preset("flow-moons").experiment)
    save_preset("bad", get_preset("flow-moons").experiment)
    save(settings_file(), Settings(place=RestorePoint(name)))
    (presets_folder() / "bad.json").write_text("{")
    made = []

    def make(wanted, points):
        made.append(get_preset(wanted).experiment.name)
        return get_preset(wanted).experiment

    with pytest.raises(ConfigError, match="needs a terminal"):
        start.open_lab(None, make, start.LabOptions())
    assert made == ["good" if name == "good" else "naive-1d"]
