"""Worker processes: their results, and what the death of one, or of their parent, costs."""

import json
import os
import signal
import subprocess

import pytest

from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.runs.store import summarise
from tui_diffusion.core.sweeps.engines import EngineOptions, make_engine
from tui_diffusion.core.sweeps.engines.processes import Processes, cores
from tui_diffusion.core.sweeps.naming import open_sweep
from tui_diffusion.core.sweeps.run import run_sweep
from tui_diffusion.core.sweeps.store import create_sweep
from tui_diffusion.core.training.trainer import train

from ..command_line import spawn
from ..fakes import wait_until
from ..sweeps import small
from .short_trainings import same, weights


def workers() -> list[int]:
    """The worker processes of this process that live."""
    import multiprocessing

    return [p.pid for p in multiprocessing.active_children() if p.name == "sweep-worker"]


def test_a_killed_worker_costs_its_own_training_and_the_results_are_those_of_train(home):
    sweep = small("network.width=4,8", training__steps=3000, seeds=1)
    stored = create_sweep(sweep)
    killed, news = 0, []
    for progress in run_sweep(stored, Processes(1)):
        news += [progress.news] if progress.news else []
        if progress.running and not killed:
            (killed,) = workers()
            os.kill(killed, signal.SIGKILL)
    assert news == ["1-width=4-seed=0: its worker died by signal 9; it starts again"]
    assert (progress.done, progress.failed) == (2, 0)
    assert workers() == []
    for training in sweep.trainings():
        opened = open_run(stored.run_folder(training))
        *_, expected = train(training.experiment)
        assert opened.losses().tobytes() == expected.trainer.losses.tobytes()
        assert same(weights(opened.denoiser()), weights(expected.trainer))


def die() -> None:
    os._exit(7)


@pytest.mark.slow
def test_workers_that_cannot_start_are_reported_and_not_tried_for_ever(home):
    *_, last = run_sweep(small(seeds=3), options=EngineOptions(workers=2, prepare=die))
    assert (last.done, last.failed) == (0, 3)
    reasons = set(last.stored.faults.values())
    assert reasons == {"no worker could start: it died with exit code 7"}


@pytest.mark.slow
def test_a_training_whose_workers_die_twice_has_failed(home):
    stored, killed = create_sweep(small(seeds=1, training__steps=1_000_000)), set()
    for progress in run_sweep(stored, Processes(1)):
        if progress.running:
            killed |= {*workers()}
            for pid in workers():
                os.kill(pid, signal.SIGKILL)
    assert len(killed) == 2
    assert (progress.done, progress.failed) == (0, 1)
    assert progress.stored.faults == {"1-seed=0": "its workers died by signal 9"}


@pytest.mark.slow
def test_a_closed_sweep_leaves_checkpoints_that_are_resumed(home):
    stored = create_sweep(small(training__steps=400_000, seeds=1))
    progress = run_sweep(stored, Processes(1))
    for report in progress:
        if report.step:
            break
    progress.close()
    assert workers() == []
    (training,) = stored.sweep.trainings()
    summary = summarise(stored.run_folder(training))
    assert summary.standing == "stopped"
    assert summary.about.step > 0


def test_an_engine_is_made_from_its_name():
    sweep = small()
    assert make_engine("auto", sweep).name == "processes"
    assert make_engine("auto", sweep).workers == cores() >= 1
    assert make_engine("processes", sweep, EngineOptions(workers=3)).workers == 3
    own = Processes(2)
    assert make_engine(own, sweep) is own


# --- the whole program ---------------------------------------------------------------------------

MANY = ("--vary", "network.width=8,16", "--seeds", "4", "--set", "training.steps=12000")
SMALL = ("--set", "sampling.points=100", "--set", "device=cpu")


def finished(folder) -> dict[str, int]:
    """When each complete run was written."""
    runs = {entry: summarise(entry) for entry in folder.glob("[0-9]*")}
    return {
        entry.name: (entry / "run.json").stat().st_mtime_ns
        for entry, run in runs.items()
        if run is not None and run.standing == "finished"
    }


def begun(*arguments: str) -> subprocess.Popen[str]:
    default = lambda: [signal.signal(n, signal.SIG_DFL) for n in (1, 2, 15)]  # noqa: E731
    small = () if "--resume" in arguments else SMALL
    return spawn("sweep", *arguments, *small, "--workers", "2", preexec_fn=default)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_sweep_that_is_cut_off_goes_on_and_nothing_is_done_twice(home, number):
    process = begun("naive-1d", *MANY)
    folder = home / "sweeps"
    wait_until(lambda: any(len(finished(f)) >= 3 for f in folder.glob("[!.]*")), "three runs")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    stored = open_sweep("latest")
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number
        assert f"go on with: diffusion-tui sweep --resume {stored.name}; sweep: " in err
        assert "Traceback" not in err
    before = finished(stored.folder)
    assert 3 <= len(before) < 8
    again = begun("--resume", stored.name, "--json")
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    report = json.loads(out)
    assert [cell["done"] for cell in report["cells"]] == [4, 4]
    after = finished(stored.folder)
    assert len(after) == 8
    assert {name: after[name] for name in before} == before
    for training in stored.sweep.trainings():
        *_, last = train(training.experiment)
        opened = open_run(stored.run_folder(training))
        assert opened.losses().tobytes() == last.trainer.losses.tobytes()


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(home):
    process = begun("naive-1d", "--set", "training.steps=100000000", "--set", "training.lr=1e-6")
    wait_until(lambda: [*home.glob("sweeps/*/[0-9]*/run.json")], "a checkpoint")
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True
    ).stdout.split()
    assert children
    process.kill()
    process.communicate()

    def alive(pid: str) -> bool:
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return False
        return (
            "defunct"
            not in subprocess.run(
                ["ps", "-o", "args=", "-p", pid], capture_output=True, text=True
            ).stdout
        )

    wait_until(lambda: not any(map(alive, children)), "the workers to end", 20)
    (run_folder,) = home.glob("sweeps/*/[0-9]*")
    assert summarise(run_folder).standing == "stopped"


@pytest.mark.slow
def test_a_hundred_and_twenty_trainings(home):
    """The sweep of the documentation, with fewer steps."""
    axes = ("--vary", "training.lr=1e-4..1e-1:log6", "--vary", "network.width=8,16,32,64")
    process = begun("ddpm-1d", *axes, "--seeds", "5", "--set", "training.steps=2000", "--json")
    out, err = process.communicate(timeout=230)
    assert process.returncode == 0, err
    report = json.loads(out)
    assert len(report["cells"]) == 24
    assert sum(cell["done"] for cell in report["cells"]) == 120
    assert (report["engine"], report["workers"], report["seeds"]) == ("processes", 2, 5)
    marked = [i for i, cell in enumerate(report["cells"]) if cell["best"]]
    assert report["best"]["cell"] in report["best"]["cells"] == marked
    assert 0 < len(marked) < 24
