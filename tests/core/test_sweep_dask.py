"""The engine `dask`, with a scheduler and workers that are processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from importlib import metadata
from multiprocessing import current_process
from time import sleep

import pytest

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.sweeps.engines import EngineOptions, make_engine
from tui_diffusion.core.sweeps.run import SweepProgress, run_sweep
from tui_diffusion.core.sweeps.store import StoredSweep, create_sweep
from tui_diffusion.core.sweeps.sweep import Sweep
from tui_diffusion.core.training.trainer import train
from tui_diffusion.parts import load_parts

from ..command_line import LONG, spawn
from ..dask_cluster import Cluster, cluster
from ..fakes import wait_until
from ..part_files import restored, written
from ..sweeps import small
from .short_trainings import same, weights

distributed = pytest.importorskip("distributed")

from distributed.versions import get_versions  # noqa: E402

from tui_diffusion.core.sweeps.engines import dask, dask_cluster  # noqa: E402
from tui_diffusion.core.sweeps.engines.dask_cluster import version_fault  # noqa: E402


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


def begun(running: Cluster, sweep: Sweep | StoredSweep) -> Generator[SweepProgress, None, None]:
    return run_sweep(sweep, "dask", options=EngineOptions(scheduler=running.address))


def at_work(running: Cluster) -> int:
    """The number of workers that train."""
    with distributed.Client(running.address, set_as_default=False) as client:
        found = client.run(lambda dask_worker: len(dask_worker.state.executing))
    return sum(found.values())


def check_runs(stored: StoredSweep) -> None:
    """Each run is that of `train`, bit for bit."""
    for training in stored.sweep.trainings():
        opened = open_run(stored.run_folder(training))
        *_, expected = train(training.experiment)
        assert opened.losses().tobytes() == expected.trainer.losses.tobytes()
        assert same(weights(opened.denoiser()), weights(expected.denoiser))


def test_a_killed_worker_costs_its_own_training_and_the_results_are_those_of_train(running, home):
    stored = create_sweep(small("network.width=4,8", training__steps=3000))
    killed, news = "", []
    for progress in begun(running, stored):
        news += [progress.news] if progress.news else []
        if progress.running and not killed:
            killed = next(iter(running.workers))
            running.kill(killed)
    assert (progress.done, progress.failed) == (4, 0)
    (line,) = news
    assert line.endswith(f"its worker {killed} died or left; it starts again")
    check_runs(stored)
    assert stored.record(engine="dask").engine == "dask"
    running.start_worker()


def test_a_closed_sweep_stops_its_workers_and_goes_on(running, home):
    with closing(begun(running, small(training__steps=10**8, training__lr=1e-6))) as progress:
        stored = next(report.stored for report in progress if report.step)
        assert at_work(running)
    wait_until(lambda: not at_work(running), "the workers to stop", 20)
    assert stored.missing(stored.sweep.trainings()) == [*stored.sweep.trainings()]


TEXT = """
@dataset
def heart(turn: float = 0.0):
    \"\"\"A heart.\"\"\"
    t = turn + torch.linspace(0, 6, 40, dtype=torch.float64)
    return torch.stack([t.sin() ** 3, {y}], 1)
"""


def test_part_files_travel_and_another_takes_the_place_of_one_before(running, home, tmp_path):
    for name, y in (("a.py", "t.cos()"), ("b.py", "t.cos() - (2 * t).cos()")):
        with restored():
            file = written(tmp_path, TEXT.format(y=y), name)
            load_parts(file)
            file.unlink()
            settings = {"data.name": "heart", "training.steps": 60}
            sweep = small("data.turn=0,1", preset="edm-moons", seeds=1, **settings)
            *_, last = begun(running, sweep)
            assert (last.done, last.failed) == (2, 0), last.stored.faults
            check_runs(last.stored)
            assert (last.stored.run_folder(sweep.trainings()[0]) / name).is_file()


def test_other_versions_are_refused_by_name(running, home):
    here = metadata.version("torch").partition("+")[0]
    fault = f"it has torch 1.0; allowed: torch {here}, as here"
    progress = begun(running, small(training__steps=10**8, training__lr=1e-6))
    assert next(report for report in progress if report.running)
    other = running.start_worker(torch="1.0")
    news = next(report.news for report in progress if report.news)
    assert news == f"dask worker {other} is not used: {fault}"
    progress.close()
    with pytest.raises(ConfigError, match=re.escape(f"dask worker {other}: {fault}")):
        make_engine("auto", small(), EngineOptions(scheduler=running.address))
    running.kill(other)


def test_versions_of_other_processes_are_compared():
    here = get_versions(["diffusion-tui", "torch"])
    assert version_fault(here) == ""
    same = {"torch": here["packages"]["torch"].partition("+")[0] + "+cu999"}
    assert version_fault({"packages": {**here["packages"], **same}}) == ""
    for name, found in (("python", "3.99.1"), ("diffusion-tui", None), ("distributed", "1.0")):
        fault = version_fault({"packages": {**here["packages"], name: found}})
        assert fault.startswith(f"it has {name} "), fault
        assert ("(none)" in fault) == (found is None)
    scheduler = {"packages": {**here["packages"], "torch": None}}
    assert version_fault(scheduler, dask_cluster._OF_SCHEDULERS) == ""


def test_a_scheduler_that_does_not_answer_is_a_line(home, monkeypatch, capfd):
    monkeypatch.setattr(dask_cluster, "_CONNECT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for address in ("tcp://127.0.0.1:1", f"tcp://127.0.0.1:{port}", "nonsense", "foo://h:1"):
            with pytest.raises(ConfigError) as error:
                make_engine("dask", small(), EngineOptions(scheduler=address))
            message = str(error.value)
            assert message.startswith(f"scheduler '{address}': cannot be reached (")
            assert "\n" not in message and "such as tcp://host:8786" in message
    assert capfd.readouterr() == ("", "")


def test_a_daemonic_process_starts_no_cluster(monkeypatch):
    monkeypatch.setattr(current_process(), "_config", {"daemon": True})
    with pytest.raises(ConfigError, match="daemonic process cannot start workers; allowed: the"):
        make_engine("dask", small())


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, dask_cluster.__name__)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError) as error:
        make_engine("dask", small())
    assert str(error.value) == (
        "engine: dask needs distributed; allowed: pip install 'diffusion-tui[cluster]', or another "
        "engine"
    )


@pytest.mark.slow
def test_a_scheduler_that_dies_or_stops_ends_the_sweep(home, monkeypatch):
    monkeypatch.setattr(dask, "_PATIENCE", 4.0)
    for number in (signal.SIGKILL, signal.SIGSTOP):
        with cluster(1) as running:
            progress = begun(running, small(training__steps=10**8, training__lr=1e-6))
            assert next(report for report in progress if report.step)
            os.kill(running.scheduler, number)
            *_, last = progress
            assert (last.done, last.failed) == (0, 2)
            assert {*last.stored.faults.values()} == {"the Dask scheduler has gone"}


# --- the whole program ---------------------------------------------------------------------------


def children(process: int, word: str) -> list[int]:
    """The processes that a process has started, whose command has this word in it."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(process)], capture_output=True, text=True
    ).stdout.splitlines()
    return [int(line.split()[0]) for line in listed if word in line]


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


SWEEP = ("sweep", "naive-1d", "--vary", "network.width=4,8", "--seeds", "2")
SETTINGS = ("--set", "training.steps=2000", "--set", "sampling.points=50", "--set", "device=cpu")


def cells(*options: str) -> list[dict[str, object]]:
    """The cells of a sweep by the command line, without what a clock decides."""
    process = spawn(*SWEEP, *SETTINGS, *options, "--workers", "2", "--json")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert all(line.startswith("diffusion-tui: sweep: training ") for line in err.splitlines()), err
    return [
        {k: v for k, v in cell.items() if k not in ("runs", "seconds")}
        for cell in json.loads(out)["cells"]
    ]


@pytest.mark.slow
def test_every_cluster_gives_the_numbers_of_processes(running, home):
    expected = cells("--engine", "processes")
    assert cells("--engine", "dask") == expected
    assert cells("--scheduler", running.address) == expected


@pytest.mark.slow
def test_ctrl_c_ends_a_local_cluster_quietly(home):
    process = spawn(*SWEEP, *LONG, "--engine", "dask", "--workers", "2", start_new_session=True)
    wait_until(lambda: children(process.pid, "spawn_main"), "workers")
    sleep(3)
    left = children(process.pid, "")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    lines = [line for line in err.splitlines() if "sweep: training" not in line]
    assert len(lines) == 1 and "go on with: diffusion-tui sweep --resume" in lines[0], err
    wait_until(lambda: not any(map(alive, left)), "the workers to end", 20)
