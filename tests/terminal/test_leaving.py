"""Leaving the lab in a terminal writes its training down."""

import os
import pty
import signal
import sys
from contextlib import suppress

import pytest

from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.runs.store import list_runs

from ..command_line import LONG
from ..fakes import wait_until


class Lab:
    """The lab in a terminal of its own, where a long training runs and has been written once."""

    def __init__(self) -> None:
        pid, self.terminal = pty.fork()
        if not pid:
            for number in (1, 2, 15):
                signal.signal(number, signal.SIG_DFL)
            command = [sys.executable, "-m", "tui_diffusion", "naive-2d", *LONG]
            os.execve(sys.executable, command, {**os.environ, "TERM": "xterm-256color"})
        self.pid = pid
        os.set_blocking(self.terminal, False)
        self.screen = b""
        wait_until(lambda: b"quit" in self.read(), "the lab")
        os.write(self.terminal, b"t")
        wait_until(lambda: self.read() and list_runs(), "the first checkpoint")

    def read(self) -> bytes:
        with suppress(OSError):
            self.screen += os.read(self.terminal, 1 << 16)
        return self.screen

    def end(self) -> int | None:
        """Its exit code."""
        code = None
        try:

            def over() -> bool:
                nonlocal code
                self.read()
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                code = os.waitstatus_to_exitcode(status) if pid else None
                return bool(pid)

            wait_until(over, "the end", 30)
        finally:
            if code is None:
                os.kill(self.pid, signal.SIGKILL)
        return code


@pytest.mark.slow
@pytest.mark.parametrize("how", ["q", "SIGTERM", "SIGHUP", "closed"])
def test_leaving_the_lab_writes_the_training_down(how):
    lab = Lab()
    if how == "q":
        os.write(lab.terminal, b"q")
    elif how == "closed":
        os.close(lab.terminal)
    else:
        os.kill(lab.pid, getattr(signal, how))
    code = lab.end()
    expected = {"q": 0, "SIGTERM": 143, "SIGHUP": 129, "closed": 129}
    assert code == expected[how], lab.screen[-400:]
    (summary,) = list_runs()
    assert summary.standing == "stopped"
    run = open_run(summary.name)
    assert resume(run).step == run.step
    if how != "closed":
        assert b"\x1b[?1049l" in lab.screen, "the terminal is as it was found"
