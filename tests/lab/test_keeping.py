"""Presets of one's own in the lab: saved, chosen, renamed, removed; damaged ones a line."""

from __future__ import annotations

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.user_presets import own_presets, save_preset
from tui_diffusion.core.paths import presets_folder
from tui_diffusion.lab.panels.experiments import ExperimentList
from tui_diffusion.lab.screens.save_preset import KeepScreen

from ..lab_driver import NARROW, lab, until


def listed(bench) -> ExperimentList:
    return bench.app.screen_stack[0].query_one(ExperimentList)


async def open_prompt(bench) -> None:
    await bench.press("z")
    await until(lambda: isinstance(bench.app.screen, KeepScreen))


async def closed(bench) -> None:
    await until(lambda: len(bench.app.screen_stack) == 1)
    await bench.pilot.pause(0.01)


async def test_save_train_change_rename_and_remove():
    async with lab(size=NARROW) as bench:
        await bench.press("1")
        await bench.edit("training.steps", "60")
        await open_prompt(bench)
        await bench.press(*"my", "space", *"own", "enter")
        await closed(bench)
        assert listed(bench).chosen == "my-own" and "Mine" in bench.screen
        assert "my-own" in bench.status and bench.form.border_subtitle == "enter edits"
        assert own_presets()[0]["my-own"].experiment == bench.app.model.bench.experiment
        assert bench.app.model.benches["naive-1d"].experiment.training.steps == 60

        await bench.press("t")
        await bench.state("finished")
        assert bench.app.model.bench.training.experiment.name == "my-own"
        await bench.press("1")
        await bench.edit("training.batch", "8")
        await open_prompt(bench)  # rename; what was changed since is kept on the bench
        await bench.press("down", "end", *"er", "enter")
        await closed(bench)
        assert (
            list(own_presets()[0]) == ["my-owner"] == [p.id for p in listed(bench).presets if p.own]
        )
        assert bench.app.model.bench.experiment.training.batch == 8
        assert bench.app.model.bench.training.step == 60 and bench.form.changed("training.batch")

        bench.app.set_focus(listed(bench))
        await bench.press("backspace")
        await until(lambda: isinstance(bench.app.screen, KeepScreen))
        await bench.press("enter")
        assert "for good?" in bench.screen and own_presets()[0]
        await bench.press("enter")
        await closed(bench)
        assert not own_presets()[0] and listed(bench).chosen == "naive-1d"
        assert "Mine" not in bench.screen


async def test_a_wrong_name_is_said_and_a_taken_one_asks():
    save_preset("mine", get_preset("naive-1d").experiment)
    async with lab() as bench:
        await bench.press("n")
        await open_prompt(bench)
        for name, said in (("", "not allowed"), ("naive-1d", "built-in"), ("-", "not allowed")):
            bench.app.screen.query_one("Input").value = name
            await bench.press("enter")
            assert said in bench.screen
        bench.app.screen.query_one("Input").value = "mine"
        await bench.press("enter")
        assert "enter again replaces it" in bench.screen
        await bench.press("escape")
        await closed(bench)
        assert own_presets()[0]["mine"].experiment.sampling.points == 1000
        await open_prompt(bench)
        bench.app.screen.query_one("Input").value = "mine"
        await bench.press("enter", "enter")
        await closed(bench)
        assert own_presets()[0]["mine"].experiment.sampling.points == 200


async def test_a_damaged_one_is_a_warning_and_the_others_are_there():
    save_preset("good", get_preset("flow-moons").experiment)
    (presets_folder() / "bad.json").write_text("{")
    async with lab() as bench:
        assert [p.id for p in listed(bench).presets if p.own] == ["good"]
        assert any("bad.json: left out" in n.message for n in bench.app._notifications)


@pytest.mark.parametrize("name", ["good", "gone", "bad"])
def test_the_lab_opens_where_it_was_left_or_at_the_beginning(name, monkeypatch, capsys):
    from tui_diffusion.core.config.errors import ConfigError
    from tui_diffusion.core.paths import settings_file
    from tui_diffusion.lab import launch as start
    from tui_diffusion.lab.settings import Place, Settings, save

    save_preset("good", get_preset("flow-moons").experiment)
    save_preset("bad", get_preset("flow-moons").experiment)
    save(settings_file(), Settings(place=Place(name)))
    (presets_folder() / "bad.json").write_text("{")
    made = []

    def make(wanted, points):
        made.append(get_preset(wanted).experiment.name)
        return get_preset(wanted).experiment

    with pytest.raises(ConfigError, match="needs a terminal"):
        start.open_lab(None, make, start.Options())
    assert made == ["good" if name == "good" else "naive-1d"]
