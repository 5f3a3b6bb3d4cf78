"""A stand-in for `pynvml`, on a machine without NVIDIA's driver."""

from __future__ import annotations

from types import SimpleNamespace

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
        return {"GPU-a1": 0, "GPU-b2": 1}[uuid]

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        return ("GPU-a1", "GPU-b2")[handle]

    def nvmlDeviceGetMigMode(self, handle: int) -> list[int]:  # noqa: N802
        raise self.NVMLError

    def nvmlDeviceGetIndex(self, handle: int) -> int:  # noqa: N802
        return handle

    def nvmlDeviceGetName(self, handle: int) -> bytes | str:  # noqa: N802
        return b"NVIDIA H200" if handle == 0 else "Tesla"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        if self.lost:
            raise self.NVMLError
        return SimpleNamespace(used=1.25 * GIB, free=139.75 * GIB, total=141 * GIB)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:  # noqa: N802
        if handle == 1:
            raise self.NVMLError
        return SimpleNamespace(gpu=self.load)
