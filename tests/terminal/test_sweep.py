"""A sweep in a real terminal, with its worker processes: from the field to the shell."""

import time

import pytest

from tests.pseudo_terminal import Terminal
from tests.sweeps import carried_out, small
from tui_diffusion.core.sweeps.store import list_sweeps


@pytest.mark.slow
def test_a_move_of_the_cursor_is_under_4000_bytes(home):
    carried_out(small("network.width=4,8", "training.lr=1e-3,1e-2", seeds=1))
    true = {"COLORTERM": "truecolor"}
    with Terminal("naive-1d", size=(80, 24), env=true) as terminal:
        terminal.until("idle")
        terminal.go("4", "lists the sweeps on disk")
        terminal.go("o", "finished")
        terminal.go("enter", "4/4 trainings")
        terminal.settle(1.0)
        for key, text in (("right", "width=8 lr=0.001"), ("up", "width=8 lr=0.01")):
            before = len(terminal.sent)
            terminal.go(key, text)
            terminal.settle(1.0)
            assert 0 < len(terminal.sent) - before < 4000, key
        terminal.press("q")
        terminal.ends_cleanly()


@pytest.mark.slow
def test_a_sweep_goes_on_after_the_lab(home):
    settings = ("--set", "training.steps=3000", "--set", "sampling.points=50")
    with Terminal("naive-1d", *settings, size=(80, 24)) as terminal:
        terminal.until("idle")
        terminal.press("1", "tab", "down", "down", "down")
        terminal.until("data.std")
        terminal.press("*")
        terminal.until("takes it")
        terminal.press(*"0.1,0.2,0.3,0.4", "enter")
        terminal.until("varied")
        terminal.go("4", "4 cells: 4 trainings, about")
        terminal.press("t")
        terminal.until("0/4 trainings")
        terminal.press("q")
        terminal.until("goes on without the lab")
        terminal.press("g")
        terminal.ends_cleanly()
        assert b"the sweep goes on as process" in terminal.sent.replace(b"\r\n", b"")
    end = time.monotonic() + 120
    while [one.state for one in list_sweeps()] != ["finished"] and time.monotonic() < end:
        time.sleep(0.2)
    assert [(one.done, one.trainings) for one in list_sweeps()] == [(4, 4)]
