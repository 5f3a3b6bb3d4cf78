"""The setup panel: every field can be edited, and no wrong value is taken or lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment, field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.value_types import format_value
from tui_diffusion.lab.panels.experiments import ExperimentList
from tui_diffusion.lab.panels.form.form import Form
from tui_diffusion.lab.widgets.row_list import RowList, fit

from ..lab_driver import lab
from ..lab_driver import until as lab_until

APP_KEYS = ["left", "right", "home", "end", "space", *"123tpxnvgicerdhlq[]+-?"]

WRONG = {"int": ("abc", "-1", "2.5"), "float": ("abc", "1e99", "nan"), "text": ("nope", "cuda:")}
"""What no field of a kind takes."""

# What brings the fields to the fore that no preset shows.
SHOWN_BY = {"data.count": {"data.name": "ring"}, "sampling.eta": {"sampling.sampler": "ddim"}}
# A field that not every preset in which it shows can have at another value.
BEST = {"sampling.levels": "edm-moons"}
# They come with a file, which has a test of its own.
ELSEWHERE = {"data.path", "data.columns", "data.where", "data.scaling"}


def experiment_with(path: str) -> Experiment:
    """An experiment in which a field applies."""
    spec = field_table()[path]
    if path in BEST:
        return PRESETS[BEST[path]].experiment
    for preset in PRESETS.values():
        if spec.applies(preset.experiment):
            return preset.experiment
    return PRESETS["edm-moons"].experiment.with_settings(SHOWN_BY[path])


PRESET_OF = {path: experiment_with(path) for path in field_table() if path not in ELSEWHERE}
"""An experiment in which each field applies."""


class Host(App[None]):
    """Both widgets, the app's keys, and a record of all that was posted."""

    CSS = "#list, #form { border: round $accent; } #list { max-height: 9; }"
    BINDINGS = [Binding(key, f"record({key!r})") for key in APP_KEYS]

    def __init__(self, preset: str = "ddpm-multimodal") -> None:
        super().__init__()
        self.first = preset
        self.pressed: list[str] = []
        self.chosen: list[str] = []
        self.changes: list[Experiment] = []
        self.rejections: list[ConfigError] = []

    def compose(self) -> ComposeResult:
        yield ExperimentList(list(PRESETS.values()), self.first, id="list")
        yield Form(id="form")

    def on_mount(self) -> None:
        experiment = PRESETS[self.first].experiment
        self.form.show(experiment, experiment)
        self.form.focus()

    @property
    def form(self) -> Form:
        return self.query_one(Form)

    @property
    def list(self) -> ExperimentList:
        return self.query_one(ExperimentList)

    def action_record(self, key: str) -> None:
        self.pressed.append(key)

    def on_experiment_list_chosen(self, event: ExperimentList.Chosen) -> None:
        self.chosen.append(event.id)

    def on_form_changed(self, event: Form.Changed) -> None:
        self.changes.append(event.experiment)

    def on_form_rejected(self, event: Form.Rejected) -> None:
        self.rejections.append(event.error)


def post(pilot: Pilot[None], *keys: str) -> None:
    """Send keys in one burst, as a terminal does; they take effect a little later."""
    for key in keys:
        key = " " if key == "space" else key
        name, character = (_character_to_key(key), key) if len(key) == 1 else (key, None)
        pilot.app.post_message(events.Key(name, character))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; the pilot's own waits take 50 ms each."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys without the pilot's wait after each of them."""
    post(pilot, *keys)
    await pilot.pause()
    await pilot.pause()


async def enter(pilot: Pilot[None], path: str, text: str) -> None:
    """Type a value into a field, as a person does."""
    form = pilot.app.query_one(Form)
    form.select(path)
    post(pilot, "enter", *text)
    await until(lambda: [field.value for field in pilot.app.query(Input)] == [text])
    assert form.editing
    count = len(pilot.app.changes) + len(pilot.app.rejections)
    post(pilot, "enter")
    await until(lambda: len(pilot.app.changes) + len(pilot.app.rejections) > count)
    await until(lambda: not pilot.app.query(Input))
    assert not form.editing and form.fields.has_focus


async def choose(pilot: Pilot[None], path: str, choice: str) -> None:
    """Pick a choice from its list, as a person does."""
    form = pilot.app.query_one(Form)
    form.select(path)
    await pilot.press("enter")
    choices = field_table()[path].choices
    by = choices.index(choice) - choices.index(form.model.text(path))
    await pilot.press(*["down" if by > 0 else "up"] * abs(by), "enter")


def shown(lines: RowList) -> list[str]:
    """The rows that are on the screen."""
    return [lines.render_line(y).text for y in range(lines.scrollable_content_region.height)]


def rows(app: Host) -> str:
    """All rows of the form, whether in sight or not."""
    lines = app.form.fields
    return "\n".join("".join(text for text, _ in lines.paint(y, 40)) for y in range(lines.count()))


def about(app: Host) -> str:
    """The help below the rows, as one line."""
    return " ".join(line.strip() for line in shown(app.form.help))


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
            assert field_table()[path].help[:60] in about(app)
            if field_table()[path].kind not in ("choice", "bool"):  # those open as a list
                assert field_table()[path].allowed[:30] in about(app)


@pytest.mark.parametrize("kind", ["int", "float", "text", "list"])
async def test_a_wrong_value_is_kept_marked_and_explained(kind: str) -> None:
    async with Host().run_test(size=(100, 60)) as pilot:
        app = pilot.app
        for path, spec in field_table().items():
            if spec.kind != kind or path in ELSEWHERE:
                continue
            before = PRESET_OF[path]
            app.form.show(before, before)
            for wrong in WRONG.get(kind, ("abc", "0.5, x")):
                app.rejections.clear()
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
        "schedule.betas": ("0.1 0.2", (0.1, 0.2)),
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
        assert app.form.path == "data.std" and not app.form.editing
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
            stays = field_table()[path].kind in ("list", "text") or path == "schedule.kind"
            assert (len(seen) == 1) == stays, path  # the naive method goes with one schedule alone


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


@pytest.mark.parametrize("size", [(60, 18), (28, 20), (100, 60)])
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


# --- the picture of the noise levels --------------------------------------------------------------


@pytest.mark.parametrize("name", ["naive-1d", "ddpm-1d", "ddpm-multimodal", "flow-moons"])
async def test_the_noise_levels_follow_what_is_typed(name: str) -> None:
    from tui_diffusion.lab.drawing.palette import Palette
    from tui_diffusion.lab.views.noise_levels import noise_levels

    palette, drawn = Palette.default(), []

    def picture(experiment, preset, path, width, height):
        drawn.append(experiment)
        return noise_levels(experiment, preset, width, height, palette, "braille")

    async with Host(name).run_test(size=(46, 40)) as pilot:
        app, form = pilot.app, pilot.app.form
        form.picture = picture
        path = "schedule.betas" if name == "ddpm-1d" else "schedule.levels"
        values = ("0.1 0.2 0.3", "0.1 0.2 0.3, 7") if name == "ddpm-1d" else ("4", "4x")
        form.select(path)
        await pilot.pause()
        before = about(app)
        assert ("sigma" if name == "naive-1d" else "alpha_bar") in before and "level" in before
        await press(pilot, "enter", *values[0])
        assert drawn[-1] == form.model.experiment.with_settings({path: values[0]}) == form.trial
        now = about(app)
        assert now != before
        await press(pilot, *values[1].removeprefix(values[0]))
        # Of the last value that can be, below the reason why this one cannot.
        assert drawn[-1] == form.model.experiment.with_settings({path: values[0]})
        assert "not allowed" in about(app) and "level" in about(app)
        await press(pilot, "escape")
        assert drawn[-1] == form.model.experiment and about(app) == before
        form.select("training.lr")
        await pilot.pause()
        assert field_table()["training.lr"].help in about(app)


async def test_a_list_of_schedules_shows_each_as_the_cursor_passes() -> None:
    async with Host("ddpm-multimodal").run_test(size=(60, 40)) as pilot:
        form, drawn = pilot.app.form, []
        form.picture = lambda *what: drawn.append(what[0].schedule.kind) or []
        form.select("schedule.kind")
        await press(pilot, "enter", "down", "down")
        assert drawn[-1] == "cosine" and form.model.experiment.schedule.kind == "karras-beta"
        await press(pilot, "escape")
        assert drawn[-1] == "karras-beta"


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (100, 30), (120, 40), (200, 60)])
async def test_the_noise_levels_show_at_every_size_while_a_schedule_is_typed(size) -> None:
    async with lab("ddpm-multimodal", size=size) as driver:
        form = driver.form
        await driver.press("1")
        form.select("schedule.levels")
        form.focus()
        pictures = []
        await driver.press("enter", "8")
        pictures.append(shown(form.help))
        await driver.press("0")
        pictures.append(shown(form.help))
        assert all("alpha_bar" in "".join(lines) for lines in pictures)
        assert pictures[0] != pictures[1]
        await driver.press("x")
        assert "not allowed" in " ".join(" ".join(shown(form.help)).split())
        assert form.fields.scrollable_content_region.height >= 3
        form.close_editor()
        form.select("schedule.kind")
        await driver.press("enter")
        for _ in range(2):
            await driver.press("down")
            field = form.query_one(OptionList).region
            assert not field.overlaps(form.help.region) and "─" in "".join(shown(form.help))


async def test_the_view_of_the_schedule_follows_what_is_typed() -> None:
    async with lab("ddpm-multimodal") as driver:
        await driver.press("o", "o", "o")
        levels = lambda: len(driver.loss.diagnosis.amplification) if driver.loss.diagnosis else 0  # noqa: E731
        await lab_until(lambda: levels() == 20)
        driver.form.select("schedule.levels")
        driver.form.focus()
        await driver.press("enter", "7")
        await lab_until(lambda: levels() == 7)
        await driver.press("x")  # what cannot be changes nothing
        assert driver.form.model.fault("schedule.levels") and levels() == 7
        await driver.press("escape")
        await lab_until(lambda: levels() == 20)
        assert driver.app.model.workspace.experiment.levels == 20


async def test_a_file_is_named_and_its_columns_and_rows_are_chosen(tmp_path):
    """Its own columns and groups are the choices, also while it is refused for want of one."""
    file = tmp_path / "dino.tsv"
    file.write_text("dataset\tx\ty\n" + "".join(f"{'ab'[k % 2]}[b]\t{k}\t{-k}\n" for k in range(9)))
    async with Host("edm-moons").run_test(size=(100, 60)) as pilot:
        app = pilot.app
        app.form.select("data.name")
        await pilot.press("enter", "end", "enter")
        post(pilot, *str(file), "enter")
        await until(lambda: bool(app.form.problems))
        assert app.form.model.drafts == {"data.name": f"file:{file}"}
        assert "'dataset' is text; choose one or two with data.columns" in about(app)
        app.form.select("data.columns")
        await pilot.press("enter")
        assert prompts(app) == ["(all)", "x,y", "x", "y"]
        await pilot.press("down", "enter")
        await until(lambda: not app.form.problems)
        assert app.form.model.experiment.data.points.shape == (9, 2)
        app.form.select("data.where")
        await pilot.press("enter")
        assert prompts(app) == ["(all)", "dataset:a[b]", "dataset:b[b]"]
        await pilot.press("down", "down", "enter")
        await until(lambda: app.form.model.experiment.data.where == "dataset:b[b]")
        assert app.form.model.experiment.data.points[:, 0].tolist() == [1, 3, 5, 7]
        await pilot.press("enter", "home", "enter")
        await until(lambda: app.form.model.experiment.data.where == "")


def prompts(app: Host) -> list[str]:
    """What the open list offers."""
    choices = app.form.query_one(OptionList)
    return [str(choices.get_option_at_index(k).prompt) for k in range(choices.option_count)]
