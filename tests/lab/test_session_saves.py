"""Trainings of the lab's session are written down and go on."""

from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.resume import resumed_experiment
from tui_diffusion.core.runs.run import open_run, save_run, store
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.session.session import Session, keep_in_store

from ..fakes import FakeTrainers, wait_until
from ..trainings import go_on, short, trained


def test_a_training_in_the_lab_is_written_down_and_goes_on(home):
    experiment = short("ddpm-multimodal", 20_000)
    session = Session(lambda: None, keep=keep_in_store)
    first = session.start(experiment)
    wait_until(lambda: first.step > 0)
    assert session.close(60)
    assert first.state is SessionState.STOPPED
    (summary,) = list_runs()
    assert (summary.folder, summary.standing) == (first.run, "stopped")
    assert summary.about.step == first.step < 20_000
    again = session.start(experiment, resume=summary.name)
    wait_until(lambda: not again.state.active)
    assert session.close(60)
    assert (again.state, again.error, again.unsaved) == (SessionState.FINISHED, "", "")
    assert again.run == first.run
    run = open_run(summary.name)
    assert run.state == "finished"
    assert run.losses().tobytes() == again.losses.tobytes()
    assert run.losses().tobytes() == go_on(Trainer(experiment)).losses.tobytes()
    later = session.start(resumed_experiment(run, {"training.steps": 20_100}), resume=run)
    wait_until(lambda: not later.state.active)
    assert session.close(60)
    assert (later.state, later.step) == (SessionState.FINISHED, 20_100)
    assert len(list_runs()) == 1


def test_a_paused_training_is_written_down_once():
    session = Session(lambda: None, keep=keep_in_store)
    training = session.start(short("naive-1d", 10**7))
    wait_until(lambda: training.step > 0)
    session.pause()
    wait_until(lambda: training.state is SessionState.PAUSED)
    wait_until(list_runs, "the first checkpoint")
    (summary,) = list_runs()
    assert summary.standing == "training"
    assert summary.about.step == training.step
    assert session.close(60)


def test_a_run_that_another_process_writes_is_a_failure_in_one_line():
    trainer = trained(short("naive-1d", 40), 5)
    folder = save_run(store() / "run", trainer, "stopped")
    session = Session(lambda: None, keep=keep_in_store)
    with Checkpointer(trainer, folder):
        training = session.start(trainer.experiment, resume="run")
        wait_until(lambda: not training.state.active)
    assert session.close(60)
    assert training.state is SessionState.FAILED
    assert "is still training this run; try again when it ends" in training.error
    assert not training.error.startswith("RunError")


def test_a_store_that_cannot_be_written_stops_no_training(home):
    home.mkdir()
    store().write_text("mine")
    session = Session(lambda: None, keep=keep_in_store)
    training = session.start(short("naive-1d", 40))
    wait_until(lambda: not training.state.active)
    assert session.close(60)
    assert (training.state, training.error) == (SessionState.FINISHED, "")
    assert "cannot be written" in training.unsaved
    assert store().read_text() == "mine"


def test_without_a_keeper_nothing_is_written(home):
    session = Session(lambda: None, FakeTrainers(), lambda experiment: None)
    training = session.start(short("naive-1d", 40))
    wait_until(lambda: not training.state.active)
    assert session.close(60)
    assert training.run is None
    assert not home.exists()
