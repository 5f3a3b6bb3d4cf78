"""The state of the form without its widgets: drafts, trial values, undo and the fields shown."""

from __future__ import annotations

import subprocess
import sys

from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.lab.panels.form.model import EntryOutcome, FormModel, settle


def showing(preset: str = "ddpm-multimodal", **settings: object) -> FormModel:
    """A model of a preset, changed by ``settings``."""
    model, experiment = FormModel(), PRESETS[preset].experiment
    model.show(experiment.with_settings(settings), experiment)
    return model


def test_a_rejected_value_is_a_draft_with_its_reason() -> None:
    model = showing()
    before = model.experiment
    taken = model.enter("training.lr", " abc ")
    assert taken == EntryOutcome(None, model.problems["training.lr"])
    assert model.experiment == before == model.trial
    assert model.text("training.lr") == "abc" and not model.changed("training.lr")
    assert model.fault("training.lr") is taken.error and model.summary == "1 wrong"
    assert model.enter("training.lr", "3e-3") == EntryOutcome(model.experiment, None)
    assert not model.drafts and model.summary == "1 changed"
    assert model.enter("training.lr", "0.003") is None


def test_values_that_are_only_right_together_are_taken_together() -> None:
    model = showing("naive-1d")
    assert model.enter("schedule.sigma_min", "2").experiment is None
    taken = model.enter("schedule.sigma_max", "5")
    assert taken.error is None and not model.drafts
    assert (taken.experiment.schedule.sigma_min, taken.experiment.schedule.sigma_max) == (2, 5)


def test_settle_takes_all_it_can_in_any_order() -> None:
    experiment = PRESETS["naive-1d"].experiment
    drafts = {
        "schedule.sigma_min": "2",
        "training.lr": "abc",
        "schedule.sigma_max": "5",
        "method.name": "naive-exact",
    }
    for _ in range(len(drafts)):
        first = next(iter(drafts))
        drafts[first] = drafts.pop(first)
        settled, problems = settle(experiment, drafts)
        assert list(problems) == ["training.lr"]
        assert settled.schedule.sigma_min == 2 and settled.method.name == "naive-exact"


def test_reset_brings_back_one_field_then_all_then_the_changes() -> None:
    model = showing()
    for path, text in (("training.lr", "1"), ("training.batch", "7"), ("seed", "x")):
        model.enter(path, text)
    assert model.to_undo("training.lr").startswith("preset: 0.00")
    model.reset("training.lr")
    model.reset("seed")
    changed = model.experiment
    assert model.summary == "1 changed" and "reset all changed (1)" in model.to_undo("seed")
    assert model.reset("seed") == EntryOutcome(model.preset, None)
    assert model.to_undo("seed") == "backspace: changes back"
    assert model.reset("seed") == EntryOutcome(changed, None) and model.experiment == changed
    model.reset("training.batch")
    assert model.reset("seed") is None and not model.to_undo("seed")


def test_the_trial_follows_the_text_in_the_editor_and_leaves_the_experiment() -> None:
    model = showing()
    before = model.experiment
    model.begin("training.lr")
    model.try_text("training.lr", "3")
    assert model.trial.training.lr == 3 and model.experiment == before
    model.try_text("training.lr", "3x")
    assert model.trial.training.lr == 3 and model.fault("training.lr") and not model.problems
    assert model.next_text("training.lr", "3x", up=True) == "5"
    model.end()
    assert model.trial == before and model.fault("training.lr") is None


def test_a_step_that_another_field_forbids_has_its_reason_and_changes_nothing() -> None:
    model = showing("naive-1d", **{"schedule.sigma_min": 0.5})
    before = model.experiment
    assert model.nudge("schedule.sigma_min", up=True) is None
    assert "not below" in str(model.fault("schedule.sigma_min"))
    assert model.experiment == before and not model.drafts
    model.clear_refusal()
    assert model.fault("schedule.sigma_min") is None
    assert model.nudge("training.lr", up=True).experiment.training.lr > before.training.lr


def test_the_fields_of_a_file_show_once_it_is_named(tmp_path) -> None:
    file = tmp_path / "points.tsv"
    file.write_text("dataset\tx\ty\n" + "".join(f"{'ab'[k % 2]}\t{k}\t{-k}\n" for k in range(9)))
    model = showing()
    paths = lambda: {spec.path for spec in model.fields()}  # noqa: E731
    assert "data.columns" not in paths() and "data.means" in paths()
    assert model.enter("data.name", f"file:{file}").error is not None  # which columns?
    assert "data.columns" in paths() and "x,y" in model.spec_to_edit("data.columns").choices
    assert model.enter("data.columns", "x,y").error is None
    assert model.experiment.data.name == "file" and "data.means" not in paths()


def test_showing_another_experiment_drops_the_drafts() -> None:
    model = showing()
    model.enter("training.lr", "abc")
    model.show(Experiment(), Experiment())
    assert not model.drafts and not model.problems and not model.summary


def test_the_model_loads_neither_textual_nor_torch_nor_numpy() -> None:
    code = (
        "import sys, tui_diffusion.lab.panels.form.model;"
        "sys.exit(bool({'textual', 'torch', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
