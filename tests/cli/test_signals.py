"""Signals, in real processes: the training is written down and goes on."""

import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.trainer import Trainer

from ..command_line import LONG, spawn
from ..fakes import wait_until


def begin(home: Path, *options: str, **how) -> subprocess.Popen[str]:
    """A long training that has written its first checkpoint."""
    default = lambda: [signal.signal(n, signal.SIG_DFL) for n in (1, 2, 15)]  # noqa: E731
    process = spawn("train", "naive-2d", *LONG, *options, preexec_fn=default, **how)
    wait_until(list_runs, "a checkpoint")
    return process


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        return process.communicate(timeout=120)
    finally:
        process.kill()


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGTERM, signal.SIGHUP)),
    ],
)
def test_a_signal_writes_the_training_down_and_says_how_to_go_on(home, number):
    process = begin(home, "--json")
    (summary,) = list_runs()
    assert summary.standing == "training"
    process.send_signal(number)
    out, err = ended(process)
    assert (process.returncode, out) == (128 + number, "")
    (line,) = err.splitlines()
    (summary,) = list_runs()
    assert (summary.standing, summary.resumable) == ("stopped", True)
    assert f"diffusion-tui train --resume {summary.name};" in line
    run = open_run(summary.name)
    assert len(run.losses()) == run.step > 0
    assert resume(run).step == run.step


@pytest.mark.slow
def test_a_killed_training_goes_on_from_its_last_checkpoint(home):
    process = begin(home)
    process.kill()
    ended(process)
    (summary,) = list_runs()
    assert (summary.standing, summary.resumable) == ("interrupted", True)
    run = open_run(summary.name)
    whole = Trainer(run.experiment)
    progress = next(whole.run(every=run.step))
    assert progress.losses.tobytes() == run.losses().tobytes()
    resumed = next(resume(run).run(every=500))
    assert resumed.losses.tobytes() == next(whole.run(every=500)).losses.tobytes()


@pytest.mark.slow
def test_a_terminal_that_is_closed_ends_a_training_that_can_go_on(home):
    ours, theirs = pty.openpty()

    def session() -> None:
        for number in (1, 2, 15):
            signal.signal(number, signal.SIG_DFL)
        import fcntl
        import termios

        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, "-m", "tui_diffusion", "train", "naive-2d", *LONG],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=session,
    )
    os.close(theirs)
    os.set_blocking(ours, False)

    def written() -> bool:
        with suppress(BlockingIOError):
            os.read(ours, 65536)
        return bool(list_runs())

    try:
        wait_until(written, "a checkpoint")
        os.close(ours)
        assert process.wait(120) == 128 + signal.SIGHUP
    finally:
        process.kill()
    (summary,) = list_runs()
    assert summary.standing == "stopped"


@pytest.mark.slow
def test_the_time_that_a_training_is_stopped_is_none_of_its_own(home):
    """Stopped by ctrl+z, and brought back by ``fg`` a while later."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tui_diffusion", "train", "naive-2d", *LONG],
        stderr=subprocess.PIPE,
        process_group=0,
        preexec_fn=lambda: [signal.signal(n, signal.SIG_DFL) for n in (2, signal.SIGTSTP)],
    )
    try:
        wait_until(list_runs, "a checkpoint")
        first = list_runs()[0]
        written = (first.folder / "run.json").stat().st_mtime
        process.send_signal(signal.SIGTSTP)
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        stopped = 3.0
        time.sleep(stopped)
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 130
        since = time.time() - written
    finally:
        process.kill()
    about = list_runs()[0].about
    assert about.state == "stopped"
    # What is written was measured a moment earlier: half of the stop is left for that.
    assert 0 <= about.seconds - first.about.seconds < since - stopped / 2
