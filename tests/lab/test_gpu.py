"""The line of GPUs, with a driver that is made up."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from tui_diffusion.interface.gpus import Gpu, find_gpus
from tui_diffusion.lab.widgets.gpu_line import GpuLine

from ..cases import for_each
from ..fakes import FakeTrainers
from ..lab_driver import WIDE, lab, until

GIB = 2**30


class Driver:
    """What `pynvml` says of two GPUs, the second of which does not tell its load."""

    class NVMLError(Exception): ...

    def __init__(self) -> None:
        self.load, self.lost = 37, False

    def nvmlInit(self) -> None: ...  # noqa: N802

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        if index > 1:
            raise self.NVMLError
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:  # noqa: N802
        return {"GPU-a": 0, "GPU-b": 1}[uuid]

    def nvmlDeviceGetIndex(self, handle: int) -> int:  # noqa: N802
        return handle

    def nvmlDeviceGetName(self, handle: int) -> bytes | str:  # noqa: N802
        return b"NVIDIA H200" if handle == 0 else "Tesla"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        if self.lost:
            raise self.NVMLError
        return SimpleNamespace(used=1.25 * GIB, total=141 * GIB)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:  # noqa: N802
        if handle == 1:
            raise self.NVMLError
        return SimpleNamespace(gpu=self.load)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return driver


def test_reads_every_gpu(driver: Driver) -> None:
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
    driver.lost = True
    assert read() == []


@for_each(
    "visible, indices",
    [("1", [1]), ("1,0", [1, 0]), ("GPU-b", [1]), ("0, GPU-b", [0, 1]), ("0,-1,1", [0])],
)
def test_only_those_that_torch_sees(driver: Driver, visible: str, indices: list[int]) -> None:
    read = find_gpus({"CUDA_VISIBLE_DEVICES": visible})
    assert read is not None
    assert [gpu.index for gpu in read()] == indices


@for_each("visible", ["", "-1", "7", "GPU-x"])
def test_none_to_be_seen(driver: Driver, visible: str) -> None:
    assert find_gpus({"CUDA_VISIBLE_DEVICES": visible}) is None


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert find_gpus({}) is None


async def test_the_line_follows_a_training(driver: Driver) -> None:
    async with lab(trainers=FakeTrainers(limit=10), size=WIDE) as opened:
        line = opened.app.query_one(GpuLine)
        await until(lambda: line.display)
        assert "GPU 0 NVIDIA H200  load  37 %  memory 1.2/141 GiB" in opened.screen
        driver.load = 99
        await opened.press("t")
        await until(lambda: "load  99 %" in opened.screen)
        await opened.press("x")
        driver.load = 0
        await until(lambda: "load   0 %" in opened.screen)


async def test_no_line_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    async with lab(size=WIDE) as driver:
        await driver.press("t", "x")
        assert not driver.app.query_one(GpuLine).display
