"""Going on with a run: as if it had never been left, and only with what may change."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.resume import rate_change, resume, resumed_experiment
from tui_diffusion.core.runs.run import RunError, new_name, open_run, save_run, store
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.stages import learning_rate
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.session.session import Session, keep_in_store

from ..cases import for_each
from ..command_line import spawn
from ..fakes import FakeTrainers, wait_until
from ..trainings import go_on, trained

LONG = ("--set", "training.steps=100000000", "--set", "training.lr=1e-6")


def short(name: str, steps: int, **changes: object) -> Experiment:
    return get_preset(name).experiment.with_settings(
        {"training.steps": steps, "training.batch": 16, "device": "cpu", **changes}
    )


def same(a: Trainer, b: Trainer) -> bool:
    """Whether two trainings agree bit for bit: losses, weights, averages, optimizer, generator."""
    first, second = a.state(), b.state()
    for state in (first, second):
        del state["seconds"]
    assert first.keys() == second.keys()
    return all(torch.equal(first[key], second[key]) for key in first)


# --- bit for bit -------------------------------------------------------------------------------


@for_each("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_and_optimizer_goes_on_bit_for_bit(name, optimizer, tmp_path):
    experiment = short(name, 60, **{"training.optimizer": optimizer, "training.average": 0.9})
    whole = trained(experiment)
    folder = save_run(tmp_path / optimizer, trained(experiment, 7), "stopped")
    for stop in (23, 24):
        save_run(folder, go_on(resume(open_run(str(folder))), stop), "stopped")
    assert same(go_on(resume(open_run(str(folder)))), whole)


@for_each("average", [0, 0.9])
@for_each("decay", ["none", "step", "cosine"])
@pytest.mark.parametrize("name", ["ddpm-multimodal", "ddpm-1d-per-level"])
def test_every_decay_of_the_rate_goes_on_bit_for_bit(name, decay, average, tmp_path):
    experiment = short(
        name,
        300,
        **{
            "training.batch": 256,
            "training.decay": decay,
            "training.average": average,
            "training.optimizer": "adam",
        },
    )
    whole = trained(experiment)
    for stop in (1, 127, 128, 150, 299):
        folder = tmp_path / f"{decay}-{average}-{stop}"
        save_run(folder, trained(experiment, stop), "stopped")
        assert same(go_on(resume(open_run(str(folder)))), whole)


@pytest.mark.parametrize("kind", ["beta", "karras-beta", "linear-beta", "cosine"])
def test_every_schedule_goes_on_bit_for_bit(kind, tmp_path):
    experiment = short("ddpm-multimodal", 40, **{"schedule.kind": kind})
    folder = save_run(tmp_path / "run", trained(experiment, 13), "stopped")
    assert same(go_on(resume(open_run(str(folder)))), trained(experiment))


def test_a_training_with_checkpoints_is_the_same_as_one_without(home):
    experiment = short("edm-multimodal", 400)
    trainer = Trainer(experiment)
    with Checkpointer(trainer, store() / "run", seconds=0) as keeper:
        for _ in trainer.run(every=100):
            written, keeper._due = keeper.written, 0
            keeper.offer()
            wait_until(lambda w=written: keeper.written > w, "a checkpoint")
        keeper.finish("finished")
    assert keeper.written > 3
    assert same(trainer, trained(experiment))
    assert (open_run("run").losses() == trainer.losses).all()


def test_more_steps_after_the_end():
    experiment = short("naive-2d", 50)
    save_run(store() / "run", trained(experiment), "finished")
    run = open_run("run")
    with pytest.raises(RunError, match=r"has finished its 50 steps; allowed: .*training.steps=100"):
        resume(run)
    more = go_on(resume(run, resumed_experiment(run, {"training.steps": 80})))
    assert same(more, trained(short("naive-2d", 80)))


@pytest.mark.parametrize("name", list(PRESETS))
def test_more_steps_for_every_preset(name):
    experiment = short(name, 40, **{"training.optimizer": "adam"})
    save_run(store() / "run", trained(experiment), "finished")
    run = open_run("run")
    more = go_on(resume(run, resumed_experiment(run, {"training.steps": 90})))
    assert (more.step, more.status) == (90, "finished")
    assert np.array_equal(more.losses[:40], run.losses())


def test_a_cosine_that_more_steps_lift_is_said_and_can_be_held(run_cli):
    experiment = short("edm-1d", 60)
    save_run(store() / "run", trained(experiment), "finished")
    run = open_run("run")
    more = {"training.steps": 120}
    lifted = resumed_experiment(run, more)
    assert "goes from 8.2e-06 to 0.006 at step 60" in rate_change(experiment, lifted, 60)
    assert rate_change(experiment, experiment, 30) == "", "nothing changes"
    steady = short("edm-1d", 60, **{"training.decay": "none"})
    assert rate_change(steady, steady.with_settings(more), 60) == ""
    # What a person may want instead: the extra steps at a rate of their own.
    settings = {"training.decay": "none", "training.lr": 1e-5}
    held = go_on(resume(run, resumed_experiment(run, more | settings)))
    assert learning_rate(held.experiment, held.stages[0], 60) == 1e-5
    assert np.array_equal(held.losses[:60], run.losses())
    with pytest.raises(ConfigError, match=r"training\.(lr|decay): cannot change"):
        resumed_experiment(run, settings)
    run_cli.json("train", "--resume", "run", "--set", "training.steps=70")
    assert run_cli.err.count("the learning rate goes from") == 1


# --- what may change ---------------------------------------------------------------------------


@for_each(
    "settings, words",
    [
        ({"training.lr": 0.5}, ("training.lr", "cannot change", "training.steps")),
        ({"training.batch": 3}, ("training.batch", "it is 16")),
        ({"seed": 3}, ("seed", "cannot change")),
        ({"network.width": 3}, ("network.width", "cannot change")),
        ({"data.means": "3"}, ("data.means", "cannot change")),
        ({"schedule.rho": 3}, ("schedule.rho", "cannot change")),
        ({"training.steps": 39}, ("training.steps", "39", "from 40")),
        ({"training.steps": "x"}, ("training.steps", "allowed")),
        ({"nope": 1}, ("nope", "allowed")),
    ],
)
def test_what_is_part_of_the_mathematics_stays(settings, words):
    save_run(store() / "run", trained(short("naive-1d", 40), 5), "stopped")
    with pytest.raises(ConfigError) as caught:
        resumed_experiment(open_run("run"), settings)
    assert all(word in str(caught.value) for word in words), caught.value


def test_another_way_to_sample_may_be_taken():
    experiment = short("naive-1d", 40)
    save_run(store() / "run", trained(experiment, 5), "stopped")
    run = open_run("run")
    changed = resumed_experiment(run, {"sampling.points": 7, "training.lr": "1e-3"})
    assert same(go_on(resume(run, changed)), trained(experiment))


def test_a_diverged_run_is_not_gone_on_with():
    trainer = trained(short("naive-1d", 40, **{"training.lr": 1e9}))
    save_run(store() / "run", trainer, "diverged")
    with pytest.raises(RunError, match=r"diverged at step \d+; allowed: "):
        resume(open_run("run"))


def test_another_experiment_is_refused():
    save_run(store() / "run", trained(short("naive-1d", 40), 5), "stopped")
    with pytest.raises(ConfigError, match="not that of run 'run'; allowed: naive-1d"):
        resume(open_run("run"), short("naive-2d", 40))


# --- checkpoints -------------------------------------------------------------------------------


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


# --- the command line --------------------------------------------------------------------------


def test_resume_on_the_command_line(run_cli, home):
    experiment = get_preset("naive-2d").experiment.with_settings({"training.steps": 90})
    name = new_name(experiment)
    save_run(store() / name, trained(experiment, 33), "stopped")
    report = run_cli.json("train", "--resume", name)
    assert (report["experiment"], report["steps"], report["run"]) == (
        *("naive-2d", 90),
        str(store() / name),
    )
    run = open_run(name)
    assert run.state == "finished"
    assert run.losses().tobytes() == trained(experiment).losses.tobytes()
    assert run.metrics["sample"] == report["sample"]
    (row,) = run_cli.json("runs")["runs"]
    assert (row["run"], row["experiment"], row["state"]) == (name, "naive-2d", "finished")
    assert (row["step"], row["steps"], row["reason"]) == (90, 90, None)
    assert row["quality"]["energy_distance"] == report["sample"]["energy_distance"]

    assert run_cli("train", "--resume", name) == 2
    assert "has finished its 90 steps" in run_cli.err
    assert run_cli.err.endswith("such as --set training.steps=180\n")
    assert run_cli.err.count("\n") == 1
    more = run_cli.json(
        "train", "naive-2d", "--resume", str(store() / name), "--set", "training.steps=120"
    )
    assert more["steps"] == 120
    assert open_run(name).experiment.training.steps == 120
    assert [entry.name for entry in store().iterdir()] == [name]


@for_each(
    "arguments, words",
    [
        (("--resume", "nope"), ("nope", "does not exist")),
        (("--resume", "run", "--set", "training.lr=1"), ("training.lr", "cannot change")),
        (("--resume", "run", "--seed", "4"), ("seed", "cannot change")),
        (("ddpm-1d", "--resume", "run"), ("ddpm-1d", "naive-1d")),
        (("--resume", "run", "--out", "x"), ("--out", "--resume")),
        (("--resume", "run", "--device", "cuda:99"), ("device", "allowed")),
        ((), ("no experiment", "naive-1d")),
    ],
)
def test_a_run_that_cannot_be_gone_on_with_is_one_line(run_cli, arguments, words):
    save_run(store() / "run", trained(short("naive-1d", 40, device="auto"), 5), "stopped")
    before = {file: file.read_bytes() for file in store().rglob("*.*") if file.is_file()}
    assert run_cli("train", *arguments, "--json") == 2
    assert run_cli.out == ""
    assert len(run_cli.err.splitlines()) == 1
    assert all(word in run_cli.err for word in words), run_cli.err
    assert {file: file.read_bytes() for file in before} == before


def test_a_run_that_is_being_written_is_one_line(run_cli):
    trainer = trained(short("naive-1d", 40), 5)
    folder = save_run(store() / "run", trainer, "stopped")
    with Checkpointer(trainer, folder):
        assert run_cli("train", "--resume", "run", "--json") == 2
    assert "is still training this run; try again when it ends" in run_cli.err
    assert run_cli.err.count("\n") == 1


def test_a_run_is_not_written_over_by_a_new_training(run_cli):
    folder = save_run(store() / "run", trained(short("naive-1d", 40), 5), "stopped")
    assert run_cli("train", "naive-1d", "--out", str(folder)) == 2
    assert "not empty" in run_cli.err
    assert open_run("run").step == 5


def test_runs_for_a_person(run_cli):
    assert run_cli("runs") == 0
    assert "no runs so far" in run_cli.err
    assert run_cli.json("runs") == {"runs": []}
    save_run(store() / "[red]mine\x1b[31m", trained(short("naive-1d", 40), 5), "stopped")
    (store() / "other").mkdir()
    assert run_cli("runs") == 0
    assert "[red]mine?[31m" in run_cli.out
    assert "\x1b" not in run_cli.out
    assert "5/40" in run_cli.out
    assert "foreign" in run_cli.out
    rows = run_cli.json("runs")["runs"]
    assert [row["state"] for row in rows] == ["stopped", "foreign"]
    assert rows[1]["step"] is None


# --- signals, in real processes ----------------------------------------------------------------


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
    "number", [signal.SIGINT, signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)]
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


# --- the session of the lab --------------------------------------------------------------------


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


def test_the_list_of_runs_loads_no_torch():
    code = """
import sys
from tui_diffusion.program import main
sys.argv = ["diffusion-tui", "runs", "--json"]
main()
assert not {"torch", "numpy", "rich", "textual"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"runs": []}
