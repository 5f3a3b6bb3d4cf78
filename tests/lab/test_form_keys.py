"""The form's keys and mouse, its list of experiments, and its steps up and down."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.cells import cell_len
from textual import events
from textual.widgets import Input

from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.lab.widgets.row_list import RowList, fit

from .form_host import APP_KEYS, PRESET_OF, Host, about, enter, press, shown

# --- keys and mouse -----------------------------------------------------------------------------


async def test_the_apps_keys_pass_unless_something_is_open() -> None:
    async with Host().run_test() as pilot:
        app = pilot.app
        for widget in (app.list, app.form):
            widget.focus()
            await press(pilot, *APP_KEYS)
            assert app.pressed == APP_KEYS
            app.pressed.clear()

        app.form.select("training.lr")
        await pilot.press("enter")
        field = app.query_one(Input)
        field.value = ""
        await press(pilot, *APP_KEYS)
        assert app.pressed == [] and field.value == " 123tpxnvgicerdhlq[]+-?"
        await pilot.press("home")
        assert field.cursor_position == 0
        await pilot.press("right")
        assert field.cursor_position == 1
        await pilot.press("escape")

        app.form.select("training.loss")
        await pilot.press("enter")
        await press(pilot, *APP_KEYS)
        assert app.form.editing and app.pressed == []
        await pilot.press("n", "enter")
        assert app.form.model.experiment.training.loss == "norm"


async def test_the_cursor_skips_headings_and_stays_in_sight() -> None:
    async with Host().run_test(size=(28, 24)) as pilot:
        app = pilot.app
        lines = app.form.fields
        paths = [s.path for s in field_table().values() if s.applies(app.form.model.experiment)]
        app.form.select(paths[0])
        visited = [app.form.path]
        for _ in paths[1:]:
            await press(pilot, "down")
            visited.append(app.form.path)
            y = lines.cursor - lines.scroll_offset.y
            assert 0 <= y < lines.scrollable_content_region.height
        assert visited == paths
        await pilot.press("down")
        assert app.form.path == paths[-1]
        await press(pilot, *["pageup"] * 20)
        assert app.form.path == paths[0] and lines.scroll_offset.y == 0
        await press(pilot, *["pagedown"] * 20)
        assert app.form.path == paths[-1]


async def test_the_mouse_selects_opens_and_scrolls() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        app = pilot.app
        lines = app.form.fields
        await pilot.click(lines, offset=(5, 4))
        assert app.form.path == "data.stds" and not app.form.editing
        await pilot.click(lines, offset=(5, 4))
        assert app.form.editing
        await pilot.press("escape")
        lines._on_mouse_scroll_down(
            events.MouseScrollDown(lines, 1, 1, 0, 1, 0, False, False, False)
        )
        await pilot.pause()
        assert lines.scroll_offset.y > 0
        await pilot.click(app.list, offset=(5, 2))
        assert app.chosen == [list(PRESETS)[1]]


@pytest.mark.parametrize("width", [20, 26, 40, 80, 120])
async def test_rows_fill_the_width_and_never_pass_it(width: int) -> None:
    async with Host("ddpm-1d").run_test(size=(width, 30)) as pilot:
        app = pilot.app
        app.list.marks = {"ddpm-1d": "● training", "naive-1d": "✓ trained"}
        app.form.enter("training.steps", "x" * 200)
        await pilot.pause()
        for lines in app.query(RowList):
            region = lines.scrollable_content_region
            assert {cell_len(row) for row in shown(lines)} == {region.width}
        assert "▸ One Gauss" in "\n".join(shown(app.list))
        assert "●" in "\n".join(shown(app.list))


# --- the list of experiments --------------------------------------------------------------------


async def test_the_list_chooses_as_the_cursor_moves() -> None:
    ids = list(PRESETS)
    async with Host(ids[0]).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        app.list.focus()
        assert app.list.chosen == ids[0]
        await pilot.press("up", "down", "down", "enter")
        assert app.chosen == [ids[1], ids[2], ids[2]] and app.list.chosen == ids[2]
        app.list.chosen = ids[4]
        await pilot.pause()
        assert app.list.chosen == ids[4] and len(app.chosen) == 3
        app.list.marks = {ids[4]: "● training"}
        await pilot.pause()
        row = next(row for row in shown(app.list) if "▸" in row)
        assert all(text in row for text in ("One Gaussian", ids[4], "simple_DDPM", "● training"))
        with pytest.raises(ValueError):
            app.list.chosen = "nothing"


def test_fit_counts_cells_and_shows_no_control_character() -> None:
    assert fit("abc", 5) == "abc  " and fit("abc", 5, right=True) == "  abc"
    assert fit("abcdef", 4) == "abc…" and fit("abcdef", 4, plain=True) == "abc~"
    assert cell_len(fit("噪声噪声", 4)) == 4 and fit("abc", 0) == ""
    assert fit("a\x1bb\n", 4) == "a?b?"


def test_the_panel_loads_neither_torch_nor_numpy() -> None:
    code = (
        "import sys, tui_diffusion.lab.panels.form.form, tui_diffusion.lab.panels.experiments;"
        "sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- nudging ------------------------------------------------------------------------------------


async def test_nudging_changes_every_field_and_never_leaves_a_draft() -> None:
    async with Host().run_test(size=(100, 60)) as pilot:
        app = pilot.app
        for path, before in PRESET_OF.items():
            app.form.show(before, before)
            app.form.select(path)
            seen = {app.form.model.text(path)}
            for up in (*[True] * 20, *[False] * 40):
                app.form.fields.action_nudge(up)
                seen.add(app.form.model.text(path))
                assert not app.form.model.drafts and not app.form.editing
            # What is shown reads back as what is.
            now = app.form.model.experiment
            assert now.with_settings({path: app.form.model.text(path)}) == now, path
            # The naive method goes with one schedule alone, and there is one network.
            single = path in ("schedule.kind", "network.name")
            spec = field_table()[path]
            stays = (spec.kind in ("list", "text") and spec.scale != "label") or single
            assert (len(seen) == 1) == stays, path


async def test_the_keys_nudge_the_field_and_the_open_text_field() -> None:
    async with Host().run_test(size=(100, 60)) as pilot:
        app = pilot.app
        app.form.select("training.lr")
        await press(pilot, ".", ".", ",")
        assert app.form.model.experiment.training.lr == 5e-3 and not app.pressed
        await press(pilot, "enter", "up", "up", "down")
        assert app.query_one(Input).value == "0.01" and app.form.path == "training.lr"
        assert app.form.model.experiment.training.lr == 5e-3  # not yet taken
        await press(pilot, "enter")
        assert app.form.model.experiment.training.lr == 0.01
        # From what is typed, as far as that is a value; else from the last one that was.
        await press(pilot, "enter", *"300", "up")
        assert app.query_one(Input).value == "500"
        await press(pilot, "x", "down")
        assert app.query_one(Input).value == "200"
        await press(pilot, "escape")
        assert app.form.model.experiment.training.lr == 0.01

        app.form.select("training.loss")
        await press(pilot, ".", ".", ".")
        assert app.form.model.experiment.training.loss == "mean"
        app.form.select("device")
        await press(pilot, ".", "enter", "up", "escape")
        assert app.form.model.experiment.device == "auto" and not app.form.model.drafts


async def test_a_nudge_that_another_field_forbids_is_explained_until_the_cursor_moves() -> None:
    async with Host("naive-1d").run_test(size=(100, 60)) as pilot:
        app = pilot.app
        app.form.select("schedule.sigma_min")
        await enter(pilot, "schedule.sigma_min", "0.5")
        await press(pilot, ".")
        assert app.form.model.experiment.schedule.sigma_min == 0.5 and not app.form.problems
        assert "1 is not below schedule.sigma_max = 1" in about(app)
        await press(pilot, "down", "up")
        assert "not below" not in about(app)
