"""The lab on the device, in a pseudo-terminal.

The pictures of the walk go to the folder that the variable OUT names.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.runs.store import list_runs

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal"),
    pytest.mark.slow,
]
if sys.platform != "win32":
    from ..pseudo_terminal import Terminal
    from .picture import keep

ROOT = Path(__file__).parents[2]
LOSE = Path(__file__).with_name("lost_device.py")
LONG = ("--set", "training.steps=50000000")
FAKE = "import sys; from tests.fake_nvml import Driver; sys.modules[__name__] = Driver()"


@contextmanager
def lab(device: str, *args: str, script: tuple[str, ...] = (), **env: str) -> Iterator[Terminal]:
    """The lab with its first picture; ``script`` opens it where that is not the program itself."""
    words = (*script, "naive-2d", "--set", f"device={device}", *args)
    program = Path(sys.executable) if script else None
    env = {"COLORTERM": "truecolor", **env}
    with Terminal(*words, program=program, env=env) as terminal:
        terminal.until("idle")
        yield terminal


def in_training(terminal: Terminal) -> bool:
    return re.search(r"training +step \d", terminal.text) is not None


def network_step(terminal: Terminal) -> int:
    """The training step of the network whose points are shown."""
    found = re.search(r"network, step ([\d,]+)", terminal.text)
    return int(found[1].replace(",", "")) if found else 0


@pytest.fixture
def nvml(device: str, tmp_path: Path) -> dict[str, str]:
    """The environment in which the lab finds GPUs: beside a CPU two that are made up."""
    if device == "cuda":
        pytest.importorskip("pynvml")
        return {}
    folder = tmp_path / "nvml"
    folder.mkdir()
    (folder / "pynvml.py").write_text(FAKE)
    paths = (str(folder), str(ROOT), os.environ.get("PYTHONPATH", ""))
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "CUDA_VISIBLE_DEVICES": "0,1"}


def test_a_walk_with_the_line_of_gpus(device: str, nvml: dict[str, str]) -> None:
    """It trains while it samples, is stepped through, stopped, and left."""
    gpu = r"GPU 0 \S.*memory [\d.]+/\d+ GiB"
    with lab(device, *LONG, **nvml) as terminal:
        terminal.until(lambda: re.search(gpu, terminal.text))
        terminal.press("t")
        terminal.until(lambda: in_training(terminal))
        terminal.until(lambda: network_step(terminal) > 0)
        first = network_step(terminal)
        terminal.until(lambda: network_step(terminal) > first)
        assert in_training(terminal)
        terminal.go("home", "level 0/10 ")
        for level in range(1, 11):
            terminal.go("right", f"level {level}/10 ")
        assert in_training(terminal)
        assert re.search(gpu, terminal.text)
        terminal.until(lambda: device in terminal.text)
        keep(terminal.screen, f"lab-training-{device}")
        terminal.press("x")
        terminal.until("stopped")
        terminal.go("?", "escape closes")
        keep(terminal.screen, f"lab-explanation-{device}")
        terminal.press("escape")
        terminal.until(lambda: "escape closes" not in terminal.text)
        terminal.press("q")
        terminal.ends_cleanly()


@pytest.mark.parametrize("how", ["q", signal.SIGTERM], ids=["q", "SIGTERM"])
def test_leaving_in_mid_training_leaves_a_run_to_resume(how: str | signal.Signals, device) -> None:
    with lab(device, *LONG) as terminal:
        terminal.press("t")
        terminal.until(lambda: in_training(terminal))
        if how == "q":
            terminal.press("q")
            terminal.ends_cleanly()
        else:
            terminal.send(how)
            terminal.ends_cleanly(128 + how)
    (run,) = list_runs()
    assert (run.standing, run.resumable) == ("stopped", True)
    assert open_run(run.name).device.startswith(device)


def test_a_device_lost_in_training_is_one_line_and_the_lab_lives(device: str) -> None:
    with lab(device, *LONG, script=(str(LOSE), "assert")) as terminal:
        terminal.press("t")
        terminal.until("failed")
        terminal.until("the device failed")
        terminal.settle()
        assert "Assertion" not in terminal.text
        terminal.go("?", "escape closes")
        terminal.press("escape")
        terminal.until(lambda: "escape closes" not in terminal.text)
        assert "failed" in terminal.text
        keep(terminal.screen, f"lab-device-lost-{device}")
        terminal.press("q")
        terminal.ends_cleanly()


def test_a_library_that_aborts_leaves_a_whole_terminal(device: str) -> None:
    with lab(device, *LONG, script=(str(LOSE), "abort")) as terminal:
        terminal.press("t")
        assert terminal.wait() == 128 + signal.SIGABRT
        terminal.until("diffusion-tui --resume")  # by the guard, once the lab has gone
        terminal.settle()
        assert terminal.left_on() == []
