"""Faults, for real: full disks, cut files, killed processes. What was whole stays whole."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tui_diffusion.cli.signals import Exit
from tui_diffusion.core.analysis import report
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.faults import fault_of, is_out_of_memory
from tui_diffusion.core.runs import resume as resuming
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import RunError, open_run, save_run, store
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.runs.tensor_files import save_tensors
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.export.atomic import write_whole
from tui_diffusion.lab.runs.load import opened
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.session.session import Session, keep_in_store

from ..cases import for_each
from ..fakes import FakeTrainers, wait_until
from ..stored_runs import of_an_earlier_version
from ..trainings import go_on, trained

EXPERIMENT = get_preset("ddpm-multimodal").experiment.with_settings(
    {"training.steps": 30, "training.batch": 8, "training.average": 0.9, "device": "cpu"}
)
BINARY = ("weights.safetensors", "state.safetensors", "losses.npy")
FILES = ("run.json", "experiment.json", "metrics.json", *BINARY)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "run"
    return save_run(
        folder, trained(EXPERIMENT, 20), "stopped", {"sample": {"energy_distance": 1.0}}
    )


@pytest.fixture
def run(original: Path) -> Path:
    """A run in the store, beside another."""
    shutil.copytree(original, store() / "other")
    return Path(shutil.copytree(original, store() / "run"))


def file_of(folder: Path, name: str) -> Path:
    return folder / name if name == "run.json" else folder / "checkpoint-1" / name


def read_all(name: str) -> None:
    opened = open_run(name)
    opened.losses()
    opened.denoiser()
    if opened.step < EXPERIMENT.training.steps:
        resume(opened)


def fault(action, *arguments: object) -> str:
    with pytest.raises(RunError) as caught:
        action(*arguments)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 400
    return message


def tree(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != "lock")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


# --- damage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_at_any_byte_is_told_in_a_line(run, name):
    file = file_of(run, name)
    data = file.read_bytes()
    # The last byte of JSON is the end of its line, and no loss.
    whole = len(data) - (name not in BINARY)
    offsets = {*range(0, whole, max(1, len(data) // 60)), 1, 8, 9, whole - 1}
    for offset in sorted(offsets):
        file.write_bytes(data[:offset])
        assert name in fault(read_all, "run"), offset
        standings = {summary.name: summary for summary in list_runs()}
        assert standings["run"].standing == "damaged", offset
        assert name in standings["run"].reason
        assert standings["other"].whole
    file.write_bytes(data)
    read_all("run")


@pytest.mark.parametrize("name", BINARY)
def test_a_file_that_goes_on_after_its_end_is_listed_as_damaged(run, name):
    with file_of(run, name).open("ab") as file:
        file.write(b"\0")
    assert next(s for s in list_runs() if s.name == "run").standing == "damaged"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(("file", "part"), [("weights", ""), ("state", "network.")])
def test_weights_that_are_no_numbers_are_refused(run, file, part, value):
    path = file_of(run, f"{file}.safetensors")
    tensors = load_file(path)
    tensors[f"{part}bodies.0.2.weight"][3, 3] = value
    save_file(tensors, path)
    message = fault(read_all, "run")
    assert f"{file}.safetensors" in message
    assert "not finite" in message


def test_the_tensors_of_another_network_are_refused(run, tmp_path):
    other = EXPERIMENT.with_settings({"network.width": 7})
    strange = save_run(tmp_path / "strange", Trainer(other), "stopped")
    for name in ("weights.safetensors", "state.safetensors"):
        data = file_of(run, name).read_bytes()
        shutil.copy(file_of(strange, name), file_of(run, name))
        assert name in fault(read_all, "run")
        file_of(run, name).write_bytes(data)


def test_more_or_fewer_losses_than_steps_are_refused(run):
    for count in (0, 19, 21, 10**6):
        np.save(file_of(run, "losses.npy"), np.zeros(count, np.float32))
        assert "losses.npy" in fault(read_all, "run")


def test_a_run_that_has_gone_further_than_its_experiment_is_refused(run):
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**about, "step": 10**9, "steps": 10**9}))
    assert "run.json" in fault(read_all, "run")


def test_a_run_written_while_it_is_read_says_so(run):
    opened = open_run("run")
    for steps in (22, 24):
        save_run(run, trained(EXPERIMENT, steps), "stopped")
    assert "written while being read" in fault(opened.denoiser)
    assert open_run("run").step == 24


# --- places that cannot be written -------------------------------------------------------------


def driver(code: str, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*arguments, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=200,
        **options,
    )


FULL = """
import resource, sys
from pathlib import Path
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import RunError, open_run, save_run, store
from tui_diffusion.core.training.trainer import Trainer

FILL
experiment = get_preset("naive-2d").experiment.with_settings({"training.steps": 3000})
trainer = Trainer(experiment)
reports = trainer.run(every=100)
next(reports)
folder = save_run(store() / "run", trainer, "stopped")
before = {f: f.read_bytes() for f in folder.rglob("*") if f.is_file() and f.name != "lock"}
for amount in AMOUNTS:
    with Checkpointer(trainer, folder, seconds=0) as keeper:
        fill(amount)
        for _ in range(2):
            next(reports)
            keeper._due = 0
            keeper.offer()
            keeper._join()
            assert "cannot be written" in keeper.fault, keeper.fault
        try:
            keeper.finish("stopped")
        except RunError as error:
            print(error)
        try:
            save_run(store() / "new", trainer, "stopped")
        except RunError as error:
            print(error)
        assert {f: f.read_bytes() for f in before} == before
        found = {f for f in store().rglob("*") if f.is_file() and f.name != "ballast"}
        assert found == {*before, folder / "lock"}, found
        empty()
    trainer = resume(open_run("run"))
    assert trainer.step == 100
    reports = trainer.run(every=100)
for _ in reports:
    pass
save_run(folder, trainer, "finished")
assert open_run("run").step == 3000
"""


def test_a_file_that_may_not_grow_leaves_the_run_as_it_was():
    """A limit on the size of files, which fails a write in the middle as a full disk does."""
    fill = """
AMOUNTS = (1, 300, 1400, 4000)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
fill = lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
empty = lambda: fill(hard)
"""
    done = driver(FULL.replace("FILL", fill))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("cannot be written") == done.stdout.count("\n") == 8


def test_a_full_disk_leaves_the_run_as_it_was(home):
    fill = """
AMOUNTS = (0, 4096, 16384)
ballast = store() / "ballast"

def fill(left):
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            file.truncate(file.tell() - left)

empty = ballast.unlink
"""
    home.mkdir()
    mounted = f'mount -t tmpfs -o size=200k tmpfs "{home}" && exec "$@"'
    command = ("unshare", "--mount", "--map-root-user", "sh", "-c", mounted, "sh")
    try:
        trial = driver("", *command)
    except FileNotFoundError:
        pytest.skip("nothing here can mount a file system")
    if trial.returncode:
        pytest.skip("this user may not mount a file system")
    done = driver(FULL.replace("FILL", fill), *command)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("No space left on device") == done.stdout.count("\n") == 6


def test_a_store_that_may_only_be_read_is_told_before_training():
    folder = Path(tempfile.mkdtemp())
    try:
        run = save_run(folder / "runs" / "run", trained(EXPERIMENT, 20), "stopped")
        (run / "lock").unlink()
        before = tree(folder)
        for place in (*folder.rglob("*"), folder):
            place.chmod(0o555 if place.is_dir() else 0o444)
        code = """
import sys
from tui_diffusion import program as cli
for arguments in (["naive-1d"], ["--resume", "run"]):
    sys.argv = ["diffusion-tui", "train", *arguments]
    try:
        cli.main()
    except SystemExit as end:
        assert end.code == 2, end.code
sys.argv = ["diffusion-tui", "runs", "--json"]
cli.main()
"""
        command = ()
        if os.geteuid() == 0:  # who may write anywhere, unless this is taken away
            if not shutil.which("setpriv"):
                pytest.skip("this user may write anywhere")
            command = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
        env = {**os.environ, "DIFFUSION_TUI_HOME": str(folder)}
        done = driver(code, *command, env=env)
        assert done.returncode == 0, done.stderr
        lines = done.stderr.splitlines()
        assert len(lines) == 2
        assert all("cannot be written (Permission denied)" in line for line in lines)
        assert json.loads(done.stdout)["runs"][0]["state"] == "stopped"
        assert tree(folder) == before
    finally:
        for place in (folder, *folder.rglob("*")):
            place.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.parametrize("home", ["/dev/null", "/proc/nope", "file"])
def test_a_store_that_cannot_be_there_is_one_line(run_cli, tmp_path, monkeypatch, home):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIFFUSION_TUI_HOME", home)
    assert run_cli("train", "naive-1d", "--json") == 2
    assert run_cli.out == ""
    assert len(run_cli.err.splitlines()) == 1
    assert "cannot be written" in run_cli.err
    assert run_cli("runs", "--json") in (0, 2)
    assert len(run_cli.err.splitlines()) <= 1


def test_a_training_that_cannot_be_written_is_reported_all_the_same(run_cli, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tui_diffusion.core.runs.writer._put", full)
    report = run_cli.json("train", "naive-1d", "--set", "training.steps=30", code=1)
    assert report["steps"] == 30
    assert report["run"] is None
    (line,) = run_cli.err.splitlines()
    assert "No space left on device" in line
    assert list(store().iterdir()) == []


# --- killed at random --------------------------------------------------------------------------

KILLS = """
import os, random, signal, sys, time
import torch
from tui_diffusion.core.runs import checkpointer as checkpoints
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run, store
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.trainer import Trainer, train

torch.set_num_threads(1)
checkpoints.SHARE = 1.0
experiment = get_preset("ddpm-multimodal").experiment.with_settings(
    {"training.steps": 4000, "training.batch": 16, "training.optimizer": "adam", "device": "cpu"}
)
folder = store() / "run"
rounds, chance = int(sys.argv[1]), random.Random(int(sys.argv[2]))
*_, last = train(experiment)
expected = last.trainer.losses.tobytes()

def go_on():
    trainer = resume(open_run("run")) if folder.exists() else Trainer(experiment)
    with Checkpointer(trainer, folder, seconds=0) as keeper:
        keeper._due = 0
        for _ in trainer.run(every=10):
            keeper.offer()
        keeper.finish("finished")

resumed = finished = 0
while resumed < rounds:
    child = os.fork()
    if not child:
        try:
            go_on()
        finally:
            os._exit(0)
    time.sleep(chance.uniform(0.0, 0.35))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if not folder.exists():
        assert all(s.standing == "half-written" for s in list_runs()), list_runs()
        continue
    (summary,) = [s for s in list_runs() if s.name == "run"]
    assert summary.standing in ("interrupted", "finished"), summary
    run = open_run("run")
    assert run.losses().tobytes() == expected[: 4 * run.step]
    if summary.standing == "finished":  # marked so, or killed between its last step and that
        assert run.step == 4000
        finished += 1
        from tui_diffusion.core.runs.store import delete_run
        delete_run("run")
    else:
        resumed += 1
        trainer = resume(run)
        assert trainer.step == run.step
if folder.exists():
    go_on()
    assert open_run("run").losses().tobytes() == expected
print(resumed, finished)
"""


def killed(rounds: int) -> list[int]:
    seed = random.randrange(10**6)
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(rounds), str(seed)],
        capture_output=True,
        text=True,
        timeout=220,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    return [int(word) for word in done.stdout.split()]


def test_killed_at_random_it_opens_resumes_and_ends_the_same():
    assert killed(8)[0] == 8


@pytest.mark.slow
def test_killed_at_random_many_times():
    assert killed(60)[0] == 60


# --- devices and memory ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried …\nmuch more"), ("GPU", "batch")),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: …"), ("out of memory",)),
        (MemoryError(), ("out of memory", "training.steps")),
        (RuntimeError("CUDA error: device-side\nassert"), ("device failed", "device cpu")),
    ],
)
def test_a_fault_of_the_device_is_one_line(run_cli, monkeypatch, error, words):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Trainer, "run", fail)
    assert run_cli("train", "naive-1d", "--json") == Exit.FAILED
    assert run_cli.out == ""
    (line,) = run_cli.err.splitlines()
    assert all(word in line for word in (*words, "allowed"))
    session = Session(lambda: None, FakeTrainers(ends=error, at=20))
    training = session.start(EXPERIMENT)
    wait_until(lambda: not training.state.active)
    assert session.close(60)
    assert training.state is SessionState.FAILED
    assert training.error == fault_of(error, training=True)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()], ids=["GPU", "CPU"]
)
def test_what_is_allowed_helps_there(run_cli, monkeypatch, error, tmp_path):
    """Less of what training needs where that fails, and of what sampling needs where that does."""

    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as sampling:
        sampling.setattr(report, "denoise", fail)
        sampling.setattr("tui_diffusion.core.trajectory.denoise", fail)
        out, file = str(tmp_path / "run"), str(tmp_path / "points.npz")
        train = ("train", "naive-1d", "--set", "training.steps=30", "--out", out)
        for words in (train, ("sample", out), ("export", out, file)):
            assert run_cli(*words) == Exit.FAILED
            assert "sampling.points, sampling.levels" in run_cli.err, words
            assert "training." not in run_cli.err, words
    monkeypatch.setattr(Trainer, "__init__", fail)
    assert run_cli("train", "naive-1d") == Exit.FAILED
    assert "training.batch" in run_cli.err and "sampling." not in run_cli.err


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("…"), RuntimeError("can't allocate memory")]
)
def test_memory_that_runs_out_at_writing_is_no_fault_of_the_file(error, tmp_path):
    def fail(_: object) -> None:
        raise error

    with pytest.raises(type(error)):
        write_whole([tmp_path / "points.npz"], True, fail)
    assert not [*tmp_path.iterdir()]


def test_a_defect_is_no_fault_of_the_device():
    assert fault_of(RuntimeError("a defect")) is None
    assert fault_of(ValueError("CUDA error")) is None


def test_without_memory_the_last_checkpoint_stays(run_cli, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(report, "denoise", fail)
    assert run_cli("train", "naive-1d", "--set", "training.steps=30") == cli.Exit.FAILED
    assert "out of memory" in run_cli.err
    (summary,) = list_runs()
    assert (summary.standing, summary.about.step) == ("finished", 30)


def test_a_run_of_another_kind_of_device_goes_on_with_fresh_random_numbers(run):
    """A CUDA generator's state is 16 bytes; such a run goes on here all the same."""
    tensors = load_file(run / "state.safetensors")
    tensors["generator"] = torch.zeros(16, dtype=torch.uint8)
    for path in run.rglob("state.safetensors"):
        save_file(tensors, path)
    of_an_earlier_version(run)
    assert go_on(resuming.resume(open_run("run"))).status == "finished"


def test_a_checkpoint_that_fails_for_want_of_memory_ends_no_training(monkeypatch):
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("tui_diffusion.core.runs.writer.save_tensors", fail)
    with Checkpointer(trained(EXPERIMENT, 5), store() / "run", seconds=0) as keeper:
        keeper._due = 0
        keeper.offer()
        keeper._join()
        assert "MemoryError" in keeper.fault


# --- data from a file --------------------------------------------------------------------------


def of_file(file: Path, until: int = 20) -> Trainer:
    settings = {"data.name": f"file:{file}", "training.steps": 40, "device": "cpu"}
    return trained(get_preset("edm-moons").experiment.with_settings(settings), until)


@pytest.mark.parametrize("what", ["changed", "gone", "as it was"])
def test_a_run_keeps_the_points_of_its_file(what, tmp_path, monkeypatch):
    points = np.random.default_rng(0).normal(size=(50, 2)) * [1.0, 3.0]
    file = tmp_path / "points.csv"
    np.savetxt(file, points, delimiter=",")
    expected = of_file(file, until=40).losses.tobytes()
    save_run(store() / "run", of_file(file), "stopped")
    if what == "changed":
        np.savetxt(file, points[:7] + 5, delimiter=",")
    elif what == "gone":
        file.unlink()
    elsewhere = tmp_path / "elsewhere"
    shutil.move(store() / "run", elsewhere)
    trainer = resume(open_run(str(elsewhere)))
    np.testing.assert_array_equal(trainer.points, points)
    go_on(trainer)
    assert trainer.losses.tobytes() == expected
    save_run(elsewhere, trainer, "finished")
    assert open_run(str(elsewhere)).denoiser() is not None
    experiment, training = opened(str(elsewhere))
    assert (experiment.data.dim, training.step) == (2, 40)


def test_a_damaged_copy_of_the_points_is_one_line(tmp_path):
    file = tmp_path / "points.csv"
    file.write_text("1, 2\n3, 4\n5, 7\n")
    run = save_run(store() / "run", of_file(file), "stopped")
    copy = run / "points.npy"
    whole = copy.read_bytes()
    for offset in (0, 1, 40, len(whole) - 1):
        copy.write_bytes(whole[:offset])
        assert "points.npy" in fault(open_run, "run")
    copy.unlink()
    copy.symlink_to(file)
    assert "not a plain file" in fault(open_run, "run")
    copy.unlink()
    assert open_run("run").experiment.data.path == str(file), "as runs of before have it"
    file.unlink()
    message = fault(open_run, "run")
    assert "data.path" in message and "no such file" in message


def overflow(trainer: Trainer) -> None:
    """What an update beyond the greatest number leaves."""
    with torch.no_grad():
        trainer.network.bodies[0][0].weight[0, 0] = float("inf")


def test_a_training_stopped_right_after_an_overflow_has_diverged():
    trainer = trained(EXPERIMENT, 20)
    overflow(trainer)
    save_run(store() / "run", trainer, "stopped")
    (summary,) = list_runs()
    assert summary.standing == "diverged"
    run = open_run("run")
    assert run.denoiser() is not None
    assert "diverged at step" in fault(resume, run)


def test_the_lab_says_of_an_overflow_what_is_on_disk(home):
    """One step at a time, and a stop right after the one whose update overflows."""
    session = Session(lambda: None, Overflowing, keep=keep_in_store)
    training = session.start(EXPERIMENT)
    Overflowing.stop = session.stop
    wait_until(lambda: not training.state.active)
    assert session.close(60)
    (summary,) = list_runs()
    assert (training.state, training.step) == (SessionState.DIVERGED, 20)
    assert (summary.standing, summary.about.step) == ("diverged", 20)
    assert all(bool(torch.isfinite(p).all()) for p in training.snapshot[1].network.parameters())


class Overflowing(Trainer):
    """Overflows at step 20, where it asks for a stop."""

    stop = None

    def run(self, *, every=None, interval=None):
        for progress in super().run(every=1):
            if progress.step == 20:
                wait_until(lambda: Overflowing.stop)
                overflow(self)
                Overflowing.stop()
            yield progress


def test_an_overflow_at_an_interruption_is_told_and_offers_no_going_on(run_cli, monkeypatch):
    run = Trainer.run

    def overflowing(self, **_):
        for progress in run(self, every=1):
            if progress.step == 20:
                overflow(self)
                signal.raise_signal(signal.SIGTERM)
            yield progress

    monkeypatch.setattr(Trainer, "run", overflowing)
    assert run_cli("train", "naive-1d") == 128 + signal.SIGTERM
    assert "interrupted at step 20/1,000, where it has diverged" in run_cli.err
    assert "--resume" not in run_cli.err
    assert list_runs()[0].standing == "diverged"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on address space")
def test_too_little_memory_to_load_torch_is_one_line():
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (400 * 2**20, -1));"
    code = f"{limit} from tui_diffusion.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "train", "naive-1d", "--no-save"],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "out of memory; allowed: 1 GB" in done.stderr


@for_each(
    "error, is_memory",
    [
        (MemoryError(), True),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("can't start new thread"), True),
        (ImportError("No module named 'x'"), False),
        (OSError(28, "No space left on device"), False),
    ],
)
def test_what_is_want_of_memory(error, is_memory):
    assert is_out_of_memory(error) == is_memory
    outer = ValueError("of it")
    outer.__cause__ = error
    assert is_out_of_memory(outer) == is_memory


def test_writing_takes_no_second_copy_of_the_weights():
    """A library that made one ended the process where there was no room for it."""
    trainer = Trainer(EXPERIMENT.with_settings({"network.width": 512, "network.depth": 5}))
    tensors = {name: tensor.contiguous() for name, tensor in trainer.state().items()}
    size = sum(tensor.nbytes for tensor in tensors.values())
    tracemalloc.start()
    written = sum(len(part) for part in save_tensors(tensors))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written > size > 8 * 10**6
    assert peak < size / 10
