"""Into the background and back, with a real shell in a real pseudo-terminal."""

import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(not shutil.which("bash"), reason="needs a shell with job control"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc"),
    pytest.mark.timeout(240),
]
if sys.platform != "win32":
    from ..fakes import wait_until
    from ..pseudo_terminal import Terminal

LAB = Path(sys.executable).with_name("diffusion-tui")
TRAIN = "naive-1d --set training.steps=50000000"


class Shell(Terminal):
    """``bash -i`` with the lab as its job."""

    def __init__(self, command: str = f"{LAB} {TRAIN}", **options) -> None:
        env = {"PS1": "here$ ", "HISTFILE": "/dev/null"}
        bash = Path(shutil.which("bash"))
        super().__init__("--norc", "--noprofile", "-i", program=bash, env=env, **options)
        self.prompt()
        self.press(f"{command}\r")
        self.until("idle")
        self.lab = self.child()

    def child(self) -> int:
        """The process of the lab."""
        own = self.process.pid
        (children,) = Path(f"/proc/{own}/task").glob("*/children")
        return int(children.read_text().split()[-1])

    @property
    def state(self) -> str:
        """T where it is stopped."""
        return Path(f"/proc/{self.lab}/stat").read_text().rpartition(")")[2].split()[0]

    def prompt(self) -> None:
        self.until(lambda: self.screen.display[self.screen.cursor.y].startswith("here$"))

    def switched_on(self) -> list[str]:
        """What the lab has left on; bash has bracketed paste and flags of its own."""
        assert b"\x1b[?1049h" in self.sent
        return [n for n in self.left_on() if not n.startswith(("bracketed", "termios"))]

    def gives_back(self) -> None:
        """It stops, and the shell finds its terminal as it was."""
        self.until(lambda: self.state == "T")
        self.prompt()
        assert self.switched_on() == []
        self.press("echo $((6*7)); stty -a | grep -o -e '-*icanon'\r")
        self.until(lambda: "42" in self.text and re.search(r"^icanon", self.text, re.M))

    def comes_back(self) -> None:
        """``fg`` paints it anew, and it answers."""
        self.screen.reset()
        self.press("fg\r")
        self.until("level 10/10 ")
        self.until("q quit")
        self.go("home", "level 0/10 ")
        self.go("end", "level 10/10 ")

    def leaves(self) -> None:
        self.press("q")
        self.prompt()
        assert not Path(f"/proc/{self.lab}").exists()
        assert self.switched_on() == []
        assert b"Traceback" not in self.sent


def steps(terminal: Terminal) -> int:
    found = re.search(r"step ([\d,]+)/", terminal.text)
    return int(found[1].replace(",", "")) if found else 0


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ctrl+z", "TSTP", "STOP"])
def test_away_and_back_in_mid_training(how):
    with Shell() as shell:
        shell.press("t")
        shell.until(lambda: steps(shell) > 0)
        for size in ((120, 40), (80, 24)):
            if how == "ctrl+z":
                shell.press("\x1a")
            else:
                os.kill(shell.lab, getattr(signal, f"SIG{how}"))
            if how == "STOP":  # cannot be caught: the screen stays as it was, but `fg` mends it
                shell.until(lambda: shell.state == "T")
                shell.settle()
            else:
                shell.gives_back()
            shell.resize(*size)
            shell.comes_back()
            assert ("1 setup" in shell.text) == (size[0] == 80)
            reached = steps(shell)
            shell.until(lambda reached=reached: steps(shell) > reached)
        shell.leaves()


@pytest.mark.slow
def test_the_clock_of_a_training_leaves_the_time_out():
    with Shell(f"{LAB} ddpm-1d-per-level --set training.steps=900000") as shell:
        began = time.monotonic()
        shell.press("t")
        shell.until(lambda: steps(shell) > 3000)
        shell.press("\x1a")
        shell.gives_back()
        time.sleep(6)
        shell.press("fg\r")
        shell.until("level ")
        shell.press("x")
        shell.until("stopped")
        passed = time.monotonic() - began
        minutes, rest = re.search(r" in (?:(\d+):)?([\d.]+)", shell.text).groups()
        assert int(minutes or 0) * 60 + float(rest) < passed - 5
        shell.leaves()


@pytest.mark.slow
def test_a_continuation_that_nothing_went_before_changes_nothing():
    with Shell() as shell:
        for _ in range(3):
            os.kill(shell.lab, signal.SIGCONT)
            shell.settle()
        shell.go("home", "level 0/10 ")
        for level in range(1, 5):  # one reader of the keys, not two
            shell.go("right", f"level {level}/10 ")
        shell.leaves()


@pytest.mark.slow
def test_in_the_background_it_stays_stopped():
    with Shell() as shell:
        shell.press("\x1a")
        shell.gives_back()
        shell.press("bg\r")
        shell.settle(0.5)
        shell.until(lambda: shell.state == "T")
        shell.comes_back()
        shell.leaves()


def test_a_terminal_closed_while_it_is_away_ends_it():
    with Shell() as shell:
        shell.press("\x1a")
        shell.gives_back()
        with Path("/dev/null").open() as nothing:
            os.dup2(nothing.fileno(), shell.master)
        os.close(shell._slave)
        shell._slave = os.dup(shell.master)
        wait_until(lambda: not alive(shell.lab), "its end")


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_without_a_shell_ctrl_z_says_so():
    with Terminal() as terminal:
        terminal.until("idle")
        terminal.go("\x1a", "No shell")
        terminal.press("q")
        terminal.ends_cleanly()
