"""The model of the lab, without a screen: its benches, its presets, and what they become."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.presets import PRESETS, Preset
from tui_diffusion.core.parts.loading import run_changed
from tui_diffusion.lab.model import Model
from tui_diffusion.lab.sampling.worker import Worker
from tui_diffusion.lab.session.records import SessionState, Training
from tui_diffusion.lab.session.session import Session
from tui_diffusion.lab.workspace import Workspace
from tui_diffusion.parts import load_parts

from ..changed import changed
from ..part_files import restored, written


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


def test_a_changed_part_file_is_taken_by_every_experiment_or_by_none(tmp_path):
    text = """
@sampler
def drift(x, level, denoiser, {parameter}):
    \"\"\"{help}.\"\"\"
    return denoiser(x, level).x0_hat
"""
    with restored():
        file = written(tmp_path, text.format(parameter="pull: float = 1.0", help="Old"))
        load_parts(file)
        of = changed("edm-1d", sampling__sampler="drift", sampling__pull="3")
        model = make_model(of)
        before = Training(of, snapshot=(1, None))
        model.workspace.training = before
        assert model.workspace.trained() is before

        # Another parameter: the value of the former one is dropped.
        written(tmp_path, text.format(parameter="push: int = 2", help="New"))
        (loaded,) = run_changed()
        model.take_parts(loaded)
        now = model.workspace.experiment
        assert (now.sampling.push, now.get("training.steps")) == (2, of.training.steps)
        assert "sampling.pull" not in field_table() and now != of
        assert model.workspace.trained() is before  # the sampler is no part of the network

        # Without the sampler that is in use, nothing changes.
        written(tmp_path, text.format(parameter="push: int = 2", help="New").replace("drift", "d"))
        (loaded,) = run_changed()
        with pytest.raises(ConfigError, match=r"my_parts\.py: sampling\.sampler: 'drift' is not"):
            model.take_parts(loaded)
        assert model.workspace.experiment is now
        assert now.with_settings({"sampling.push": 4}).sampling.push == 4


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
