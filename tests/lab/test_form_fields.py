"""Every field of the form, and fields that depend on each other."""

from __future__ import annotations

from itertools import cycle

import pytest
from textual.widgets import OptionList

from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.value_types import format_value
from tui_diffusion.lab.panels.form.model import FormModel

from .form_host import (
    ANY_TEXT,
    ELSEWHERE,
    PRESET_OF,
    WRONG,
    Host,
    about,
    choose,
    enter,
    post,
    rows,
    until,
)

# --- every field --------------------------------------------------------------------------------


async def test_every_field_shows_in_some_preset_with_its_help() -> None:
    async with Host().run_test(size=(100, 60)) as pilot:
        app = pilot.app
        for path, experiment in PRESET_OF.items():
            app.form.show(experiment, experiment)
            app.form.select(path)
            await pilot.pause()
            row = app.form.fields.render_line(
                app.form.fields.cursor - app.form.fields.scroll_offset.y
            ).text
            assert path in row and format_value(experiment.get(path))[:20] in row
            assert app.form.path == path
            spec, value = field_table()[path], format_value(experiment.get(path))
            note = f"{value}: {spec.notes.get(value)}"  # where the help on all choices is too long
            assert spec.help[:60] in about(app) or note[:60] in about(app)
            if field_table()[path].kind not in ("choice", "bool"):  # those open as a list
                assert field_table()[path].allowed[:30] in about(app)


@pytest.mark.parametrize("kind", ["int", "float", "text", "list"])
async def test_a_wrong_value_is_kept_marked_and_explained(kind: str) -> None:
    async with Host().run_test(size=(100, 60)) as pilot:
        app = pilot.app
        typed = cycle(WRONG.get(kind, ("abc", "0.5, x")))
        for path, spec in field_table().items():
            if spec.kind != kind or path in ELSEWHERE | ANY_TEXT:
                continue
            before = PRESET_OF[path]
            app.form.show(before, before)
            for wrong in WRONG.get(kind, ("abc", "0.5, x")):  # all of them, without a widget
                model = FormModel()
                model.show(before, before)
                refused = model.enter(path, wrong)
                assert refused is not None and refused.experiment is None
                assert refused.error is not None and refused.error.field == path
                assert (model.drafts, model.experiment) == ({path: wrong}, before)
            app.rejections.clear()
            wrong = next(typed)
            await enter(pilot, path, wrong)
            assert list(app.form.problems) == [path]
            assert [error.field for error in app.rejections] == [path]
            assert app.form.model.drafts == {path: wrong}
            assert app.form.model.experiment == before and not app.changes
            assert "✗" in rows(app) and wrong in rows(app)
            assert "allowed" in about(app)
            assert app.form.border_subtitle == "1 wrong"
            post(pilot, "backspace")
            await until(lambda: bool(app.changes))
            assert not app.form.problems and "✗" not in rows(app)
            assert app.changes.pop() == before and not app.changes


async def test_every_typed_field_takes_a_right_value() -> None:
    right = {"int": "7", "float": "0.5", "text": "cpu"}
    lists = {
        "data.means": ("2", ((2.0,),)),
        "data.weights": ("3", (3.0,)),
        "data.stds": ("0.3", (0.3,)),
        "schedule.betas": ("0.1 0.2", (0.1, 0.2)),
        "sampling.label": ("1", None),
    }
    async with Host().run_test(size=(100, 60)) as pilot:
        app = pilot.app
        for path, spec in field_table().items():
            if spec.kind in ("choice", "bool") or path in ELSEWHERE:
                continue
            experiment = PRESET_OF[path]
            app.form.show(experiment, experiment)
            text, value = lists.get(path, (right.get(spec.kind, ""), None))
            if path == "schedule.rho" or path.endswith("first_factor"):
                text = "2.5"
            if text == format_value(experiment.get(path)):
                text = "0.25"
            await enter(pilot, path, text)
            assert not app.form.problems, path
            assert app.changes.pop() == experiment.with_settings({path: value or text})
            assert "•" in rows(app)


async def test_a_switch_toggles_and_a_choice_opens_its_list() -> None:
    async with Host().run_test(size=(100, 60)) as pilot:
        app = pilot.app
        for path, before in PRESET_OF.items():
            spec = field_table()[path]
            app.form.show(before, before)
            if spec.kind == "bool":
                app.form.select(path)
                await pilot.press("enter")
                assert not app.form.editing
                assert app.form.model.experiment.get(path) is not before.get(path)
            elif spec.kind == "choice":
                app.form.select(path)
                await pilot.press("enter")
                options = app.query_one(OptionList)
                assert [o.prompt for o in options.options] == list(spec.choices)
                assert spec.choices[options.highlighted or 0] == before.get(path)
                await pilot.press("enter")
                assert not app.form.editing and app.form.model.experiment == before


# --- fields that depend on each other -----------------------------------------------------------


async def test_fields_come_and_go_with_what_they_depend_on() -> None:
    async with Host().run_test() as pilot:
        app = pilot.app
        assert "beta_min" in rows(app) and "betas" not in rows(app)
        await choose(pilot, "schedule.kind", "beta")
        assert app.form.path == "schedule.kind"
        assert "beta_min" not in rows(app) and "betas" in rows(app)
        with pytest.raises(KeyError):
            app.form.select("schedule.beta_min")
        app.form.select("network.per_level")
        await pilot.press("enter")
        assert "first_lr" in rows(app)


async def test_a_draft_whose_field_goes_is_dropped() -> None:
    async with Host().run_test() as pilot:
        app = pilot.app
        await enter(pilot, "training.decay_every", "abc")
        assert app.form.problems
        await choose(pilot, "training.decay", "none")
        assert not app.form.problems and not app.form.model.drafts


async def test_two_values_that_are_right_only_together() -> None:
    async with Host("naive-1d").run_test() as pilot:
        app = pilot.app
        await enter(pilot, "training.lr", "abc")
        await enter(pilot, "schedule.sigma_min", "2")
        assert app.form.border_subtitle == "2 wrong"
        await enter(pilot, "schedule.sigma_max", "5")
        assert app.form.model.experiment.schedule.sigma_min == 2
        assert app.form.model.experiment.schedule.sigma_max == 5
        assert list(app.form.problems) == ["training.lr"]

        await choose(pilot, "schedule.kind", "beta")
        assert list(app.form.problems) == ["training.lr", "schedule.kind"]
        await choose(pilot, "method.name", "ddpm")
        assert app.form.model.experiment.schedule.kind == "beta"
        assert list(app.form.model.drafts) == ["training.lr"]


async def test_the_edited_row_is_marked_where_another_field_is_at_fault() -> None:
    async with Host().run_test() as pilot:
        app = pilot.app
        await enter(pilot, "sampling.stop_before", "15")
        await enter(pilot, "schedule.levels", "10")
        assert list(app.form.problems) == ["schedule.levels"]
        assert app.form.problems["schedule.levels"].field == "sampling.stop_before"
        assert "sampling.stop_before" in about(app)
        app.form.select("sampling.stop_before")
        await pilot.press("backspace")
        assert app.form.model.experiment.schedule.levels == 10 and not app.form.problems


async def test_showing_another_experiment_drops_drafts_and_the_same_keeps_them() -> None:
    async with Host().run_test() as pilot:
        app = pilot.app
        await enter(pilot, "training.lr", "abc")
        app.form.show(app.form.model.experiment, app.form.model.preset)
        assert app.form.problems
        other = PRESETS["naive-1d"].experiment
        app.form.show(other, other)
        assert not app.form.problems and app.form.model.text("training.lr") == "0.001"
