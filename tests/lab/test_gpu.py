"""The line of GPUs, with a driver that is made up."""

from __future__ import annotations

import sys

import pytest

from tui_diffusion.interface.gpus import Gpu, find_gpus
from tui_diffusion.lab.widgets.gpu_line import GpuLine

from ..cases import for_each
from ..fake_nvml import GIB, Driver
from ..fakes import FakeTrainers
from ..lab_driver import WIDE, lab, until


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Driver:
    nvml = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return nvml


def test_reads_every_gpu(nvml: Driver) -> None:
    read = find_gpus({})
    assert read is not None
    assert read() == [
        Gpu(0, "NVIDIA H200", int(1.25 * GIB), 141 * GIB, 37),
        Gpu(1, "Tesla", int(1.25 * GIB), 141 * GIB, None),
    ]
    assert [gpu.text() for gpu in read()] == [
        "GPU 0 NVIDIA H200  load  37 %  memory 1.2/141 GiB",
        "GPU 1 Tesla  memory 1.2/141 GiB",
    ]
    nvml.lost = True
    assert read() == []


@for_each(
    "visible, indices",
    [("1", [1]), ("1,0", [1, 0]), ("GPU-b", [1]), ("0, GPU-b2", [0, 1]), ("0,-1,1", [0])],
)
def test_only_those_that_torch_sees(nvml: Driver, visible: str, indices: list[int]) -> None:
    read = find_gpus({"CUDA_VISIBLE_DEVICES": visible})
    assert read is not None
    assert [gpu.index for gpu in read()] == indices


@for_each("visible", ["", "-1", "7", "GPU-x", "0x1"])
def test_none_to_be_seen(nvml: Driver, visible: str) -> None:
    assert find_gpus({"CUDA_VISIBLE_DEVICES": visible}) is None


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert find_gpus({}) is None


async def test_the_line_follows_a_training(nvml: Driver) -> None:
    async with lab(trainers=FakeTrainers(limit=10), size=WIDE) as driver:
        line = driver.app.query_one(GpuLine)
        await until(lambda: line.display)
        assert "GPU 0 NVIDIA H200  load  37 %  memory 1.2/141 GiB" in driver.screen
        nvml.load = 99
        await driver.press("t")
        await until(lambda: "load  99 %" in driver.screen)
        await driver.press("x")
        nvml.load = 0
        await until(lambda: "load   0 %" in driver.screen)


async def test_no_line_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    async with lab(size=WIDE) as driver:
        await driver.press("t", "x")
        assert not driver.app.query_one(GpuLine).display
