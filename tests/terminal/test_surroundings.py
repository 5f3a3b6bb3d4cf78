"""What shells, schedulers and other people do around a command."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tui_diffusion.core.runs import checkpointer as checkpoints
from tui_diffusion.core.runs.lock import claimed
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.interface.capabilities import forget_size
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.session.session import Session

from ..changed import changed
from ..fakes import FakeTrainers, wait_until
from ..lab_driver import make_lab, running, until
from ..pseudo_terminal import Terminal

SHORT = ("--set", "training.steps=200", "--device", "cpu")


def test_a_working_folder_that_is_gone_is_one_line(run_cli, tmp_path, monkeypatch):
    """MKL would end the process with its own line and code 2 as torch is imported."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    for command in (("train", "naive-1d"), ("naive-1d",), ("sample", "run"), ("doctor",)):
        assert run_cli(*command) == 1
        assert run_cli.err.splitlines() == [
            "diffusion-tui: the working folder has been removed; allowed: cd to one that is there"
        ]
    assert run_cli("list") == run_cli("train", "--help") == 0


def test_a_size_of_nothing_in_the_environment_is_ignored(run_cli, monkeypatch):
    for columns in ("0", "x", "-1"):
        monkeypatch.setenv("COLUMNS", columns)
        assert run_cli("list") == 0
        assert "naive-multimodal" in run_cli.out


def test_the_windows_size_goes_before_the_environments(monkeypatch):
    for window in ((120, 40), (0, 0)):  # the latter where nobody has told the kernel one
        monkeypatch.setattr(os, "get_terminal_size", lambda _, w=window: os.terminal_size(w))
        environ = {"COLUMNS": "80", "LINES": "24"}
        forget_size(environ)
        assert bool(environ) == (window == (0, 0))


def test_a_terminal_without_a_cursor_is_one_line():
    with Terminal("naive-1d", term="dumb") as terminal:
        assert terminal.wait() == 2
        assert "TERM=dumb has no cursor" in terminal.text
        assert b"\x1b" not in terminal.sent


# --- signals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
def test_a_scheduler_asks_for_a_checkpoint_and_training_goes_on(number, run_cli, monkeypatch):
    run, saved = Trainer.run, []

    def signalled(self, **how):
        for progress in run(self, every=50):
            if progress.step == 50:
                signal.raise_signal(number)
            if progress.step == 150:
                wait_until(list_runs)
                saved.extend((s.standing, s.about.step) for s in list_runs())
            yield progress

    monkeypatch.setattr(checkpoints.Checkpointer.__init__, "__kwdefaults__",
                        {"seconds": 1e9, "clock": lambda: 0.0})  # fmt: skip
    monkeypatch.setattr(Trainer, "run", signalled)
    assert run_cli("train", "naive-1d", *SHORT) == 0
    assert saved == [("training", 50)]
    assert [s.standing for s in list_runs()] == ["finished"]


def test_the_lab_takes_a_checkpoint_when_asked():
    class Keeper:
        folder, fault, hurried = Path("run"), "", 0

        def offer(self) -> None: ...
        def finish(self, state, metrics=None) -> None: ...
        def close(self) -> None: ...

        def hurry(self) -> None:
            self.hurried += 1

    keeper = Keeper()
    session = Session(lambda: None, FakeTrainers(), lambda _: (), lambda *_: keeper)
    session.save()  # nothing is trained: nothing happens
    session.start(changed("naive-1d", training__steps=10**7))
    wait_until(lambda: session.state is SessionState.TRAINING)
    session.save()
    wait_until(lambda: keeper.hurried == 1)
    assert session.state is SessionState.TRAINING
    assert session.close(60)


# --- a folder of one's own choice --------------------------------------------------------------


def test_a_folder_that_another_training_has_is_told_at_the_start(run_cli, tmp_path):
    folder = tmp_path / "same"
    with claimed(folder):
        assert run_cli("train", "naive-1d", "--out", str(folder), *SHORT) == 2
        assert "another training is about to write there; allowed: another" in run_cli.err
    assert not folder.exists()  # nothing was written there


def test_a_link_to_a_folder_is_followed(run_cli, tmp_path):
    link, real = tmp_path / "link", tmp_path / "real"
    link.symlink_to(real)
    report = run_cli.json("train", "naive-1d", "--out", str(link), *SHORT)
    assert link.is_symlink()
    assert Path(report["run"]) == real
    assert open_run(str(real)).state == "finished"


# --- the screen --------------------------------------------------------------------------------

ENDED = """
import os, sys, tty
from tui_diffusion.lab.output.guard import Guard
lab = os.fork()
if lab:  # the shell: while it leads the session, the system does not hang the terminal up
    _, status = os.waitpid(lab, 0)
    os.read(0, 1)
    os._exit(128 + os.WTERMSIG(status))
guard = Guard.start()
tty.setraw(2)
for word in sys.argv[1]:
    guard.hold() if word == "h" else guard.release()
os.write(2, b"\\x1b[?1049h\\x1b[?1000h\\x1b[?25l\\x1b[>1u")
os.kill(os.getpid(), int(sys.argv[2]))
"""


def test_the_terminal_is_restored_by_the_guard_whatever_ends_the_lab():
    python = Path(sys.executable)
    for number in (signal.SIGKILL, signal.SIGABRT):
        with Terminal("-c", ENDED, "hrh", str(int(number)), program=python) as terminal:
            terminal.until(lambda terminal=terminal: b"was killed or crashed" in terminal.sent)
            assert terminal.left_on() == []
            terminal.press("enter")
            assert terminal.wait() == 128 + number
    with Terminal("-c", ENDED, "hr", "9", program=python) as terminal:
        terminal.until(lambda: b"[>1u" in terminal.sent)
        terminal.settle()
        terminal.press("enter")
        assert terminal.wait() == 128 + signal.SIGKILL
        assert b"killed" not in terminal.sent  # the shell had the terminal, and keeps it


async def test_one_key_paints_everything_anew_wherever_one_is(monkeypatch):
    async with running(make_lab(), (80, 24)) as driver:
        painted = []
        monkeypatch.setattr(driver.app, "draw_anew", lambda: painted.append(driver.app.screen))
        await driver.press("ctrl+l", "question_mark", "ctrl+l", "escape", "j", "ctrl+l")
        await until(lambda: len(painted) == 3)
        assert painted[0] is not painted[1]
