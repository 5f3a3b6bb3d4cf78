"""When checkpoints are written."""

import time

import pytest

from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.run import store
from tui_diffusion.core.runs.store import list_runs

from ..trainings import short, trained


class Ticking:
    """A clock that goes as it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_checkpoints_come_no_closer_than_they_may():
    clock, trainer = Ticking(), trained(short("naive-1d", 40), 2)
    keeper = Checkpointer(trainer, store() / "run", seconds=3.0, clock=clock)
    with keeper:
        for second, written in ((0.5, 0), (1.1, 1), (2, 1), (4, 1), (4.5, 2), (6, 2), (8, 3)):
            clock.now = 100 + second
            trainer.step += 1
            keeper.offer()
            keeper._join()
            assert keeper.written == written, second
        clock.now = 200
        keeper.offer()
        keeper._join()
        clock.now = 300
        keeper.offer()
        keeper._join()
        assert keeper.written == 3, "nothing new has been trained"
        keeper._spent(1.0)
        assert keeper._due == pytest.approx(300 + 50), "at most 2 % of the time"


def test_a_clock_set_back_stops_no_checkpoint(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 0.0)
    trainer = trained(short("naive-1d", 40), 2)
    with Checkpointer(trainer, store() / "run", seconds=0) as keeper:
        for step in (3, 4):
            trainer.step = step
            keeper._due = 0
            keeper.offer()
            keeper._join()
    assert (keeper.written, keeper.fault) == (2, "")


def test_a_checkpoint_of_weights_that_are_not_finite_is_left_out():
    trainer = trained(short("naive-1d", 40), 2)
    with Checkpointer(trainer, store() / "run", seconds=0) as keeper:
        keeper._due = 0
        next(trainer.network.parameters()).data.fill_(float("nan"))
        keeper.offer()
    assert list_runs() == []
