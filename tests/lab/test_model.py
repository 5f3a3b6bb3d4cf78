"""The model of the lab, without a screen: its benches, its presets, and what they become."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tui_diffusion.core.config.presets import PRESETS, Preset
from tui_diffusion.lab.model import Model
from tui_diffusion.lab.sampling.worker import Worker
from tui_diffusion.lab.session.records import SessionState, Training
from tui_diffusion.lab.session.session import Session
from tui_diffusion.lab.workspace import Workspace

from ..changed import changed


def make_model(experiment) -> Model:
    def nothing(*_):
        return None

    workers = [Worker(nothing, nothing, nothing) for _ in range(2)]
    return Model(experiment, PRESETS, Session(nothing), *workers)


def own(name, experiment) -> Preset:
    preset = PRESETS["naive-1d"]
    named = experiment.model_copy(update={"name": name})
    return replace(preset, id=name, experiment=named)


def test_what_is_set_stands_on_its_own_bench():
    model = make_model(changed("naive-2d", training__steps="7"))
    assert (model.chosen, model.preset) == ("naive-2d", PRESETS["naive-2d"])
    assert model.workspace.experiment.training.steps == 7
    assert model.workspaces["naive-1d"].experiment == PRESETS["naive-1d"].experiment
    assert PRESETS["naive-2d"].experiment.training.steps != 7


def test_a_preset_of_ones_own_is_added_renamed_and_removed():
    model = make_model(changed("naive-1d", training__steps="7"))
    training = model.workspace.training = Training(model.workspace.experiment)
    for was, name in ((None, "first"), ("first", "second")):
        model.change_preset(was, own(name, model.workspace.experiment))
        assert model.chosen == model.workspace.experiment.name == name
        assert model.workspace.experiment.training.steps == 7
        assert model.workspace.training is training, "what has been trained goes with it"
        assert set(model.presets) == set(model.workspaces) == {*PRESETS, name}
    model.change_preset("second", None)
    assert model.chosen == "naive-1d"
    assert set(model.presets) == set(model.workspaces) == set(PRESETS)


def test_a_run_goes_to_the_bench_of_its_name_or_of_its_origin():
    model = make_model(PRESETS["naive-1d"].experiment)
    other = changed("naive-2d", training__steps="7")
    assert model.put(other, Training(other)) == "naive-2d"
    assert model.workspaces["naive-2d"].training.experiment is other
    unknown = other.model_copy(update={"name": "of-another-time"})
    assert model.put(unknown, Training(unknown)) in PRESETS
    assert "of-another-time" not in model.workspaces
    assert model.chosen == "naive-1d", "it is put there, and chosen by who asks for it"


def test_it_needs_no_textual():
    script = "import sys, tui_diffusion.lab.model; print(any('textual' in m for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_a_training_that_ended_goes_on_to_more_steps_and_to_nothing_else():
    before = changed("naive-1d", training__steps="10")
    training = Training(
        before, state=SessionState.FINISHED, run=Path("run"), snapshot=(10, None), step=10
    )
    driver = Workspace(before, training)
    assert not driver.can_go_on, "no steps are left"
    driver.experiment = changed("naive-1d", training__steps="20")
    assert driver.can_go_on
    assert driver.newly_possible(before) == "p goes on from step 10; t trains anew."
    assert not driver.newly_possible(driver.experiment), "it was possible before"
    training.state = SessionState.TRAINING
    assert not driver.can_go_on
    training.state = SessionState.STOPPED
    driver.experiment = changed("naive-1d", training__steps="20", network__width="7")
    assert not driver.can_go_on
