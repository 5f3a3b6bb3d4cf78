"""A training in the lab: start, pause, stop, divergence, failure."""

import numpy as np

from tui_diffusion.lab.panels.experiments import ExperimentList

from ..fakes import FakeTrainers
from ..lab_driver import NARROW, SIZES, WIDE, lab, until


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
        await driver.press("3")  # hidden points are not resampled
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
