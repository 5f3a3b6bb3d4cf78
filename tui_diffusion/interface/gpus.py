"""GPUs and their load, as reported by the driver."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.numbered_text import NamedNumber, NumberedText, text_of
from .nvidia import cards_of, open_nvml
from .visible import VISIBLE, visible

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
        nvml = open_nvml()
        shown = visible(environ.get(VISIBLE), cards_of(nvml))
        handles = [_handle(nvml, device) for device in shown.devices]
    except Exception:  # no package, no driver, or a different vendor
        return None
    if not handles:
        return None

    def read() -> list[Gpu]:
        try:
            return [_read(nvml, handle) for handle in handles]
        except nvml.NVMLError:  # a GPU may disconnect from the bus
            return []

    return read


def _handle(nvml: Any, device: int | str) -> Any:
    """Return the driver's handle of a card's index, or of the UUID of a card or a slice."""
    if isinstance(device, int):
        return nvml.nvmlDeviceGetHandleByIndex(device)
    return nvml.nvmlDeviceGetHandleByUUID(device)


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
