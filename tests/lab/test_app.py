"""The lab through Textual's pilot: what a person presses, and what is then on the screen."""

import numpy as np
import pytest
from textual.command import CommandList
from textual.widgets import Input

from tui_diffusion import docs
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.lab.keymap import ACTIONS
from tui_diffusion.lab.panels.experiments import ExperimentList
from tui_diffusion.lab.panels.status_bars import status
from tui_diffusion.lab.screens.help import HelpScreen
from tui_diffusion.lab.session.records import State

from ..fakes import FakeTrainers
from ..lab_driver import NARROW, WIDE, lab, make_lab, running, until

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


# --- the first screen ------------------------------------------------------------------------


@SIZES
async def test_the_first_screen_shows_the_forward_process(size):
    async with lab(size=size) as bench:
        assert "level 10/10" in bench.title
        assert "gaussian-1d" in bench.title
        assert "true data" in bench.subtitle
        assert bench.status.split()[:2] == ["diffusion-tui", "naive-1d"]
        assert bench.status.split()[-1] == "idle"
        assert bench.title in bench.screen
        for key in ("t train", "q quit", "? help"):
            assert key in bench.screen.splitlines()[-1]
        assert len(bench.screen.splitlines()) == size[1]


async def test_wide_shows_setup_denoising_and_training_together():
    async with lab() as bench:
        for text in ("Experiment", "Hyperparameters", "Denoising", "Loss"):
            assert text in bench.screen
        for preset in PRESETS.values():
            assert preset.title[:20] in bench.screen


async def test_narrow_shows_one_of_three_tabs():
    titles = {"1": "Hyperparameters", "2": "Loss", "3": "Denoising"}
    async with lab(size=NARROW) as bench:
        for key in ("1", "2", "3", "1"):
            await bench.press(key)
            for other, title in titles.items():
                assert (f"{title} " in bench.screen) == (other == key), (key, title)
            assert bench.status in bench.screen, "the status line is on every tab"


async def test_before_the_first_film_it_is_loading():
    app = make_lab()
    start, app.model.sampling.start = app.model.sampling.start, lambda: None
    async with running(app) as bench:
        assert "loading" in bench.status
        assert not app.model.loaded
        start()
        await until(lambda: app.model.loaded)
        assert "idle" in bench.status


# --- keys ------------------------------------------------------------------------------------


async def focus(bench, where):
    """Put the focus on a widget, or on none."""
    screen = bench.app.screen
    match where:
        case "experiments":
            screen.query_one(ExperimentList).focus()
        case "form":
            bench.form.focus()
        case "denoising":
            bench.panel.focus()
        case "training":
            bench.loss.focus()
        case "nothing":
            screen.set_focus(None)
    await bench.pilot.pause(0.01)


PLACES = ("experiments", "form", "denoising", "training", "nothing")


async def test_keys_step_through_the_levels_whatever_has_the_focus():
    steps = [("home", 0), ("right", 1), ("l", 2), ("l", 3), ("left", 2), ("h", 1), ("h", 0),
             ("left", 0), ("end", 10), ("right", 10), ("h", 9)]  # fmt: skip
    async with lab() as bench:
        for where in PLACES:
            await focus(bench, where)
            for key, level in steps:
                await bench.press(key)
                assert f"level {level}/10" in bench.title, (where, key)
                assert f"level {level}/10" in bench.screen, (where, key)
        assert bench.app.model.chosen == "naive-1d"


@pytest.mark.parametrize("where", PLACES)
async def test_every_other_key_acts_whatever_has_the_focus(where):
    async with lab() as bench:
        await focus(bench, where)
        panel = bench.panel

        await bench.press("v")
        assert panel.view != "histogram"
        seen = [panel.view]
        while panel.view != "histogram":
            await bench.press("v")
            seen.append(panel.view)
        assert {"pdf and cdf", "mean and std"} < set(seen)

        await bench.press("g")
        assert panel.truth is False
        await bench.press("g")
        assert panel.truth is True

        await bench.press("plus", "plus")
        assert panel.zoom == 2
        await bench.press("minus", "minus", "minus")
        assert panel.zoom == -1

        speed = panel.play.speed
        await bench.press("right_square_bracket")
        assert panel.play.speed == speed + 1
        await bench.press("left_square_bracket", "left_square_bracket")
        assert panel.play.speed == speed - 1

        before = panel.film.x.copy()
        await bench.press("n")
        await until(lambda: not np.array_equal(panel.film.x, before))

        await bench.press("i")
        await bench.film("ideal")
        assert "ideal denoiser" in bench.subtitle
        await bench.press("i")
        await bench.film("forward")

        logarithmic = bench.loss.logarithmic
        await bench.press("y")
        assert bench.loss.logarithmic is not logarithmic

        await bench.press("home", "space")
        assert panel.play.playing
        await bench.press("space")
        assert not panel.play.playing

        await bench.press("t")
        await bench.state("finished")
        await bench.press("question_mark")
        await until(lambda: isinstance(bench.app.screen, HelpScreen))
        await bench.press("escape")
        await until(lambda: len(bench.app.screen_stack) == 1)
        await bench.press("q")
        await until(lambda: not bench.app.is_running)
        assert bench.app.return_value == 0


async def test_zoom_and_speed_have_ends():
    async with lab() as bench:
        await bench.press(*["plus"] * 20)
        highest = bench.panel.zoom
        await bench.press("plus")
        assert bench.panel.zoom == highest < 20
        await bench.press(*["right_square_bracket"] * 9)
        assert bench.panel.play.speed == 5
        await bench.press(*["left_square_bracket"] * 9)
        assert bench.panel.play.speed == 0


async def test_keys_are_letters_while_a_field_is_edited():
    async with lab() as bench:
        bench.form.select("training.lr")
        bench.form.focus()
        await bench.press("home", "enter")
        assert isinstance(bench.app.focused, Input)
        await bench.press(
            "end", "ctrl+u", *"thlvginpxq123", "space", "left", "end", "question_mark"
        )
        assert bench.app.focused.value == "thlvginpxq123 ?"
        assert bench.app.model.session.training is None
        assert "level 0/10" in bench.title
        assert bench.app.is_running and len(bench.app.screen_stack) == 1
        await bench.press("escape")
        assert not bench.form.editing
        assert bench.form.model.text("training.lr") == "0.001"
        await bench.press("l")
        assert "level 1/10" in bench.title


async def test_what_is_typed_at_once_after_enter_belongs_to_the_field():
    async with lab() as bench:
        bench.form.select("training.steps")
        bench.form.focus()
        await bench.pilot.pause(0.01)
        bench.type("enter", "q", "t", "4", "2", "enter")
        await until(lambda: bench.form.model.drafts == {"training.steps": "qt42"})
        assert bench.app.is_running
        assert bench.app.model.session.training is None


async def test_keys_are_not_the_labs_while_choices_are_open():
    async with lab() as bench:
        bench.form.select("training.optimizer")
        bench.form.focus()
        await bench.press("enter")
        assert bench.form.editing
        await bench.press("t", "h", "q", "space")
        assert bench.app.model.session.training is None
        assert "level 10/10" in bench.title
        await bench.press("escape")
        assert not bench.form.editing
        await bench.press("h")
        assert "level 9/10" in bench.title


async def test_play_runs_to_the_end_and_holds():
    async with lab() as bench:
        seen = []
        bench.loss.at = seen.append  # the loss is told of every level that shows
        await bench.press(*["right_square_bracket"] * 5, "space")
        assert bench.panel.play.playing, "from the end it starts anew"
        assert "playing 15/s" in bench.subtitle
        await until(lambda: not bench.panel.play.playing and seen[-1:] == [10])
        assert seen == list(range(11))
        assert "level 10/10" in bench.title
        assert "playing" not in bench.subtitle
        await bench.pilot.pause(0.2)
        assert bench.panel.level == 10


async def test_a_step_holds_the_play():
    async with lab() as bench:
        await bench.press(*["left_square_bracket"] * 5, "home", "space", "right")
        assert not bench.panel.play.playing
        assert "level 1/10" in bench.title


async def test_the_ruler_takes_clicks():
    async with lab() as bench:
        ruler = bench.panel.query_one("#ruler")
        await bench.pilot.click(ruler, offset=(7, 0))
        assert "level 0/10" in bench.title
        await bench.pilot.click(ruler, offset=(ruler.size.width - 8, 0))
        assert "level 10/10" in bench.title


# --- training --------------------------------------------------------------------------------


@SIZES
async def test_a_training_from_start_to_end(size):
    trainers = FakeTrainers(limit=400, chunk=100)
    async with lab(size=size, trainers=trainers) as bench:
        await bench.press("t")
        await bench.state("training")
        await until(lambda: "step 400/1,000" in bench.status)
        assert "1.0k/s" in bench.status
        assert "0:01 left" in bench.status
        await bench.press("p")
        await bench.state("paused")
        await bench.press("p")
        await bench.state("training")
        trainers.last.allow()
        await bench.state("finished")
        assert "step 1,000/1,000" in bench.status
        await bench.film("network")
        assert "network, step 1,000" in bench.subtitle
        assert np.abs(bench.panel.film.x[-1]).max() == 0, "the fake network's data are the origin"
        await bench.press("2")
        await until(lambda: "Loss" in bench.screen and "smoothed" in bench.screen)


async def test_points_that_did_not_show_while_it_trained_are_the_networks_once_they_do():
    async with lab(size=NARROW) as bench:
        await bench.press("1", "t")
        assert bench.app.main.tab == "training"
        await bench.state("finished")
        await bench.press("3")
        await bench.film("network")
        assert "network, step 1,000" in bench.subtitle
    async with lab(size=NARROW) as bench:
        await bench.press("2", "t")
        await bench.state("finished")
        await bench.pilot.resize_terminal(*WIDE)
        await bench.film("network")


@SIZES
async def test_the_status_line_is_the_same_on_every_tab(size):
    async with lab(size=size) as bench:
        await bench.press("t")
        await bench.state("finished")
        for key in "1231":
            await bench.press(key)
            assert "finished" in bench.screen.splitlines()[0]
            assert "step 1,000/1,000" in bench.screen.splitlines()[0]


async def test_stop_keeps_the_network():
    async with lab(trainers=FakeTrainers(limit=300)) as bench:
        await bench.press("t")
        await until(lambda: "step 300/1,000" in bench.status)
        await bench.press("x")
        await bench.state("stopped")
        await bench.film("network")
        assert "network, step 300" in bench.subtitle


async def test_a_training_that_is_stopped_or_over_cannot_be_paused():
    async with lab() as bench:
        await bench.press("p", "x")
        assert "idle" in bench.status
        await bench.press("t")
        await bench.state("finished")
        await bench.press("p", "x")
        assert "finished" in bench.status


async def test_t_again_trains_anew():
    trainers = FakeTrainers(limit=300)
    async with lab(trainers=trainers) as bench:
        await bench.press("t")
        await until(lambda: "step 300/1,000" in bench.status)
        first = bench.app.model.bench.training
        trainers.options = {}
        await bench.press("t")
        await bench.state("finished")
        assert first.state == "stopped"
        assert bench.app.model.bench.training is not first
        assert len(trainers.made) == 2


async def test_the_film_follows_the_weights_while_training():
    trainers = FakeTrainers(limit=200)
    async with lab(trainers=trainers) as bench:
        await bench.press("t")
        await until(lambda: "network, step 200" in bench.subtitle)
        assert bench.panel.film.wish.live
        trainers.last.allow(500)
        await until(lambda: "network, step 500" in bench.subtitle)
        assert "training" in bench.status


async def test_another_experiment_can_be_trained_while_one_runs():
    trainers = FakeTrainers(limit=100)
    async with lab(trainers=trainers) as bench:
        await bench.press("t")
        await bench.state("training")
        await bench.press("down")
        await bench.film()
        assert bench.app.model.chosen == "naive-2d"
        assert "training" in bench.status and "naive-1d" in bench.status, "it goes on"
        trainers.options = {}
        await bench.press("t")
        await bench.state("finished")
        assert bench.app.model.benches["naive-1d"].training.state == "stopped"
        assert bench.app.model.benches["naive-2d"].training.state == "finished"
        await bench.film("network")
        await bench.press("up")
        await bench.state("stopped")
        await bench.film("network")
        assert "network, step 100" in bench.subtitle, "the first one's network is still there"
        marks = bench.app.screen.query_one(ExperimentList).marks
        assert set(marks) == {"naive-1d", "naive-2d"}
        assert len(set(marks.values())) == 2


@SIZES
async def test_a_diverged_training_leaves_the_lab_alive(size):
    trainers = FakeTrainers(ends="diverged", at=37)
    async with lab(size=size, trainers=trainers) as bench:
        await bench.press("t")
        await bench.state("diverged")
        assert "step 37/1,000" in bench.status
        await bench.press("2")
        assert "iverged" in bench.banner and "step 37" in bench.banner
        assert "step 37 is not finite" in " ".join(bench.screen.split())
        await bench.film("network")
        await bench.press("home", "l")
        assert "level 1/10" in bench.title
        trainers.options = {}
        await bench.press("t")
        await bench.state("finished")
        await bench.press("2")
        assert bench.banner == ""


async def test_a_failed_training_says_why_and_leaves_the_lab_alive():
    trainers = FakeTrainers(ends=RuntimeError("no [bold]memory[/]\nleft"), at=20)
    async with lab(trainers=trainers) as bench:
        await bench.press("t")
        await bench.state("failed")
        assert "no [bold]memory[/] left" in bench.banner, "names from outside are no markup"
        assert "no [bold]memory[/] left" in bench.screen
        trainers.options = {}
        await bench.press("t")
        await bench.state("finished")
        assert bench.banner == ""


async def test_sampling_that_fails_is_said_and_leaves_the_lab_alive():
    async with lab() as bench:

        class Broken:
            def __call__(self, x, level):
                raise RuntimeError("no [b]such[/b] network")

        trainers = bench.app.model.session._make_trainer
        made = trainers.__class__.__call__

        def make(experiment):
            trainer = made(trainers, experiment)
            trainer.denoiser = Broken()
            return trainer

        bench.app.model.session._make_trainer = make
        await bench.press("t")
        await until(lambda: "no [b]such[/b] network" in bench.screen)
        await bench.press("home")
        assert "level 0/10" in bench.title
        await bench.press("i")
        await bench.film("ideal")


async def test_leaving_stops_a_training():
    trainers = FakeTrainers(limit=50)
    async with lab(trainers=trainers) as bench:
        await bench.press("t")
        await bench.state("training")
        training = bench.app.model.bench.training
        await bench.press("q")
        await until(lambda: not bench.app.is_running)
    assert bench.app.close_workers()
    assert training.state == "stopped"


# --- setup -----------------------------------------------------------------------------------


@SIZES
async def test_every_experiment_can_be_chosen_by_keyboard(size):
    async with lab(size=size) as bench:
        await bench.press("1")
        for index, (name, preset) in enumerate(PRESETS.items()):
            if index:
                await bench.press("down")
            await bench.press("enter")
            await bench.film()
            assert bench.app.model.chosen == name
            assert name in bench.status.split()
            levels = preset.experiment.levels
            assert f"level {levels}/{levels}" in bench.title
            assert preset.experiment.data.name in bench.title
            assert (
                bench.form.model.experiment.get("training.steps")
                == preset.experiment.training.steps
            )
        await bench.press("down")
        assert bench.app.model.chosen == name, "the last one"


async def test_what_is_set_stays_with_its_experiment():
    async with lab() as bench:
        await bench.edit("training.steps", "123")
        await focus(bench, "experiments")
        await bench.press("down")
        await until(lambda: bench.form.model.text("training.steps") == "1000")
        await bench.press("up")
        await until(lambda: bench.form.model.text("training.steps") == "123")
        assert bench.app.model.bench.experiment.training.steps == 123


async def test_another_std_changes_the_forward_film():
    async with lab() as bench:
        narrow = bench.panel.film.x[-1].std()
        await bench.edit("data.std", "0.5")
        await bench.film()
        assert bench.panel.film.wish.experiment.data.std == 0.5
        assert bench.panel.film.x[-1].std() > 20 * narrow


async def test_other_levels_change_the_ruler_and_the_title():
    async with lab() as bench:
        await bench.edit("schedule.levels", "4")
        await bench.film()
        assert "level 4/4" in bench.title
        await bench.press("home", "l")
        assert "level 1/4" in bench.title


@SIZES
async def test_a_wrong_value_cannot_start_a_training_and_names_its_field(size):
    async with lab(size=size) as bench:
        await bench.press("1")
        await bench.edit("training.lr", "abc")
        assert "training.lr" in bench.form.problems
        await bench.press("3", "t")
        assert bench.app.model.session.training is None
        assert "idle" in bench.status
        await until(lambda: "Not trained" in bench.screen)
        assert "training.lr" in bench.screen
        assert "'abc' is not allowed" in " ".join(bench.screen.split())
        assert bench.form.path == "training.lr"
        assert "Hyperparameters" in bench.screen, "the field is in sight"
        await bench.edit("training.lr", "0.01")
        assert not bench.form.problems
        await bench.press("t")
        await bench.state("finished")
        assert bench.app.model.bench.training.experiment.training.lr == 0.01


async def test_a_network_that_no_longer_fits_gives_way_to_true_data():
    async with lab() as bench:
        await bench.press("t")
        await bench.state("finished")
        await bench.film("network")
        await bench.edit("training.lr", "0.5")
        await bench.film("network")
        await bench.edit("data.std", "0.5")
        await bench.film("forward")
        assert "true data" in bench.subtitle
        await bench.edit("data.std", "0.01")
        await bench.film("network")


# --- screens, sizes, themes ------------------------------------------------------------------


@SIZES
async def test_help_opens_and_closes(size):
    async with lab(size=size) as bench:
        for close in ("escape", "q", "question_mark"):
            await bench.press("question_mark")
            await until(lambda: isinstance(bench.app.screen, HelpScreen))
            await until(lambda: "Keys: " in bench.screen)
            await bench.press("l", "t")
            await bench.press(close)
            await until(lambda: len(bench.app.screen_stack) == 1)
            assert bench.app.is_running
        assert "level 10/10" in bench.title
        assert bench.app.model.session.training is None


async def test_the_help_opens_every_page_of_the_documentation():
    async with lab() as bench:
        await bench.press("question_mark")
        await until(lambda: isinstance(bench.app.screen, HelpScreen))
        for number, topic in enumerate(docs.TOPICS, 1):
            await bench.press(str(number))
            first = docs.page(topic).splitlines()[0].removeprefix("# ")
            await until(lambda: f" {first} " in bench.screen)  # noqa: B023
            assert f" {topic} " in bench.screen
            await bench.press("escape")
            await until(lambda: isinstance(bench.app.screen, HelpScreen))


@SIZES
async def test_the_help_begins_with_the_keys_of_what_is_in_focus(size):
    async with lab(size=size) as bench:
        for tab, group in (("1", "setup"), ("2", "training"), ("3", "denoising")):
            await bench.press(tab, "question_mark")
            await until(lambda: isinstance(bench.app.screen, HelpScreen))
            texts = bench.app.screen._page.renderables
            said = [text.plain.strip() for text in texts if hasattr(text, "plain")]
            keys = [line for line in said if line.startswith("Keys: ")]
            assert said[0] == keys[0] == f"Keys: {group}" and len({*keys}) == len(keys) == 4
            assert said.index(PRESETS["naive-1d"].about) < said.index("Formulas, as it is set")
            await until(lambda: f"Keys: {group}" in bench.screen)  # noqa: B023
            await bench.press("escape")


async def test_the_help_explains_every_view_and_every_key():
    from tui_diffusion.lab.views.names import PICTURES
    from tui_diffusion.lab.views.render import VIEWS_1D, VIEWS_2D

    assert set(PICTURES) >= {*VIEWS_1D, *VIEWS_2D, "loss"}
    assert all(action.help.endswith(".") for action in ACTIONS)


async def test_the_palette_lists_every_action():
    async with lab() as bench:
        titles = {command.title for command in bench.app.get_system_commands(bench.app.screen)}
        for action in ACTIONS:
            assert any(f"({action.shown})" in title for title in titles), action.name
        await bench.press("ctrl+p")
        await bench.pilot.pause(0.2)
        await bench.press(*"ideal")
        await until(lambda: "Ideal (i)" in bench.screen)
        await bench.press("down", "enter")
        await bench.film("ideal")


def test_every_action_exists_and_no_key_is_used_twice():
    app = make_lab()
    keys = [key for action in ACTIONS for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))
    for action in ACTIONS:
        target = app.targets[action.target]
        assert hasattr(target, f"action_{action.name.partition('(')[0]}"), action.name


async def test_another_theme_redraws_everything():
    def colours(bench):
        strips = bench.app.screen._compositor.render_strips()
        return {s.style.color for strip in strips for s in strip if s.style and s.text.strip()}

    async with lab() as bench:
        await bench.press("t")
        await bench.state("finished")
        await bench.film("network")
        before, text = colours(bench), bench.screen
        bench.app.theme = "textual-light"
        await until(lambda: bench.app.palette.style("truth").color in colours(bench))
        await bench.pilot.pause(0.1)
        after = colours(bench)
        assert bench.screen.split()[:4] == text.split()[:4]
        shown = {"truth", "network", "bars", "axis", "text"}
        palette = bench.app.palette
        assert {palette.style(role).color for role in shown} <= after
        assert len(after & before) < len(before) / 3, "little is left of the old colours"


async def test_sizes_keep_level_focus_and_tab_in_mid_training():
    trainers = FakeTrainers(limit=100)
    async with lab(trainers=trainers) as bench:
        await bench.press("t")
        await bench.state("training")
        await until(lambda: "step 100/1,000" in bench.screen)
        await bench.press("3", "home", "l", "l")
        for width, height in (
            (80, 24),
            (120, 40),
            (50, 12),
            (60, 18),
            (59, 18),
            (60, 17),
            (200, 60),
        ):
            await bench.pilot.resize_terminal(width, height)
            await bench.pilot.pause(0.05)
            small = width < 60 or height < 18
            assert ("60×18" in bench.screen) == small
            assert ("level 2/10" in bench.screen) != small
            assert ("step 100/1,000" in bench.screen) != small
            assert bench.panel.level == 2
            assert bench.app.main.tab == "denoising"
            assert bench.app.model.session.state == "training"
        await bench.pilot.resize_terminal(*WIDE)
        await bench.pilot.pause(0.05)
        assert bench.app.focused is bench.panel
        await bench.press("l")
        assert "level 3/10" in bench.screen
        assert len(bench.screen.splitlines()) == 40
        trainers.last.allow()
        await bench.state("finished")


async def test_another_size_lays_the_status_line_out_anew():
    trainers = FakeTrainers(chunk=100_000)
    async with lab("ddpm-multimodal", trainers=trainers, training__steps="2000000") as bench:
        await bench.press("t")
        await bench.state("finished")
        await bench.film("network")
        wide = bench.status
        bench.app.updates.refresh = lambda: None  # nothing more happens
        await bench.pilot.resize_terminal(*NARROW)
        await until(lambda: len(bench.status) == NARROW[0])
        narrow = bench.status
        assert "ddpm-multimodal " in narrow and "finished  step 2,000,000/2,000,000 " in narrow
        await bench.pilot.resize_terminal(*WIDE)
        await until(lambda: bench.status == wide)
        training, palette = bench.app.model.session.training, bench.app.palette
        left, right = status("ddpm-multimodal", training, "", NARROW[0], palette)
        assert narrow.split() == "".join(text for text, _ in left + right).split()


async def test_too_small_says_what_is_needed():
    async with lab(size=(50, 12)) as bench:
        assert "60×18" in bench.screen and "50×12" in bench.screen
        assert "Denoising" not in bench.screen
        await bench.press("t")
        await until(lambda: bench.app.model.session.state == "finished")


async def test_hardly_any_terminal_is_no_fault_wherever_one_is():
    async with lab(size=NARROW) as bench:
        for size in ((20, 5), (2, 2), (80, 24), (34, 18), (60, 3), (60, 18)):
            for key in "123":
                await bench.press(key)
                await bench.pilot.resize_terminal(*size)
                await bench.pilot.pause(0.02)
        assert "level 10/10" in bench.screen


async def test_a_notice_said_again_takes_the_place_of_the_first():
    async with lab(size=NARROW) as bench:
        await bench.press("w", "w", "w")
        bench.app.notify("another", title="Elsewhere")
        await until(lambda: "another" in bench.screen)
        assert bench.screen.count("Copied") == 1
        assert "level 10/10" in bench.screen and "idle" in bench.screen


async def test_a_window_that_is_told_twice_to_close_closes_alone():
    async with lab(size=NARROW) as bench:
        for level, key in enumerate(("question_mark", "e", "z", "a", "u", "r", "c")):
            await bench.press(key)
            await until(lambda: len(bench.app.screen_stack) == 2)
            window = bench.app.screen
            window.dismiss()
            window.dismiss()
            await until(lambda: bench.app.screen is bench.app.screen_stack[0])
            await bench.press("left")
            assert f"level {9 - level}/10" in bench.screen, key


async def test_paging_through_a_list_that_has_only_just_opened_is_no_fault():
    async with lab(size=NARROW) as bench:
        for key in ("pageup", "pagedown"):
            bench.type("ctrl+p", key, key)
            await until(lambda: len(bench.app.screen_stack) == 2)
            await bench.press(key, "escape", "escape")
            await until(lambda: len(bench.app.screen_stack) == 1)
        await bench.press("1")
        bench.form.select("training.optimizer")
        bench.form.focus()
        bench.type("enter", "pagedown", "pageup", "pagedown")
        await bench.press("pagedown", "escape", "3")
        assert "level 10/10" in bench.screen


@SIZES
async def test_ascii_means_ascii_everywhere(size):
    async with lab("naive-2d", size=size, glyphs="ascii") as bench:
        for key in ("1", "2", "3", "v", "v", "v", "t"):
            await bench.press(key)
            assert bench.screen.isascii(), key
        await bench.state("finished")
        await bench.film("network")
        for key in ("1", "2", "3"):
            await bench.press(key)
            assert bench.screen.isascii(), key


async def test_an_ascii_help_an_error_and_a_small_screen_are_ascii_too():
    async with lab(size=NARROW, glyphs="ascii") as bench:
        await bench.press("question_mark")
        await until(lambda: "escape closes" in bench.screen)
        assert bench.screen.isascii()
        await bench.press("pagedown")
        assert bench.screen.isascii()
        await bench.press("escape", "1")
        await bench.edit("training.lr", "abc")
        assert bench.screen.isascii()
        bench.form.select("training.optimizer")
        bench.form.focus()
        await bench.press("enter")
        assert bench.screen.isascii()
        await bench.press("escape", "t")
        await until(lambda: "Not trained" in bench.screen)
        assert bench.screen.isascii()
        await bench.pilot.resize_terminal(50, 12)
        await until(lambda: "60x18" in bench.screen)
        assert bench.screen.isascii()


async def test_a_tick_that_is_not_due_posts_nothing(monkeypatch):
    async with lab() as bench:
        app, posted = bench.app, []
        monkeypatch.setattr(app, "post_while_running", posted.append)
        app.updates.frames.took(1e9)
        app.updates.frames.due()
        app._notify()
        assert posted == []
        app.updates.seen = State.PAUSED  # what the session has come to is always told
        app._notify()
        app.updates.seen = app.model.session.state
        app.updates.frames._last -= app.updates.frames.period
        app._notify()
        assert len(posted) == 2


async def test_a_command_is_run_once_however_often_enter_is_pressed():
    async with lab() as bench:
        for times in (1, 2, 5):
            ran = []
            points = bench.app.targets["points"]
            points.action_noise = lambda ran=ran: ran.append("noise")
            await bench.press("ctrl+p")
            commands = bench.app.screen
            await bench.press(*"new noise".replace(" ", ""))
            await until(lambda: commands.query_one(CommandList).option_count == 1)  # noqa: B023
            bench.type(*["enter"] * times)
            await until(lambda: len(bench.app.screen_stack) == 1 and ran)  # noqa: B023
            for _ in range(3):
                await bench.pilot.pause(0)
            assert ran == ["noise"]
