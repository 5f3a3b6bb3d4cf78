"""The session: one training at a time, through its states, and the losses of the command line."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.lab import clock as clocks
from tui_diffusion.lab.clock import Clock
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.session.session import Session

from ..fakes import FakeTrainer, FakeTrainers, wait_until

EXPERIMENT = get_preset("naive-1d").experiment.with_settings({"training.steps": 200})


class Recorded:
    """A session, and every state it has been in."""

    def __init__(self, make):
        self.states = []
        self.session = Session(self._note, make)

    def _note(self):
        state = self.session.state
        if not self.states or self.states[-1] is not state:
            self.states.append(state)


@pytest.fixture
def record():
    made = []

    def make(trainers):
        made.append(Recorded(trainers))
        return made[-1]

    yield make
    for recorded in made:
        assert recorded.session.close(60)


def test_a_session_begins_idle_and_can_be_closed_at_once():
    session = Session(lambda: None, FakeTrainers())
    assert session.state is SessionState.IDLE
    assert session.training is None
    session.pause()
    session.stop()
    assert session.state is SessionState.IDLE
    assert session.close(0)


def test_a_training_runs_to_its_end(record):
    recorded = record(FakeTrainers(chunk=30))
    training = recorded.session.start(EXPERIMENT)
    wait_until(lambda: not training.state.active)
    assert recorded.states == [SessionState.TRAINING, SessionState.FINISHED]
    assert training.step == training.steps == 200
    assert np.array_equal(training.losses, np.float32([FakeTrainer.loss(k) for k in range(200)]))
    assert training.snapshot[0] == 200
    assert training.rate == pytest.approx(1000)
    assert training.seconds_left == 0
    assert training.error == ""


def test_it_is_loading_until_there_is_a_trainer(record):
    ready = threading.Event()

    def make(experiment):
        assert ready.wait(60)
        return FakeTrainer(experiment)

    recorded = record(make)
    training = recorded.session.start(EXPERIMENT)
    assert training.state is recorded.session.state is SessionState.LOADING
    recorded.session.pause()
    assert training.running.is_set(), "there is nothing to pause yet"
    ready.set()
    wait_until(lambda: training.state is SessionState.FINISHED)


def test_pause_holds_and_goes_on(record):
    trainers = FakeTrainers(limit=50)
    recorded = record(trainers)
    training = recorded.session.start(EXPERIMENT)
    wait_until(lambda: training.step == 50)
    recorded.session.pause()
    wait_until(lambda: training.state is SessionState.PAUSED)
    pulls = trainers.last.pulls
    trainers.last.allow()
    assert not training.stop.wait(0.2)
    assert (training.state, training.step, trainers.last.pulls) == (SessionState.PAUSED, 50, pulls)
    assert training.snapshot[0] == 50, "what is seen while paused is what was reached"
    recorded.session.pause()
    wait_until(lambda: training.state is SessionState.FINISHED)
    assert recorded.states == [
        SessionState.TRAINING,
        SessionState.PAUSED,
        SessionState.TRAINING,
        SessionState.FINISHED,
    ]
    assert training.step == 200


@pytest.mark.parametrize("paused", [False, True])
def test_stop_ends_it_where_it_is(record, paused):
    trainers = FakeTrainers(limit=50)
    recorded = record(trainers)
    training = recorded.session.start(EXPERIMENT)
    wait_until(lambda: training.step == 50)
    if paused:
        recorded.session.pause()
        wait_until(lambda: training.state is SessionState.PAUSED)
    pulls = trainers.last.pulls
    recorded.session.stop()
    wait_until(lambda: training.state is SessionState.STOPPED)
    assert trainers.last.pulls <= pulls + 2, "the stop is looked for after every chunk"
    assert (training.step, training.snapshot[0]) == (50, 50)
    assert recorded.session.close(60)


@pytest.mark.parametrize("act", ["pause", "stop"])
def test_nothing_happens_to_a_training_that_has_ended(record, act):
    recorded = record(FakeTrainers())
    training = recorded.session.start(EXPERIMENT)
    wait_until(lambda: training.state is SessionState.FINISHED)
    getattr(recorded.session, act)()
    assert recorded.session.close(60)
    assert training.state is SessionState.FINISHED
    assert recorded.states == [SessionState.TRAINING, SessionState.FINISHED]


def test_divergence_is_a_state_of_its_own(record):
    recorded = record(FakeTrainers(ends="diverged", at=70))
    training = recorded.session.start(EXPERIMENT)
    wait_until(lambda: not training.state.active)
    assert recorded.states == [SessionState.TRAINING, SessionState.DIVERGED]
    assert training.step == 70
    assert np.isnan(training.losses[69])
    assert np.isfinite(training.losses[:69]).all()


def test_a_stop_right_after_an_overflow_is_a_divergence_on_the_screen_as_on_disk(record):
    trainers = FakeTrainers(ends="diverged", at=70, limit=69)
    recorded = record(trainers)
    training = recorded.session.start(EXPERIMENT)
    wait_until(lambda: training.step == 69)
    recorded.session.stop()
    wait_until(lambda: not training.state.active)
    assert training.state is SessionState.DIVERGED
    assert np.isfinite(training.losses[:69]).all()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("no memory\n\n  for\tthis"), "RuntimeError: no memory for this"),
        (ConfigError("device: 'cuda' is not here;\nallowed: cpu"), None),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_a_failure_is_one_line_and_the_session_lives_on(record, error, message):
    trainers = FakeTrainers(ends=error, at=20)
    recorded = record(trainers)
    training = recorded.session.start(EXPERIMENT)
    wait_until(lambda: not training.state.active)
    assert training.state is SessionState.FAILED
    assert training.error == (message or "device: 'cuda' is not here; allowed: cpu")
    trainers.options = {}
    again = recorded.session.start(EXPERIMENT)
    wait_until(lambda: again.state is SessionState.FINISHED)
    assert again.error == ""


def test_a_trainer_that_cannot_be_made_is_a_failure(record):
    def make(experiment):
        raise ConfigError("device: 'cuda' is not here; allowed: auto, cpu", "device")

    recorded = record(make)
    training = recorded.session.start(EXPERIMENT)
    wait_until(lambda: not training.state.active)
    assert training.state is SessionState.FAILED
    assert training.error == "device: 'cuda' is not here; allowed: auto, cpu"


class Overlap:
    """Makes trainers that note how many of them run at a time, and in which threads."""

    def __init__(self):
        self.running = self.most = 0
        self.threads = []
        self.lock = threading.Lock()

    def __call__(self, experiment):
        self.threads.append(threading.get_ident())
        overlap = self

        class Slow(FakeTrainer):
            def run(self, *, interval):
                with overlap.lock:
                    overlap.running += 1
                    overlap.most = max(overlap.most, overlap.running)
                try:
                    yield from super().run(interval=interval)
                finally:
                    with overlap.lock:
                        overlap.running -= 1

        return Slow(experiment, slow=0.05, limit=50)


def test_a_new_training_waits_for_the_old_thread_to_end(record):
    overlap = Overlap()
    recorded = record(overlap)
    first = recorded.session.start(EXPERIMENT)
    wait_until(lambda: first.state is SessionState.TRAINING)
    old = recorded.session._thread
    second = recorded.session.start(EXPERIMENT)
    assert recorded.session.training is second
    wait_until(lambda: second.state is SessionState.TRAINING)
    assert first.state is SessionState.STOPPED
    assert not old.is_alive()
    recorded.session.stop()
    wait_until(lambda: second.state is SessionState.STOPPED)
    assert overlap.most == 1
    assert len(overlap.threads) == 2


def test_many_starts_at_once_train_the_last_one_alone(record):
    overlap = Overlap()
    recorded = record(overlap)
    before = threading.active_count()
    trainings = [recorded.session.start(EXPERIMENT) for _ in range(8)]
    wait_until(lambda: trainings[-1].state is SessionState.TRAINING)
    assert {t.state for t in trainings[:-1]} == {SessionState.STOPPED}
    assert threading.active_count() == before + 1
    assert overlap.most == 1


def test_close_joins_and_says_whether_it_could():
    block = threading.Event()

    class Stuck(FakeTrainer):
        def run(self, *, interval):
            block.wait(60)
            yield from super().run(interval=interval)

    session = Session(lambda: None, Stuck)
    session.start(EXPERIMENT)
    assert not session.close(0.05), "the thread is deep in a step and cannot have ended"
    block.set()
    assert session.close(60)
    assert not session._thread.is_alive()
    assert session.state is SessionState.STOPPED


def test_losses_are_only_ever_appended(record):
    trainers = FakeTrainers(chunk=7, limit=20)
    recorded = record(trainers)
    training = recorded.session.start(EXPERIMENT)
    held = None
    for limit in (20, 60, 61, 140, 200):
        wait_until(lambda: trainers.made)
        trainers.last.allow(limit)
        wait_until(lambda limit=limit: training.step == limit)
        losses = training.losses
        assert held is None or losses is held[0], "one buffer for the whole training"
        if held is not None:
            assert np.array_equal(losses[: len(held[1])], held[1])
        held = (losses, losses[:limit].copy())
    wait_until(lambda: training.state is SessionState.FINISHED)
    assert np.array_equal(training.losses[:200], held[1])


def test_a_snapshot_is_made_when_it_is_wanted_and_never_changes(record):
    class Counting(FakeTrainer):
        def run(self, *, interval):
            for progress in super().run(interval=interval):
                self.denoiser.step = progress.step
                yield progress

    made = []

    def make(experiment):
        made.append(Counting(experiment, limit=30))
        return made[-1]

    recorded = record(make)
    training = recorded.session.start(EXPERIMENT)
    wait_until(lambda: training.step == 30)
    assert training.snapshot[0] == 0, "none was wanted yet"
    training.wanted.set()
    wait_until(lambda: training.snapshot[0] == 30)
    _, frozen = training.snapshot
    made[0].allow()
    wait_until(lambda: training.state is SessionState.FINISHED)
    assert made[0].denoiser.step == training.snapshot[1].step == 200
    assert frozen.step == 30


def test_the_device_and_its_reason_are_those_of_the_trainer(record):
    class Placed(FakeTrainer):
        choice = SimpleNamespace(label="cuda:0 Big", reason="as asked")

        def run(self, *, interval):
            self.choice = SimpleNamespace(
                label="cuda:0 Big", reason="as asked; and more on the way"
            )
            yield from super().run(interval=interval)

    recorded = record(Placed)
    training = recorded.session.start(EXPERIMENT)
    wait_until(lambda: training.state is SessionState.FINISHED)
    assert (training.device, training.reason) == ("cuda:0 Big", "as asked; and more on the way")


# --- the real training -----------------------------------------------------------------------


def headless(experiment):
    from tui_diffusion.core.training.trainer import train

    *_, last = train(experiment)
    return last.trainer


@pytest.mark.parametrize(
    ("name", "steps"),
    [("ddpm-1d", 20_000), ("ddpm-multimodal", 10_000), ("ddpm-1d-per-level", 3000)],
)
def test_the_lab_and_the_command_line_give_the_same_losses_bit_for_bit(record, name, steps):
    import torch

    experiment = get_preset(name).experiment.with_settings(
        {"training.steps": steps, "device": "cpu"}
    )
    expected = headless(experiment)

    from tui_diffusion.core.training.trainer import Trainer

    recorded = record(Trainer)
    training = recorded.session.start(experiment)
    pauses = 0
    while pauses < 3:
        wait_until(lambda: training.state is not SessionState.LOADING)
        recorded.session.pause()
        wait_until(lambda: training.state is not SessionState.TRAINING)
        if training.state is SessionState.FINISHED:
            break
        assert training.state is SessionState.PAUSED
        pauses += 1
        recorded.session.pause()
        wait_until(lambda: training.state is not SessionState.PAUSED)
    wait_until(lambda: training.state is SessionState.FINISHED)
    assert pauses > 0
    assert np.array_equal(training.losses, expected.losses)
    here = training.snapshot[1].network.state_dict()
    for key, value in expected.network.state_dict().items():
        assert torch.equal(here[key], value), key


def test_a_rate_of_1e9_diverges_at_the_same_step_as_headless():
    experiment = get_preset("naive-1d").experiment.with_settings({"training.lr": 1e9})
    expected = headless(experiment)
    session = Session(lambda: None)
    training = session.start(experiment)
    wait_until(lambda: not training.state.active)
    assert session.close(60)
    assert (training.state, expected.status) == (SessionState.DIVERGED, "diverged")
    assert training.step == expected.step
    assert not np.isfinite(training.losses[training.step - 1])


def test_a_device_that_is_not_here_is_one_line():
    import torch

    if torch.backends.mps.is_available():
        pytest.skip("this machine has the device")
    experiment = get_preset("naive-1d").experiment.with_settings({"device": "mps"})
    session = Session(lambda: None)
    training = session.start(experiment)
    wait_until(lambda: not training.state.active)
    assert session.close(60)
    assert training.state is SessionState.FAILED
    assert training.error.startswith("device: 'mps' is not available; allowed: auto, cpu")


def test_a_clock_gives_a_drawing_its_share_of_the_time(monkeypatch):
    now = 100.0
    monkeypatch.setattr(clocks, "monotonic", lambda: now)
    clock = Clock(rate=10, share=0.05, longest=0.5)
    assert clock.due()
    assert not clock.near and not clock.due()
    clock.took(0.010)  # of 0.2 s five per cent
    now += 0.19
    assert not clock.due()
    now += 0.02
    assert clock.near and clock.due()
    for seconds, period in ((0.0, 0.1), (9.0, 0.5)):
        clock.took(seconds)
        assert clock.period == period
