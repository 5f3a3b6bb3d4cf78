"""Trainings of the lab are measured when they end, off its thread, as `train` measures them."""

import json
import threading

import pytest
from click.testing import CliRunner

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.lab.session.evaluation import report
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.session.session import Session, keep_in_store
from tui_diffusion.program import cli

from ..fakes import wait_until


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSION_TUI_HOME", str(tmp_path))


def short(steps=300, **settings):
    experiment = get_preset("naive-1d").experiment
    return experiment.with_settings({"training.steps": steps, "device": "cpu", **settings})


def ended(session, training):
    wait_until(lambda: not training.state.active)
    session._thread.join()
    session._measurer.wait()


def test_both_front_ends_write_the_same_numbers_of_the_same_run():
    session = Session(lambda: None, keep=keep_in_store, measure=report)
    training = session.start(short())
    ended(session, training)
    told = CliRunner().invoke(
        cli,
        ["train", "naive-1d", "--set", "training.steps=300", "--device", "cpu", "--json"],
        catch_exceptions=False,
    )
    headless = json.loads(told.stdout)
    lab = open_run(str(training.run)).metrics
    assert lab == training.metrics
    assert lab.keys() == headless.keys()
    timed = {"run", "seconds", "steps_per_second"}
    assert {k: v for k, v in lab.items() if k not in timed} == {
        k: v for k, v in headless.items() if k not in timed
    }
    assert lab["run"] == str(training.run)
    listed = {run.folder: run.about.quality for run in list_runs()}
    assert len(listed) == 2
    assert len({json.dumps(quality) for quality in listed.values()}) == 1


def test_a_stopped_training_is_measured_and_can_go_on():
    session = Session(lambda: None, keep=keep_in_store, measure=report)
    training = session.start(short(200_000))
    wait_until(lambda: training.step > 0)
    session.stop()
    ended(session, training)
    run = open_run(str(training.run))
    assert (run.state, run.metrics["status"]) == ("stopped", "stopped")
    assert run.metrics["steps"] == run.step == training.step
    further = session.start(run.experiment, resume=str(training.run))
    wait_until(lambda: further.step > run.step)
    session.stop()
    ended(session, further)
    assert open_run(str(training.run)).metrics["steps"] == further.step


class Slow:
    """A measurement that waits to be allowed."""

    def __init__(self):
        self.begun, self.allowed = threading.Event(), threading.Event()

    def __call__(self, trainer):
        self.begun.set()
        assert self.allowed.wait(60)
        return {"sample": None}


def test_neither_the_next_training_nor_leaving_waits_for_the_numbers():
    slow = Slow()
    session = Session(lambda: None, keep=keep_in_store, measure=slow)
    first = session.start(short())
    assert slow.begun.wait(60)
    assert first.state is SessionState.FINISHED, "it has ended before it is measured"
    assert open_run(str(first.run)).metrics is None, "and is written"
    second = session.start(short())
    wait_until(lambda: second.state is SessionState.FINISHED)
    assert not session.close(0.05)
    slow.allowed.set()
    assert session.close(30)


def test_what_fails_to_be_measured_is_one_line_and_frees_the_run():
    def fail(trainer):
        raise RuntimeError("no memory")

    session = Session(lambda: None, keep=keep_in_store, measure=fail)
    training = session.start(short())
    ended(session, training)
    assert training.state is SessionState.FINISHED
    assert training.unsaved == "quality: RuntimeError: no memory"
    further = session.start(short(400), resume=str(training.run))
    wait_until(lambda: further.state is SessionState.FINISHED)
    assert further.step == 400


def test_after_leaving_nothing_is_measured():
    measured = []
    session = Session(lambda: None, keep=keep_in_store, measure=measured.append)
    training = session.start(short(200_000))
    wait_until(lambda: training.step > 0)
    assert session.close(30)
    assert training.state is SessionState.STOPPED
    assert measured == []
    assert open_run(str(training.run)).state == "stopped"
