"""GPUs and their load, as reported by the driver."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.numbered_text import NamedNumber, NumberedText, text_of

_GIB = 2**30


@dataclass(frozen=True)
class Gpu:
    """The current state of a GPU: memory in bytes, load in percent, None if not reported.

    ``index`` is that of nvidia-smi.
    """

    index: int
    name: str
    used: int
    total: int
    load: int | None

    def text(self) -> str:
        """Format the state, such as ``GPU 0 NVIDIA H200  load 37 %  memory 1.2/141 GiB``."""
        return text_of(self.numbered_text())

    def numbered_text(self) -> NumberedText:
        """Return the text with the names of load and memory."""
        load = (
            () if self.load is None else ("  load ", NamedNumber("GPU load", f"{self.load:>3} %"))
        )
        memory = NamedNumber("GPU memory", f"{self.used / _GIB:.1f}/{self.total / _GIB:.0f} GiB")
        return (f"GPU {self.index} {self.name}", *load, "  memory ", memory)


def find_gpus(environ: Mapping[str, str] = os.environ) -> Callable[[], list[Gpu]] | None:
    """Return a function that reads the GPUs available to torch, or None without any.

    It asks the driver: torch would allocate memory on every GPU that it examines.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = _visible(pynvml, environ.get("CUDA_VISIBLE_DEVICES"))
    except Exception:  # no package, no driver, or a different vendor
        return None
    if not handles:
        return None

    def read() -> list[Gpu]:
        try:
            return [_read(pynvml, handle) for handle in handles]
        except pynvml.NVMLError:  # a GPU may disconnect from the bus
            return []

    return read


def _visible(nvml: Any, wanted: str | None) -> list[Any]:
    """Return all GPUs, or those of CUDA_VISIBLE_DEVICES, which lists indices or UUIDs."""
    if wanted is None:
        count = range(nvml.nvmlDeviceGetCount())
        return [nvml.nvmlDeviceGetHandleByIndex(index) for index in count]
    handles = []
    for word in filter(None, (part.strip() for part in wanted.split(","))):
        if word.startswith(("GPU-", "MIG-")):
            handles.append(nvml.nvmlDeviceGetHandleByUUID(word))
        elif word.isdigit():
            handles.append(nvml.nvmlDeviceGetHandleByIndex(int(word)))
        else:
            break  # like CUDA, ignore the entries after an invalid one
    return handles


def _read(nvml: Any, handle: Any) -> Gpu:
    name, memory = nvml.nvmlDeviceGetName(handle), nvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        load = int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except nvml.NVMLError:  # a partition of a GPU does not report it
        load = None
    text = name.decode() if isinstance(name, bytes) else str(name)
    return Gpu(
        int(nvml.nvmlDeviceGetIndex(handle)), text, int(memory.used), int(memory.total), load
    )
