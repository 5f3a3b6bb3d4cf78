"""The lab through Textual's pilot: what a person presses, and what is then on the screen."""

import numpy as np
import pytest
from textual.command import CommandList
from textual.widgets import Input

from tui_diffusion import docs
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.interface.keymap import ACTIONS
from tui_diffusion.lab.panels.experiments import ExperimentList
from tui_diffusion.lab.panels.status_bars import status
from tui_diffusion.lab.screens.help import HelpScreen
from tui_diffusion.lab.session.records import SessionState

from ..fakes import FakeTrainers
from ..lab_driver import NARROW, WIDE, lab, make_lab, running, until

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


# --- the first screen ------------------------------------------------------------------------


@SIZES
async def test_the_first_screen_shows_the_forward_process(size):
    async with lab(size=size) as driver:
        assert "level 10/10" in driver.title
        assert "gaussian-1d" in driver.title
        assert "true data" in driver.subtitle
        assert driver.status.split()[:2] == ["diffusion-tui", "naive-1d"]
        assert driver.status.split()[-1] == "idle"
        assert driver.title in driver.screen
        for key in ("t train", "q quit", "? help"):
            assert key in driver.screen.splitlines()[-1]
        assert len(driver.screen.splitlines()) == size[1]


async def test_wide_shows_setup_denoising_and_training_together():
    async with lab() as driver:
        for text in ("Experiment", "Hyperparameters", "Denoising", "Loss"):
            assert text in driver.screen
        for preset in PRESETS.values():
            assert preset.title[:20] in driver.screen


async def test_narrow_shows_one_of_three_tabs():
    titles = {"1": "Hyperparameters", "2": "Loss", "3": "Denoising"}
    async with lab(size=NARROW) as driver:
        for key in ("1", "2", "3", "1"):
            await driver.press(key)
            for other, title in titles.items():
                assert (f"{title} " in driver.screen) == (other == key), (key, title)
            assert driver.status in driver.screen, "the status line is on every tab"


async def test_before_the_first_film_it_is_loading():
    app = make_lab()
    start, app.model.sampling.start = app.model.sampling.start, lambda: None
    async with running(app) as driver:
        assert "loading" in driver.status
        assert not app.model.loaded
        start()
        await until(lambda: app.model.loaded)
        assert "idle" in driver.status


# --- keys ------------------------------------------------------------------------------------


async def focus(driver, where):
    """Put the focus on a widget, or on none."""
    screen = driver.app.screen
    match where:
        case "experiments":
            screen.query_one(ExperimentList).focus()
        case "form":
            driver.form.focus()
        case "denoising":
            driver.panel.focus()
        case "training":
            driver.loss.focus()
        case "nothing":
            screen.set_focus(None)
    await driver.pilot.pause(0.01)


PLACES = ("experiments", "form", "denoising", "training", "nothing")


async def test_keys_step_through_the_levels_whatever_has_the_focus():
    steps = [("home", 0), ("right", 1), ("l", 2), ("l", 3), ("left", 2), ("h", 1), ("h", 0),
             ("left", 0), ("end", 10), ("right", 10), ("h", 9)]  # fmt: skip
    async with lab() as driver:
        for where in PLACES:
            await focus(driver, where)
            for key, level in steps:
                await driver.press(key)
                assert f"level {level}/10" in driver.title, (where, key)
                assert f"level {level}/10" in driver.screen, (where, key)
        assert driver.app.model.chosen == "naive-1d"


@pytest.mark.parametrize("where", PLACES)
async def test_every_other_key_acts_whatever_has_the_focus(where):
    async with lab() as driver:
        await focus(driver, where)
        panel = driver.panel

        await driver.press("v")
        assert panel.view != "histogram"
        seen = [panel.view]
        while panel.view != "histogram":
            await driver.press("v")
            seen.append(panel.view)
        assert {"pdf and cdf", "mean and std"} < set(seen)

        await driver.press("g")
        assert panel.truth is False
        await driver.press("g")
        assert panel.truth is True

        await driver.press("plus", "plus")
        assert panel.zoom == 2
        await driver.press("minus", "minus", "minus")
        assert panel.zoom == -1

        speed = panel.playback.speed
        await driver.press("right_square_bracket")
        assert panel.playback.speed == speed + 1
        await driver.press("left_square_bracket", "left_square_bracket")
        assert panel.playback.speed == speed - 1

        before = panel.trajectory.x.copy()
        await driver.press("n")
        await until(lambda: not np.array_equal(panel.trajectory.x, before))

        await driver.press("i")
        await driver.trajectory("ideal")
        assert "ideal denoiser" in driver.subtitle
        await driver.press("i")
        await driver.trajectory("forward")

        logarithmic = driver.loss.logarithmic
        await driver.press("y")
        assert driver.loss.logarithmic is not logarithmic

        await driver.press("home", "space")
        assert panel.playback.playing
        await driver.press("space")
        assert not panel.playback.playing

        await driver.press("t")
        await driver.state("finished")
        await driver.press("question_mark")
        await until(lambda: isinstance(driver.app.screen, HelpScreen))
        await driver.press("escape")
        await until(lambda: len(driver.app.screen_stack) == 1)
        await driver.press("q")
        await until(lambda: not driver.app.is_running)
        assert driver.app.return_value == 0


async def test_zoom_and_speed_have_ends():
    async with lab() as driver:
        await driver.press(*["plus"] * 20)
        highest = driver.panel.zoom
        await driver.press("plus")
        assert driver.panel.zoom == highest < 20
        await driver.press(*["right_square_bracket"] * 9)
        assert driver.panel.playback.speed == 5
        await driver.press(*["left_square_bracket"] * 9)
        assert driver.panel.playback.speed == 0


async def test_keys_are_letters_while_a_field_is_edited():
    async with lab() as driver:
        driver.form.select("training.lr")
        driver.form.focus()
        await driver.press("home", "enter")
        assert isinstance(driver.app.focused, Input)
        await driver.press(
            "end", "ctrl+u", *"thlvginpxq123", "space", "left", "end", "question_mark"
        )
        assert driver.app.focused.value == "thlvginpxq123 ?"
        assert driver.app.model.session.training is None
        assert "level 0/10" in driver.title
        assert driver.app.is_running and len(driver.app.screen_stack) == 1
        await driver.press("escape")
        assert not driver.form.editing
        assert driver.form.model.text("training.lr") == "0.001"
        await driver.press("l")
        assert "level 1/10" in driver.title


async def test_what_is_typed_at_once_after_enter_belongs_to_the_field():
    async with lab() as driver:
        driver.form.select("training.steps")
        driver.form.focus()
        await driver.pilot.pause(0.01)
        driver.type("enter", "q", "t", "4", "2", "enter")
        await until(lambda: driver.form.model.drafts == {"training.steps": "qt42"})
        assert driver.app.is_running
        assert driver.app.model.session.training is None


async def test_keys_are_not_the_labs_while_choices_are_open():
    async with lab() as driver:
        driver.form.select("training.optimizer")
        driver.form.focus()
        await driver.press("enter")
        assert driver.form.editing
        await driver.press("t", "h", "q", "space")
        assert driver.app.model.session.training is None
        assert "level 10/10" in driver.title
        await driver.press("escape")
        assert not driver.form.editing
        await driver.press("h")
        assert "level 9/10" in driver.title


async def test_play_runs_to_the_end_and_holds():
    async with lab() as driver:
        seen = []
        driver.loss.at = seen.append  # the loss is told of every level that shows
        await driver.press(*["right_square_bracket"] * 5, "space")
        assert driver.panel.playback.playing, "from the end it starts anew"
        assert "playing 15/s" in driver.subtitle
        await until(lambda: not driver.panel.playback.playing and seen[-1:] == [10])
        assert seen == list(range(11))
        assert "level 10/10" in driver.title
        assert "playing" not in driver.subtitle
        await driver.pilot.pause(0.2)
        assert driver.panel.level == 10


async def test_a_step_holds_the_play():
    async with lab() as driver:
        await driver.press(*["left_square_bracket"] * 5, "home", "space", "right")
        assert not driver.panel.playback.playing
        assert "level 1/10" in driver.title


async def test_the_ruler_takes_clicks():
    async with lab() as driver:
        ruler = driver.panel.query_one("#ruler")
        await driver.pilot.click(ruler, offset=(7, 0))
        assert "level 0/10" in driver.title
        await driver.pilot.click(ruler, offset=(ruler.size.width - 8, 0))
        assert "level 10/10" in driver.title


# --- training --------------------------------------------------------------------------------


@SIZES
async def test_a_training_from_start_to_end(size):
    trainers = FakeTrainers(limit=400, chunk=100)
    async with lab(size=size, trainers=trainers) as driver:
        await driver.press("t")
        await driver.state("training")
        await until(lambda: "step 400/1,000" in driver.status)
        assert "1.0k/s" in driver.status
        assert "0:01 left" in driver.status
        await driver.press("p")
        await driver.state("paused")
        await driver.press("p")
        await driver.state("training")
        trainers.last.allow()
        await driver.state("finished")
        assert "step 1,000/1,000" in driver.status
        await driver.trajectory("network")
        assert "network, step 1,000" in driver.subtitle
        assert np.abs(driver.panel.trajectory.x[-1]).max() == 0, (
            "the fake network's data are the origin"
        )
        await driver.press("2")
        await until(lambda: "Loss" in driver.screen and "smoothed" in driver.screen)


async def test_points_that_did_not_show_while_it_trained_are_the_networks_once_they_do():
    async with lab(size=NARROW) as driver:
        await driver.press("1", "t")
        assert driver.app.main.tab == "training"
        await driver.state("finished")
        await driver.press("3")
        await driver.trajectory("network")
        assert "network, step 1,000" in driver.subtitle
    async with lab(size=NARROW) as driver:
        await driver.press("2", "t")
        await driver.state("finished")
        await driver.pilot.resize_terminal(*WIDE)
        await driver.trajectory("network")


@SIZES
async def test_the_status_line_is_the_same_on_every_tab(size):
    async with lab(size=size) as driver:
        await driver.press("t")
        await driver.state("finished")
        for key in "1231":
            await driver.press(key)
            assert "finished" in driver.screen.splitlines()[0]
            assert "step 1,000/1,000" in driver.screen.splitlines()[0]


async def test_stop_keeps_the_network():
    async with lab(trainers=FakeTrainers(limit=300)) as driver:
        await driver.press("t")
        await until(lambda: "step 300/1,000" in driver.status)
        await driver.press("x")
        await driver.state("stopped")
        await driver.trajectory("network")
        assert "network, step 300" in driver.subtitle


async def test_a_training_that_is_stopped_or_over_cannot_be_paused():
    async with lab() as driver:
        await driver.press("p", "x")
        assert "idle" in driver.status
        await driver.press("t")
        await driver.state("finished")
        await driver.press("p", "x")
        assert "finished" in driver.status


async def test_t_again_trains_anew():
    trainers = FakeTrainers(limit=300)
    async with lab(trainers=trainers) as driver:
        await driver.press("t")
        await until(lambda: "step 300/1,000" in driver.status)
        first = driver.app.model.workspace.training
        trainers.options = {}
        await driver.press("t")
        await driver.state("finished")
        assert first.state == "stopped"
        assert driver.app.model.workspace.training is not first
        assert len(trainers.made) == 2


async def test_the_film_follows_the_weights_while_training():
    trainers = FakeTrainers(limit=200)
    async with lab(trainers=trainers) as driver:
        await driver.press("t")
        await until(lambda: "network, step 200" in driver.subtitle)
        assert driver.panel.trajectory.request.live
        trainers.last.allow(500)
        await until(lambda: "network, step 500" in driver.subtitle)
        assert "training" in driver.status


async def test_another_experiment_can_be_trained_while_one_runs():
    trainers = FakeTrainers(limit=100)
    async with lab(trainers=trainers) as driver:
        await driver.press("t")
        await driver.state("training")
        await driver.press("down")
        await driver.trajectory()
        assert driver.app.model.chosen == "naive-2d"
        assert "training" in driver.status and "naive-1d" in driver.status, "it goes on"
        trainers.options = {}
        await driver.press("t")
        await driver.state("finished")
        assert driver.app.model.workspaces["naive-1d"].training.state == "stopped"
        assert driver.app.model.workspaces["naive-2d"].training.state == "finished"
        await driver.trajectory("network")
        await driver.press("up")
        await driver.state("stopped")
        await driver.trajectory("network")
        assert "network, step 100" in driver.subtitle, "the first one's network is still there"
        marks = driver.app.screen.query_one(ExperimentList).marks
        assert set(marks) == {"naive-1d", "naive-2d"}
        assert len(set(marks.values())) == 2


@SIZES
async def test_a_diverged_training_leaves_the_lab_alive(size):
    trainers = FakeTrainers(ends="diverged", at=37)
    async with lab(size=size, trainers=trainers) as driver:
        await driver.press("t")
        await driver.state("diverged")
        assert "step 37/1,000" in driver.status
        await driver.press("2")
        assert "iverged" in driver.banner and "step 37" in driver.banner
        assert "step 37 is not finite" in " ".join(driver.screen.split())
        await driver.trajectory("network")
        await driver.press("home", "l")
        assert "level 1/10" in driver.title
        trainers.options = {}
        await driver.press("t")
        await driver.state("finished")
        await driver.press("2")
        assert driver.banner == ""


async def test_a_failed_training_says_why_and_leaves_the_lab_alive():
    trainers = FakeTrainers(ends=RuntimeError("no [bold]memory[/]\nleft"), at=20)
    async with lab(trainers=trainers) as driver:
        await driver.press("t")
        await driver.state("failed")
        assert "no [bold]memory[/] left" in driver.banner, "names from outside are no markup"
        assert "no [bold]memory[/] left" in driver.screen
        trainers.options = {}
        await driver.press("t")
        await driver.state("finished")
        assert driver.banner == ""


async def test_sampling_that_fails_is_said_and_leaves_the_lab_alive():
    async with lab() as driver:

        class Broken:
            def __call__(self, x, level):
                raise RuntimeError("no [b]such[/b] network")

        trainers = driver.app.model.session._make_trainer
        made = trainers.__class__.__call__

        def make(experiment):
            trainer = made(trainers, experiment)
            trainer.denoiser = Broken()
            return trainer

        driver.app.model.session._make_trainer = make
        await driver.press("t")
        await until(lambda: "no [b]such[/b] network" in driver.screen)
        await driver.press("home")
        assert "level 0/10" in driver.title
        await driver.press("i")
        await driver.trajectory("ideal")


async def test_leaving_stops_a_training():
    trainers = FakeTrainers(limit=50)
    async with lab(trainers=trainers) as driver:
        await driver.press("t")
        await driver.state("training")
        training = driver.app.model.workspace.training
        await driver.press("q")
        await until(lambda: not driver.app.is_running)
    assert driver.app.close_workers()
    assert training.state == "stopped"


# --- setup -----------------------------------------------------------------------------------


@SIZES
async def test_every_experiment_can_be_chosen_by_keyboard(size):
    async with lab(size=size) as driver:
        await driver.press("1")
        for index, (name, preset) in enumerate(PRESETS.items()):
            if index:
                await driver.press("down")
            await driver.press("enter")
            await driver.trajectory()
            assert driver.app.model.chosen == name
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


# --- screens, sizes, themes ------------------------------------------------------------------


@SIZES
async def test_help_opens_and_closes(size):
    async with lab(size=size) as driver:
        for close in ("escape", "q", "question_mark"):
            await driver.press("question_mark")
            await until(lambda: isinstance(driver.app.screen, HelpScreen))
            await until(lambda: "Keys: " in driver.screen)
            await driver.press("l", "t")
            await driver.press(close)
            await until(lambda: len(driver.app.screen_stack) == 1)
            assert driver.app.is_running
        assert "level 10/10" in driver.title
        assert driver.app.model.session.training is None


async def test_the_help_opens_every_page_of_the_documentation():
    async with lab() as driver:
        await driver.press("question_mark")
        await until(lambda: isinstance(driver.app.screen, HelpScreen))
        for number, topic in enumerate(docs.TOPICS, 1):
            await driver.press(str(number))
            first = docs.page(topic).splitlines()[0].removeprefix("# ")
            await until(lambda: f" {first} " in driver.screen)  # noqa: B023
            assert f" {topic} " in driver.screen
            await driver.press("escape")
            await until(lambda: isinstance(driver.app.screen, HelpScreen))


@SIZES
async def test_the_help_begins_with_the_keys_of_what_is_in_focus(size):
    async with lab(size=size) as driver:
        for tab, group in (("1", "setup"), ("2", "training"), ("3", "denoising")):
            await driver.press(tab, "question_mark")
            await until(lambda: isinstance(driver.app.screen, HelpScreen))
            texts = driver.app.screen._page.renderables
            said = [text.plain.strip() for text in texts if hasattr(text, "plain")]
            keys = [line for line in said if line.startswith("Keys: ")]
            assert said[0] == keys[0] == f"Keys: {group}" and len({*keys}) == len(keys) == 4
            assert said.index(PRESETS["naive-1d"].about) < said.index("Formulas of these settings")
            await until(lambda: f"Keys: {group}" in driver.screen)  # noqa: B023
            await driver.press("escape")


async def test_the_help_explains_every_view_and_every_key():
    from tui_diffusion.lab.views.names import PICTURES
    from tui_diffusion.lab.views.render import VIEWS_1D, VIEWS_2D

    assert set(PICTURES) >= {*VIEWS_1D, *VIEWS_2D, "loss"}
    assert all(action.help.endswith(".") for action in ACTIONS)


async def test_the_palette_lists_every_action():
    async with lab() as driver:
        titles = {command.title for command in driver.app.get_system_commands(driver.app.screen)}
        for action in ACTIONS:
            assert any(f"({action.shown})" in title for title in titles), action.name
        await driver.press("ctrl+p")
        await driver.pilot.pause(0.2)
        await driver.press(*"ideal")
        await until(lambda: "Ideal (i)" in driver.screen)
        await driver.press("down", "enter")
        await driver.trajectory("ideal")


def test_every_action_exists_and_no_key_is_used_twice():
    app = make_lab()
    keys = [key for action in ACTIONS for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))
    for action in ACTIONS:
        target = app.targets[action.target]
        assert hasattr(target, f"action_{action.name.partition('(')[0]}"), action.name


async def test_another_theme_redraws_everything():
    def colours(driver):
        strips = driver.app.screen._compositor.render_strips()
        return {s.style.color for strip in strips for s in strip if s.style and s.text.strip()}

    async with lab() as driver:
        await driver.press("t")
        await driver.state("finished")
        await driver.trajectory("network")
        before, text = colours(driver), driver.screen
        driver.app.theme = "textual-light"
        await until(lambda: driver.app.palette.style("truth").color in colours(driver))
        await driver.pilot.pause(0.1)
        after = colours(driver)
        assert driver.screen.split()[:4] == text.split()[:4]
        shown = {"truth", "network", "bars", "axis", "text"}
        palette = driver.app.palette
        assert {palette.style(role).color for role in shown} <= after
        assert len(after & before) < len(before) / 3, "little is left of the old colours"


async def test_sizes_keep_level_focus_and_tab_in_mid_training():
    trainers = FakeTrainers(limit=100)
    async with lab(trainers=trainers) as driver:
        await driver.press("t")
        await driver.state("training")
        await until(lambda: "step 100/1,000" in driver.screen)
        await driver.press("3", "home", "l", "l")
        for width, height in (
            (80, 24),
            (120, 40),
            (50, 12),
            (60, 18),
            (59, 18),
            (60, 17),
            (200, 60),
        ):
            await driver.pilot.resize_terminal(width, height)
            await driver.pilot.pause(0.05)
            small = width < 60 or height < 18
            assert ("60×18" in driver.screen) == small
            assert ("level 2/10" in driver.screen) != small
            assert ("step 100/1,000" in driver.screen) != small
            assert driver.panel.level == 2
            assert driver.app.main.tab == "denoising"
            assert driver.app.model.session.state == "training"
        await driver.pilot.resize_terminal(*WIDE)
        await driver.pilot.pause(0.05)
        assert driver.app.focused is driver.panel
        await driver.press("l")
        assert "level 3/10" in driver.screen
        assert len(driver.screen.splitlines()) == 40
        trainers.last.allow()
        await driver.state("finished")


async def test_another_size_lays_the_status_line_out_anew():
    trainers = FakeTrainers(chunk=100_000)
    async with lab("ddpm-multimodal", trainers=trainers, training__steps="2000000") as driver:
        await driver.press("t")
        await driver.state("finished")
        await driver.trajectory("network")
        wide = driver.status
        driver.app.updates.refresh = lambda: None  # nothing more happens
        await driver.pilot.resize_terminal(*NARROW)
        await until(lambda: len(driver.status) == NARROW[0])
        narrow = driver.status
        assert "ddpm-multimodal " in narrow and "finished  step 2,000,000/2,000,000 " in narrow
        await driver.pilot.resize_terminal(*WIDE)
        await until(lambda: driver.status == wide)
        training, palette = driver.app.model.session.training, driver.app.palette
        left, right = status("ddpm-multimodal", training, "", NARROW[0], palette)
        assert narrow.split() == "".join(text for text, _ in left + right).split()


async def test_too_small_says_what_is_needed():
    async with lab(size=(50, 12)) as driver:
        assert "60×18" in driver.screen and "50×12" in driver.screen
        assert "Denoising" not in driver.screen
        await driver.press("t")
        await until(lambda: driver.app.model.session.state == "finished")


async def test_hardly_any_terminal_is_no_fault_wherever_one_is():
    async with lab(size=NARROW) as driver:
        for size in ((20, 5), (2, 2), (80, 24), (34, 18), (60, 3), (60, 18)):
            for key in "123":
                await driver.press(key)
                await driver.pilot.resize_terminal(*size)
                await driver.pilot.pause(0.02)
        assert "level 10/10" in driver.screen


async def test_a_notice_said_again_takes_the_place_of_the_first():
    async with lab(size=NARROW) as driver:
        await driver.press("w", "w", "w")
        driver.app.notify("another", title="Elsewhere")
        await until(lambda: "another" in driver.screen)
        assert driver.screen.count("Copied") == 1
        assert "level 10/10" in driver.screen and "idle" in driver.screen


async def test_a_window_that_is_told_twice_to_close_closes_alone():
    async with lab(size=NARROW) as driver:
        for level, key in enumerate(("question_mark", "e", "z", "a", "u", "r", "c")):
            await driver.press(key)
            await until(lambda: len(driver.app.screen_stack) == 2)
            window = driver.app.screen
            window.dismiss()
            window.dismiss()
            await until(lambda: driver.app.screen is driver.app.screen_stack[0])
            await driver.press("left")
            assert f"level {9 - level}/10" in driver.screen, key


async def test_paging_through_a_list_that_has_only_just_opened_is_no_fault():
    async with lab(size=NARROW) as driver:
        for key in ("pageup", "pagedown"):
            driver.type("ctrl+p", key, key)
            await until(lambda: len(driver.app.screen_stack) == 2)
            await driver.press(key, "escape", "escape")
            await until(lambda: len(driver.app.screen_stack) == 1)
        await driver.press("1")
        driver.form.select("training.optimizer")
        driver.form.focus()
        driver.type("enter", "pagedown", "pageup", "pagedown")
        await driver.press("pagedown", "escape", "3")
        assert "level 10/10" in driver.screen


@SIZES
async def test_ascii_means_ascii_everywhere(size):
    async with lab("naive-2d", size=size, glyphs="ascii") as driver:
        for key in ("1", "2", "3", "v", "v", "v", "t"):
            await driver.press(key)
            assert driver.screen.isascii(), key
        await driver.state("finished")
        await driver.trajectory("network")
        for key in ("1", "2", "3"):
            await driver.press(key)
            assert driver.screen.isascii(), key


async def test_an_ascii_help_an_error_and_a_small_screen_are_ascii_too():
    async with lab(size=NARROW, glyphs="ascii") as driver:
        await driver.press("question_mark")
        await until(lambda: "escape closes" in driver.screen)
        assert driver.screen.isascii()
        await driver.press("pagedown")
        assert driver.screen.isascii()
        await driver.press("escape", "1")
        await driver.edit("training.lr", "abc")
        assert driver.screen.isascii()
        driver.form.select("training.optimizer")
        driver.form.focus()
        await driver.press("enter")
        assert driver.screen.isascii()
        await driver.press("escape", "t")
        await until(lambda: "Not trained" in driver.screen)
        assert driver.screen.isascii()
        await driver.pilot.resize_terminal(50, 12)
        await until(lambda: "60x18" in driver.screen)
        assert driver.screen.isascii()


async def test_a_tick_that_is_not_due_posts_nothing(monkeypatch):
    async with lab() as driver:
        app, posted = driver.app, []
        monkeypatch.setattr(app, "post_while_running", posted.append)
        app.updates.frames.took(1e9)
        app.updates.frames.due()
        app._notify()
        assert posted == []
        app.updates.last_state = SessionState.PAUSED  # a change of state always shows
        app._notify()
        app.updates.last_state = app.model.session.state
        app.updates.frames._last -= app.updates.frames.period
        app._notify()
        assert len(posted) == 2


async def test_a_command_is_run_once_however_often_enter_is_pressed():
    async with lab() as driver:
        for times in (1, 2, 5):
            ran = []
            points = driver.app.targets["points"]
            points.action_noise = lambda ran=ran: ran.append("noise")
            await driver.press("ctrl+p")
            commands = driver.app.screen
            await driver.press(*"new noise".replace(" ", ""))
            await until(lambda: commands.query_one(CommandList).option_count == 1)  # noqa: B023
            driver.type(*["enter"] * times)
            await until(lambda: len(driver.app.screen_stack) == 1 and ran)  # noqa: B023
            for _ in range(3):
                await driver.pilot.pause(0)
            assert ran == ["noise"]
