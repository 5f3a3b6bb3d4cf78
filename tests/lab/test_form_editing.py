"""Editing a field: escape, focus, bursts, pastes, and the preset's value."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.widgets import Input, OptionList

from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.lab.widgets.row_list import RowList

from .form_host import PRESET_OF, Host, about, enter, press, rows, shown

# --- editing ------------------------------------------------------------------------------------


async def test_escape_restores_and_backspace_gives_the_presets_value_back() -> None:
    async with Host().run_test() as pilot:
        app = pilot.app
        preset = app.form.model.preset
        app.form.select("training.lr")
        await pilot.press("enter", *"5e-3", "escape")
        assert not app.form.editing and app.form.model.experiment == preset and not app.changes

        await enter(pilot, "training.lr", "5e-3")
        assert app.form.model.experiment.training.lr == 5e-3
        assert "preset: 0.002" in about(app) and app.form.border_subtitle == "1 changed"
        await pilot.press("enter", *"abc", "escape")
        assert app.form.model.experiment.training.lr == 5e-3 and not app.form.model.drafts
        await pilot.press("delete")
        assert app.form.model.experiment == preset and "•" not in rows(app)

        app.form.select("training.loss")
        await pilot.press("enter", "down", "escape")
        assert not app.form.editing and app.form.model.experiment == preset


async def test_the_editor_stays_over_its_value_when_the_terminal_changes_size() -> None:
    async with Host().run_test(size=(120, 40)) as pilot:
        app = pilot.app
        app.form.select("sampling.points")
        await pilot.press("enter", "7")
        for size in ((40, 24), (80, 60), (28, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            field, lines = app.query_one(Input).region, app.form.fields
            row = lines.region.y + lines.cursor - lines.scroll_offset.y
            assert (field.y, field.height) == (row, 1) and lines.region.contains_region(field)
        await pilot.press("enter")
        assert app.form.model.experiment.sampling.points == 7


async def test_leaving_a_text_field_takes_it_and_leaving_a_list_does_not() -> None:
    async with Host().run_test() as pilot:
        app = pilot.app
        app.form.select("training.steps")
        await pilot.press("enter", *"77", "tab")
        await pilot.pause()
        assert app.form.model.experiment.training.steps == 77 and not app.form.editing
        app.form.focus()
        app.form.select("training.loss")
        await pilot.press("enter", "up", "tab")
        await pilot.pause()
        assert app.form.model.experiment.training.loss == "sum" and not app.form.editing
        assert not app.query(Input) and not app.query(OptionList)


async def test_keys_that_come_in_one_burst_all_reach_the_editor() -> None:
    async with Host().run_test() as pilot:
        app = pilot.app
        app.form.select("training.lr")
        await pilot.pause()
        await press(pilot, "enter", *"5e-3", "enter")
        assert app.form.model.experiment.training.lr == 5e-3
        assert not app.form.editing and not app.pressed


async def test_other_keys_take_effect_before_the_text_behind_them() -> None:
    async with Host().run_test() as pilot:
        form = pilot.app.form
        for path, keys, value in (
            ("training.steps", ("end", "ctrl+u", *"123", "backspace", "4", "home", "9"), 9124),
            ("training.batch", (*"12", "left", "7", "ctrl+k", "left", "5"), 157),
        ):
            form.select(path)
            await pilot.pause()
            await press(pilot, "enter", *keys, "enter")
            assert form.model.experiment.get(path) == value and not form.editing


async def test_taking_a_long_list_as_it_is_does_not_round_it() -> None:
    betas = (0.123456789, 0.2)
    async with Host("ddpm-1d").run_test() as pilot:
        app = pilot.app
        experiment = app.form.model.preset.with_settings({"schedule.betas": betas})
        app.form.show(experiment, experiment)
        app.form.select("schedule.betas")
        await pilot.press("enter", "enter")
        assert app.form.model.experiment.schedule.betas == betas and not app.changes


async def test_a_pasted_control_character_never_reaches_the_terminal() -> None:
    async with Host().run_test() as pilot:
        app = pilot.app
        app.form.enter("device", "\x1b[2J[bold]")
        await pilot.pause()
        assert "\x1b" not in rows(app) + about(app) and "?[2J[bold]" in rows(app)


async def test_what_is_typed_is_judged_at_once() -> None:
    async with Host().run_test(size=(100, 60)) as pilot:
        app = pilot.app
        app.form.select("training.lr")
        await press(pilot, "enter", *"-3")
        assert "'-3' is not allowed" in about(app) and not app.rejections
        await press(pilot, "home", "delete")
        assert "not allowed" not in about(app) and app.form.trial.training.lr == 3
        await press(pilot, "escape")
        assert app.form.trial == app.form.model.experiment and not app.changes


@pytest.mark.parametrize(
    "size", [(60, 18), *(pytest.param(s, marks=pytest.mark.slow) for s in ((28, 20), (100, 60)))]
)
async def test_whatever_is_pasted_into_any_field_is_kept_or_refused(size: tuple[int, int]) -> None:
    pasted = (
        "\x1b]0;x\x07",
        "9" * 5000,
        "[red]",
        "ｅ１",
        "0x10",
        "1e400",
        "，。噪声" * 200,
        "'; --",
    )
    async with Host().run_test(size=size) as pilot:
        app = pilot.app
        for path, before in list(PRESET_OF.items())[::3]:
            if field_table()[path].kind in ("bool", "choice"):
                continue
            app.form.show(before, before)
            app.form.select(path)
            for text in pasted:
                app.form.open()
                editor = app.query(Input).last()
                editor.value = text
                app.form.model.try_text(path, text)
                app.form.close_editor()
                app.form.enter(path, text)
                assert app.form.problems.keys() <= {path}
                assert app.form.model.experiment == before or path not in app.form.problems
            await pilot.pause()
            for lines in app.query(RowList):
                width = lines.scrollable_content_region.width
                assert {cell_len(row) for row in shown(lines)} <= {width}
            assert "\x1b" not in rows(app) + about(app)
            app.form.select(path)
            app.form.fields.action_reset()
            assert not app.form.problems


# --- the preset's value -------------------------------------------------------------------------


async def test_backspace_again_resets_all_and_again_brings_the_changes_back() -> None:
    async with Host().run_test(size=(100, 60)) as pilot:
        app = pilot.app
        for path in ("training.lr", "training.batch", "sampling.points"):
            app.form.select(path)
            await press(pilot, ".")
        changed = app.form.model.experiment
        app.form.select("training.steps")
        await pilot.pause()
        assert "backspace: reset all changed (3)" in about(app)
        await press(pilot, "backspace")
        assert app.form.model.experiment == app.form.model.preset == app.changes[-1]
        assert "backspace: changes back" in about(app)
        await press(pilot, "backspace")
        assert app.form.model.experiment == changed == app.changes[-1]
        app.form.select("training.lr")
        await press(pilot, "backspace")
        assert app.form.model.experiment.training.lr == app.form.model.preset.training.lr
        assert app.form.model.experiment.training.batch == changed.training.batch


@pytest.mark.parametrize(("width", "plain"), [(34, False), (46, True), (100, False)])
async def test_a_changed_row_shows_the_presets_value_where_both_can_be_read(width, plain) -> None:
    async with Host().run_test(size=(width, 50)) as pilot:
        form = pilot.app.form
        form.fields.plain = plain
        form.enter("training.lr", "5e-3")
        form.enter("data.means", "(-1, 1), (1, -1), (-1, -1), (1, 2)")
        form.select("training.lr")
        await pilot.pause()
        rows = {spec.path if not isinstance(spec, str) else spec: y
                for y, spec in enumerate(form.fields.rows)}  # fmt: skip
        seen = {p: "".join(t for t, _ in form.fields.paint(y, width - 4)) for p, y in rows.items()}
        assert f"0.002 {'->' if plain else '→'} 0.005" in seen["training.lr"]
        assert "0.01" in seen["data.std"] and "→" not in seen["data.std"]
        assert "→" not in seen["data.means"] or width == 100
