"""A line with each GPU's load and memory, where there is one and nvidia-ml-py is installed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.style import Style
from textual.message import Message

from .status import Line

_GIB = 2**30
_EVERY = 1.0
"""Seconds from one reading to the next while something trains."""


@dataclass(frozen=True)
class Gpu:
    """One GPU as it is now; memory in bytes, load in percent of the time, None if not told.

    ``index`` is nvidia-smi's.
    """

    index: int
    name: str
    used: int
    total: int
    load: int | None

    def text(self) -> str:
        """Such as ``GPU 0 NVIDIA H200  load 37 %  memory 1.2/141 GiB``."""
        load = "" if self.load is None else f"  load {self.load:>3} %"
        memory = f"memory {self.used / _GIB:.1f}/{self.total / _GIB:.0f} GiB"
        return f"GPU {self.index} {self.name}{load}  {memory}"


def find_gpus(environ: Mapping[str, str] = os.environ) -> Callable[[], list[Gpu]] | None:
    """What reads the GPUs that torch may use; None where there are none to be read.

    It asks the driver and never torch, which would take memory on every GPU it is asked about.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = _visible(pynvml, environ.get("CUDA_VISIBLE_DEVICES"))
    except Exception:  # no package, no driver, or one of another kind: then there is no line
        return None
    if not handles:
        return None

    def read() -> list[Gpu]:
        try:
            return [_read(pynvml, handle) for handle in handles]
        except pynvml.NVMLError:  # a GPU may fall off the bus
            return []

    return read


def _visible(nvml: Any, wanted: str | None) -> list[Any]:
    """All GPUs, or those of CUDA_VISIBLE_DEVICES, which names them by number or by UUID."""
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
            break  # as CUDA does: what follows a wrong one is not seen
    return handles


def _read(nvml: Any, handle: Any) -> Gpu:
    name, memory = nvml.nvmlDeviceGetName(handle), nvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        load = int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except nvml.NVMLError:  # a slice of a GPU does not tell
        load = None
    text = name.decode() if isinstance(name, bytes) else str(name)
    return Gpu(
        int(nvml.nvmlDeviceGetIndex(handle)), text, int(memory.used), int(memory.total), load
    )


class GpuLine(Line):
    """A GPU each, as many as have room; not there at all where none can be read."""

    DEFAULT_CSS = """
    GpuLine { display: none; }
    """

    class Found(Message):
        """There are GPUs, and this reads them."""

        def __init__(self, read: Callable[[], list[Gpu]]) -> None:
            super().__init__()
            self.read = read

    def __init__(self, busy: Callable[[], bool], style: Callable[[], Style]) -> None:
        """They are read while ``busy``, once before and once after."""
        super().__init__(id="gpu")
        self._busy, self._style = busy, style
        self._texts: list[str] = []
        self._was_busy = False

    def look(self) -> None:
        """Look for GPUs, in a thread: a driver may take its time."""
        threading.Thread(target=self._find, name="gpu", daemon=True).start()

    def _find(self) -> None:
        read = find_gpus()
        if read is not None and self.is_running:
            self.post_message(self.Found(read))

    def on_gpu_line_found(self, message: Found) -> None:
        message.stop()
        self._update(message.read)
        self.display = bool(self._texts)
        self.set_interval(_EVERY, lambda: self._look_again(message.read))

    def _look_again(self, read: Callable[[], list[Gpu]]) -> None:
        busy = self._busy()
        if busy or self._was_busy:
            self._update(read)
        self._was_busy = busy

    def _update(self, read: Callable[[], list[Gpu]]) -> None:
        texts = [f" {gpu.text()} " for gpu in read()]
        if texts != self._texts:
            self._texts = texts
            self.write([(text, self._style()) for text in texts])
