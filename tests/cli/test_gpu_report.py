"""What the doctor says of GPUs, with drivers and torch builds that are made up."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tui_diffusion.cli import doctor
from tui_diffusion.cli.gpu_report import cuda_devices, gpu_warnings, runs_on
from tui_diffusion.interface import nvidia
from tui_diffusion.interface.nvidia import Card, Nvidia, Slice, find_nvidia

GIB = 2**30
H100 = Card("NVIDIA H100", "GPU-aaaa-1", 80 * GIB, 78 * GIB)
PARTS = (Slice("NVIDIA H100 MIG 1g.10gb", "MIG-b"), Slice("NVIDIA H100 MIG 2g.20gb", "MIG-c"))
HERE = Nvidia("535.104.05", "12.2", (H100,), "nvidia-ml-py")


def build(cuda: str | None = "12.8", *gpus: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the doctor knows of a torch."""
    devices = [{"name": "cpu", "label": "x"}, *gpus]
    return {"version": "2.9", "error": None, "cuda": cuda, "hip": None, "cuda_fault": "",
            "architectures": ["sm_80", "sm_90"], "devices": devices, **changes}  # fmt: skip


GPU = {"name": "cuda:0", "label": "NVIDIA H100", "capability": "9.0", "supported": True}


# --- warnings ------------------------------------------------------------------------------------


def test_nothing_to_fix() -> None:
    for found, built in (
        (Nvidia(), build()),
        (Nvidia(), build(None)),
        (Nvidia(fault="NVML Shared Library Not Found"), build(None)),
        (HERE, build("12.8", GPU)),  # the same major version runs on an older driver
        (HERE, {"error": "no torch"}),
        (Nvidia("580.1", "13.0", (H100,)), build("12.6", GPU)),
    ):
        assert gpu_warnings(found, built, {}) == []
    for visible in ("0", "GPU-aaaa", "GPU-aaaa-1"):
        assert gpu_warnings(HERE, build("12.8", GPU), {"CUDA_VISIBLE_DEVICES": visible}) == []


def test_a_cpu_build_beside_a_card() -> None:
    for found, which in (
        (HERE, "a CUDA build for CUDA 12 or older"),
        (Nvidia(cards=(H100, H100), source="/dev"), "a CUDA build for your driver"),
    ):
        (line,) = gpu_warnings(found, build(None), {})
        assert line.startswith("NVIDIA H100 is here, but torch 2.9 is a CPU build: choose ")
        assert which in line and "PyTorch's install page" in line
    (line,) = gpu_warnings(HERE, build(None, hip="6.2"), {})
    assert "is built for AMD" in line


def test_a_driver_that_is_too_old() -> None:
    line, hidden = gpu_warnings(HERE, build("13.0"), {"CUDA_VISIBLE_DEVICES": ""})
    assert "hides every GPU" in hidden
    assert line == (
        "the driver 535.104.05 runs CUDA up to 12.2, but torch is built for CUDA 13.0: update the "
        "driver to 580 or newer, or choose a build for CUDA 12 on PyTorch's install page"
    )
    (line,) = gpu_warnings(HERE, build("14.1"), {})
    assert "update the driver to the newest" in line


def test_cuda_visible_devices_that_hides_a_card() -> None:
    cut = Nvidia("580.1", "13.0", (Card("H100", "GPU-a", mig=True, slices=PARTS),), "nvidia-ml-py")
    for visible, says in {
        "": "CUDA_VISIBLE_DEVICES='' hides every GPU: unset it; allowed: 0",
        "-1": "hides every GPU",
        "7": "no GPU '7'",
        "cuda:0": "no GPU 'cuda:0'",
        "GPU-zzz": "no GPU 'GPU-zzz'",
        "MIG-zzz": "no GPU 'MIG-zzz'",
        "\x1b[31m": "no GPU",
    }.items():
        (line,) = gpu_warnings(cut, build(), {"CUDA_VISIBLE_DEVICES": visible})
        assert says in line and line.endswith("allowed: 0, MIG-b, MIG-c") and line.isprintable()
    (line,) = gpu_warnings(cut, build("12.8", GPU), {"CUDA_VISIBLE_DEVICES": "MIG-b,7"})
    assert "no GPU '7', and CUDA ignores it and all that follows" in line


def test_other_reasons_for_no_gpu() -> None:
    empty = Nvidia("580.1", "13.0", (Card("H100", mig=True),), "nvidia-ml-py")
    broken = Nvidia("580.1", "13", (H100,), "/proc/driver/nvidia", "Driver/library mismatch")
    closed = Nvidia("580.1", "13", (H100,), "/proc/driver/nvidia", usable=False)
    for found, built, says in (
        (empty, build(), "GPU 0 H100 is in MIG mode without a slice"),
        (broken, build(), "(Driver/library mismatch): restart the machine if the driver"),
        (closed, build(None), "docker run --gpus all"),
        (HERE, build(cuda_fault="CUDA unknown error"), "is here: CUDA unknown error"),
        (HERE, build(), "it does not say why"),
    ):
        (line,) = gpu_warnings(found, built, {})
        assert says in line


def test_a_card_for_which_torch_has_no_code() -> None:
    for capability, other in (("12.0", "install a newer torch"), ("6.1", "an older torch")):
        old = {**GPU, "capability": capability, "supported": False}
        (line,) = gpu_warnings(HERE, build("12.8", old), {})
        assert f"capability {capability}, and torch 2.9 is built for sm_80, sm_90" in line
        assert other in line


@pytest.mark.parametrize(
    ("built_for", "fits", "not_fits"),
    [
        ("sm_80 sm_90", [(8, 0), (8, 6), (9, 0)], [(7, 5), (10, 0), (12, 0)]),
        ("sm_86", [(8, 6), (8, 9)], [(8, 0)]),
        ("sm_90a sm_120", [(9, 0), (12, 0), (12, 1)], [(8, 0), (10, 0)]),
        ("sm_100f", [(10, 0), (10, 3)], [(12, 0)]),
        ("sm_50 compute_70", [(5, 2), (7, 0), (12, 0)], [(6, 1)]),
        ("gfx90a", [], [(9, 0)]),
    ],
)
def test_code_for_a_compute_capability(
    built_for: str, fits: list[tuple[int, int]], not_fits: list[tuple[int, int]]
) -> None:
    assert [runs_on(each, built_for.split()) for each in fits] == [True] * len(fits)
    assert [runs_on(each, built_for.split()) for each in not_fits] == [False] * len(not_fits)


# --- torch ---------------------------------------------------------------------------------------


def test_the_devices_of_a_cuda_build(monkeypatch: pytest.MonkeyPatch) -> None:
    about = SimpleNamespace(name="NVIDIA H100", total_memory=80 * GIB, major=9, minor=0)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: about)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_80", "sm_90"])
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (60 * GIB, 80 * GIB))
    (gpu,), why = cuda_devices(torch)
    assert gpu == {
        "name": "cuda:0",
        "label": "NVIDIA H100, 60.0 of 80 GiB free, compute capability 9.0",
        "total_bytes": 80 * GIB,
        "free_bytes": 60 * GIB,
        "capability": "9.0",
        "supported": True,
    }
    assert why == ""

    def full(_: int) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(torch.cuda, "mem_get_info", full)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_100"])
    (gpu,), _ = cuda_devices(torch)
    assert (gpu["free_bytes"], gpu["supported"]) == (None, False)
    monkeypatch.setattr(torch.cuda, "get_device_properties", full)
    assert cuda_devices(torch) == ([], "out of memory")


def test_the_reason_of_torch_for_no_device_is_kept_off_the_screen(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> bool:
        warnings.warn("CUDA initialization: the driver\nis too old", stacklevel=2)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", refuse)
    assert cuda_devices(torch) == ([], "CUDA initialization: the driver is too old")
    assert capfd.readouterr().err == ""


# --- the machine ---------------------------------------------------------------------------------


class Library:
    """What `pynvml` says of a card with two MIG slices, and of an old one without MIG."""

    class NVMLError(Exception): ...

    def __getattr__(self, name: str) -> Any:
        answers = {
            "nvmlInit": lambda: None,
            "nvmlSystemGetDriverVersion": lambda: b"535.104.05",
            "nvmlSystemGetCudaDriverVersion_v2": lambda: 12020,
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetName": lambda h: h if isinstance(h, str) else ("H100", "Old\x1b")[h],
            "nvmlDeviceGetUUID": lambda h: f"MIG-{h}" if isinstance(h, str) else f"GPU-{h}",
            "nvmlDeviceGetMemoryInfo": lambda _: SimpleNamespace(total=8 * GIB, free=3 * GIB),
            "nvmlDeviceGetMigMode": lambda h: [1, 1] if h == 0 else self.refuse(),
            "nvmlDeviceGetMaxMigDeviceCount": lambda _: 7,
            "nvmlDeviceGetMigDeviceHandleByIndex": lambda _, i: (
                f"1g{i}" if i < 2 else self.refuse()
            ),
        }
        return answers[name]

    def part(self, _: int, index: int) -> str:
        if index > 1:
            self.refuse()
        return f"1g{index}"

    def refuse(self) -> None:
        raise self.NVMLError("Not Supported")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without anything of NVIDIA; returns the root of its files."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setattr(nvidia.shutil, "which", lambda _: None)
    return tmp_path


def files(root: Path, device: bool = True) -> None:
    folder = root / "proc/driver/nvidia"
    (folder / "gpus/0000:01:00.0").mkdir(parents=True)
    (folder / "version").write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build\n"
        "GCC version:  gcc version 12.3.0\n"
    )
    (folder / "gpus/0000:01:00.0/information").write_text(
        "Model: \t\t NVIDIA A10\nIRQ:   \t\t 9\nGPU UUID: \t GPU-????????\n"
    )
    (root / "dev").mkdir()
    for name in ("nvidiactl", "nvidia0") if device else ():
        (root / "dev" / name).touch()


def test_no_card(bare: Path) -> None:
    assert find_nvidia(bare) == Nvidia()


def test_cards_by_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Library())
    slices = (Slice("1g0", "MIG-1g0"), Slice("1g1", "MIG-1g1"))
    first = Card("H100", "GPU-0", 8 * GIB, 3 * GIB, True, slices)
    second = Card("Old", "GPU-1", 8 * GIB, 3 * GIB)
    found = find_nvidia(tmp_path)
    assert found == Nvidia("535.104.05", "12.2", (first, second), "nvidia-ml-py")
    assert found.newest == 12


def test_cards_by_files_where_the_library_fails(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(bare)
    a10 = Nvidia("560.35.03", "12", (Card("NVIDIA A10"),), "/proc/driver/nvidia")
    assert find_nvidia(bare) == a10
    library = Library()
    library.nvmlInit = library.refuse
    monkeypatch.setitem(sys.modules, "pynvml", library)
    found = find_nvidia(bare)
    assert (found.driver, found.cards, found.fault) == (a10.driver, a10.cards, "Not Supported")
    (bare / "dev/nvidia0").unlink()
    assert not find_nvidia(bare).usable


def test_cards_by_device_files_alone(bare: Path) -> None:
    (bare / "dev").mkdir()
    for name in ("nvidiactl", "nvidia0", "nvidia1", "nvidia-uvm"):
        (bare / "dev" / name).touch()
    assert find_nvidia(bare) == Nvidia(cards=(Card("an NVIDIA card"),) * 2, source="/dev")


def test_cards_by_the_command(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = bare / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\necho '450.80.02, GPU-1, 16384, 16000, [N/A], Tesla T4, or so'\n"
        "echo '450.80.02, GPU-2, [N/A], [N/A], Enabled, A100'\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(nvidia.shutil, "which", lambda _: str(program))
    cards = (
        Card("Tesla T4, or so", "GPU-1", 16 * GIB, 16000 * 2**20),
        Card("A100", "GPU-2", mig=True),
    )
    assert find_nvidia(bare) == Nvidia("450.80.02", "11", cards, "nvidia-smi")
    program.write_text("#!/bin/sh\necho 'No devices were found'; exit 6\n")
    assert find_nvidia(bare) == Nvidia()


def test_a_driver_that_hangs_is_given_up(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end, library = threading.Event(), Library()
    library.nvmlInit = end.wait
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.setattr(nvidia, "_PATIENCE", 0.05)
    monkeypatch.setattr(nvidia.shutil, "which", lambda _: "nvidia-smi")

    def hang(*_: Any, timeout: float, **__: Any) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", timeout)

    monkeypatch.setattr(nvidia.subprocess, "run", hang)
    files(bare)
    try:
        found = find_nvidia(bare)
    finally:
        end.set()
    assert found.fault.startswith("no answer in") and found.cards == (Card("NVIDIA A10"),)


# --- the report ----------------------------------------------------------------------------------


def test_the_report_has_rows_and_warnings(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    cut = Nvidia(
        "535.1", "12.2", (Card("A100", "GPU-a", 8 * GIB, 3 * GIB, True, PARTS),), "nvidia-smi"
    )
    monkeypatch.setattr(doctor, "find_nvidia", lambda: cut)
    monkeypatch.setattr(doctor, "find_gpus", lambda: None)
    report = doctor.examine({"TERM": "xterm-kitty", "CUDA_VISIBLE_DEVICES": "MIG-b"})
    report["terminal"]["columns"] = 200  # else lines are broken at the width of whoever runs this
    assert report["nvidia"]["driver"] == "535.1" and report["nvidia"]["visible"] == "MIG-b"
    text = doctor.report_text(report, io.TextIOWrapper(io.BytesIO(), "utf-8"))
    for part in (
        "NVIDIA         driver 535.1, runs CUDA up to 12.2, found by nvidia-smi; nvidia-ml-py ",
        "card           0  A100, 3.0 of 8.0 GiB free, MIG, 2 slices",
        "MIG slice      NVIDIA H100 MIG 1g.10gb  MIG-b",
        "visible        CUDA_VISIBLE_DEVICES='MIG-b'",
        "! A100 is here, but torch ",
        "speed          auto uses figures of other machines; doctor --measure takes them here",
    ):
        assert part in text
