"""Faults of the machine that a person can do something about: too little memory.

Loads no torch, whose import is what fails first.
"""

from __future__ import annotations

import errno
import importlib.util
import mmap
import sys
from pathlib import Path

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

_SIGNS = (
    "failed to map segment",
    "cannot allocate memory",
    "can't allocate memory",
    "can't start new thread",
    "bad_alloc",
)
"""What libraries say, in lower case, where the system gives them no more memory."""


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether an error, or one that it came of, is that memory has run out."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        kinds = ImportError | OSError | RuntimeError | SystemError
        if isinstance(error, kinds) and any(sign in str(error).lower() for sign in _SIGNS):
            return True
        error = error.__cause__ or error.__context__
    return False


def check_room_for_torch() -> None:
    """Raise MemoryError where a limit on address space leaves no room for torch's libraries.

    Without room their loading may abort the process, with no error that could be told.
    """
    if resource is None or resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        return
    torch = importlib.util.find_spec("torch")
    if torch is None or torch.origin is None:
        return
    libraries = (Path(torch.origin).parent / "lib").glob("*.so*")
    size = sum(file.stat().st_size for file in libraries) + _MARGIN
    try:
        mmap.mmap(-1, size).close()
    except OSError as error:
        raise MemoryError("no room for torch") from error


_MARGIN = 128 * 2**20
"""Bytes that loading torch takes beside its libraries."""


def fault_of(error: BaseException, *, training: bool = False) -> str | None:
    """Return `devices.fault_of`, or `memory_to_load` as long as torch has not been loaded.

    Where it could not be, to try once more may end the process.
    """
    devices = sys.modules.get("tui_diffusion.core.training.devices")
    told = getattr(devices, "fault_of", None)
    fault: str | None = told(error, training=training) if told else memory_to_load(error)
    return fault


def memory_to_load(error: BaseException) -> str | None:
    """Return a line on a program that cannot be loaded for want of memory; None for others."""
    if not is_out_of_memory(error):
        return None
    return "out of memory; allowed: 1 GB of address space or more (ulimit -v), or fewer programs"
