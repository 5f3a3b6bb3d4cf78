"""The NVIDIA cards and the driver of this machine, found without torch.

The first of these that answers is used: the driver's library (nvidia-ml-py), ``nvidia-smi``, and
the files of the kernel's driver. No question takes longer than `_PATIENCE`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

_PATIENCE = 5.0
"""Seconds after which a driver counts as one that does not answer."""


OLDEST_DRIVER = {13: 580, 12: 525, 11: 450}
"""The oldest driver for a version of CUDA (NVIDIA, CUDA Compatibility: minor versions)."""


@dataclass(frozen=True)
class Slice:
    """A MIG slice of a card: its name, and the UUID that CUDA_VISIBLE_DEVICES takes."""

    name: str
    uuid: str


@dataclass(frozen=True)
class Card:
    """An NVIDIA card; memory in bytes; None where it is not reported."""

    name: str
    uuid: str | None = None
    total_bytes: int | None = None
    free_bytes: int | None = None
    mig: bool = False
    slices: tuple[Slice, ...] = ()


@dataclass(frozen=True)
class Nvidia:
    """The driver and the cards.

    ``driver`` is its version and ``cuda`` the newest CUDA that it runs, None if unknown.
    ``source`` is what answered, "" if nothing did. ``fault`` is why nvidia-ml-py did not, "" if it
    did or is not installed. ``usable`` is false if the driver's device files are missing, as in a
    container without its GPUs.
    """

    driver: str | None = None
    cuda: str | None = None
    cards: tuple[Card, ...] = ()
    source: str = ""
    fault: str = ""
    usable: bool = True

    @property
    def newest(self) -> int | None:
        """The newest major version of CUDA that the driver runs, None if unknown."""
        return int(self.cuda.partition(".")[0]) if self.cuda else None


def find_nvidia(root: Path = Path("/")) -> Nvidia:
    """Return what this machine has of NVIDIA; ``root`` is where the files of the kernel are."""
    answer, fault = _in_time(lambda: _from_library(open_nvml()))
    if answer is not None:
        return answer
    answer = _from_command() or _from_files(root)
    return replace(answer, cuda=_newest_cuda(answer.driver), fault=fault)


def _newest_cuda(driver: str | None) -> str | None:
    """Return the newest major version of CUDA that a driver runs, by its version."""
    branch = (driver or "").partition(".")[0]
    if not branch.isdecimal():
        return None
    return str(max((c for c, oldest in OLDEST_DRIVER.items() if int(branch) >= oldest), default=10))


def _in_time(ask: Callable[[], Nvidia]) -> tuple[Nvidia | None, str]:
    """Call ``ask`` on a thread; return its answer, or None and the reason."""
    answer: list[Nvidia] = []
    fault = [f"no answer in {_PATIENCE:.0f} s"]

    def work() -> None:
        try:
            answer.append(ask())
        except ImportError:
            fault[0] = ""
        except Exception as error:  # nvidia-ml-py has its own error for every code
            fault[0] = " ".join(str(error).split()) or type(error).__name__

    thread = Thread(target=work, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return (answer[0], "") if answer else (None, fault[0])


# --- nvidia-ml-py --------------------------------------------------------------------------------


def open_nvml() -> Any:
    """Return nvidia-ml-py, ready to be asked; raise ImportError without it, else its errors."""
    try:
        import pynvml
    except Exception as error:  # a broken installation raises anything
        raise ImportError("nvidia-ml-py") from error
    pynvml.nvmlInit()
    return pynvml


def cards_of(nvml: Any) -> tuple[Card, ...]:
    """Return the cards of the driver, by their index."""
    handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
    return tuple(_card(nvml, handle) for handle in handles)


def _from_library(nvml: Any) -> Nvidia:
    cuda = None
    with suppress(nvml.NVMLError):
        number = int(nvml.nvmlSystemGetCudaDriverVersion_v2())
        cuda = f"{number // 1000}.{number % 1000 // 10}"
    driver = _text(nvml.nvmlSystemGetDriverVersion())
    return Nvidia(driver, cuda, cards_of(nvml), "nvidia-ml-py")


def _card(nvml: Any, handle: Any) -> Card:
    card = Card(_text(nvml.nvmlDeviceGetName(handle)))
    with suppress(nvml.NVMLError):
        card = replace(card, uuid=_text(nvml.nvmlDeviceGetUUID(handle)))
    with suppress(nvml.NVMLError):
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        card = replace(card, total_bytes=int(memory.total), free_bytes=int(memory.free))
    with suppress(nvml.NVMLError):  # cards before Ampere have no MIG
        if nvml.nvmlDeviceGetMigMode(handle)[0]:
            card = replace(card, mig=True, slices=_slices(nvml, handle))
    return card


def _slices(nvml: Any, handle: Any) -> tuple[Slice, ...]:
    found = []
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        with suppress(nvml.NVMLError):  # not every place is taken
            part = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
            name, uuid = nvml.nvmlDeviceGetName(part), nvml.nvmlDeviceGetUUID(part)
            found.append(Slice(_text(name), _text(uuid)))
    return tuple(found)


def _text(value: Any) -> str:
    """Return a text of the driver in printable characters; old versions give bytes."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return "".join(filter(str.isprintable, text))


# --- nvidia-smi ----------------------------------------------------------------------------------

_QUERY = ("--query-gpu=driver_version,uuid,memory.total,memory.free,mig.mode.current,name",
          "--format=csv,noheader,nounits")  # fmt: skip


def _from_command() -> Nvidia | None:
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *_QUERY],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    driver, cards = None, []
    for line in done.stdout.splitlines():
        cells = [_text(cell.strip()) for cell in line.split(",", 5)]
        if len(cells) == 6:
            driver, uuid, total, free, mig, name = cells
            cards.append(Card(name, uuid, _mebibytes(total), _mebibytes(free), mig == "Enabled"))
    return Nvidia(driver, None, tuple(cards), "nvidia-smi") if cards else None


def _mebibytes(text: str) -> int | None:
    return int(text) * 2**20 if text.isdecimal() else None


# --- files ---------------------------------------------------------------------------------------


def _from_files(root: Path) -> Nvidia:
    """Read /proc/driver/nvidia and count /dev/nvidia0 and on."""
    folder, driver = root / "proc/driver/nvidia", None
    with suppress(OSError):
        text = (folder / "version").read_text("utf-8", "replace")
        version = re.search(r"\b\d{3,}\.\d+(\.\d+)?\b", text)
        driver = version[0] if version else None
    devices = sorted((root / "dev").glob("nvidia[0-9]*"))
    cards = [_described(file) for file in sorted(folder.glob("gpus/*/information"))]
    if not cards:
        cards = [Card("an NVIDIA card") for _ in devices]
    source = str(Path("/proc/driver/nvidia")) if driver else "/dev" if devices else ""
    return Nvidia(driver, None, tuple(cards), source, usable=bool(devices) or not cards)


def _described(file: Path) -> Card:
    name, uuid = "an NVIDIA card", None
    with suppress(OSError):
        for line in file.read_text("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            if key == "Model":
                name = _text(value.strip())
            elif key == "GPU UUID" and "?" not in value:
                uuid = _text(value.strip())
    return Card(name, uuid)
