"""A device that fails, or has no memory left, is one line with what helps."""

import subprocess
import sys

import pytest
import torch

from tui_diffusion.cli.signals import Exit
from tui_diffusion.core.analysis import report
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.trainer import Trainer


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


def test_without_memory_the_last_checkpoint_stays(run_cli, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(report, "denoise", fail)
    assert run_cli("train", "naive-1d", "--set", "training.steps=30") == Exit.FAILED
    assert "out of memory" in run_cli.err
    (summary,) = list_runs()
    assert (summary.standing, summary.about.step) == ("finished", 30)


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
