"""Memory and device faults that the user can remedy.

Loads no torch, because loading torch is the first step that fails without memory.
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
"""Parts of library messages, in lower case, which mean that memory ran out."""


class PartError(RuntimeError):
    """An error in the code of a part that is not built in: one line that names the part."""


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether an error, or one of its causes, means that memory ran out."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        kinds = ImportError | OSError | RuntimeError | SystemError
        if isinstance(error, kinds) and any(sign in str(error).lower() for sign in _SIGNS):
            return True
        error = error.__cause__ or error.__context__
    return False


def check_room_for_torch() -> None:
    """Raise MemoryError if the address-space limit leaves no room for torch's libraries.

    Without room, loading them may abort the process without an error that could be reported.
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
"""Bytes that loading torch takes in addition to its libraries."""


def fault_of(error: BaseException, *, training: bool = False) -> str | None:
    """Return one line on a memory or device fault with its remedy; None for any other error.

    The remedy depends on the activity: loading torch, ``training``, or sampling. This function
    never loads torch, which might abort the process.
    """
    if isinstance(error, PartError):
        return str(error)
    if f"{__package__}.training.devices" not in sys.modules:
        return memory_to_load(error)
    try:
        text = " ".join(str(error).split())
    except Exception:  # of a part, whose error's class is its own code
        text = ""
    if isinstance(error, getattr(sys.modules.get("torch"), "OutOfMemoryError", ())):
        less = "training.batch or network.width" if training else _LESS_TO_SAMPLE
        return f"the GPU is out of memory; allowed: less of {less}, or device cpu"
    if is_out_of_memory(error):
        less = "training.batch, training.steps or network.width" if training else _LESS_TO_SAMPLE
        return f"out of memory; allowed: less of {less}"
    if isinstance(error, RuntimeError) and any(word in text for word in _DEVICE_FAULTS):
        return f"the device failed ({text[:120]}); allowed: device cpu, or start the program again"
    return None


_LESS_TO_SAMPLE = "sampling.points, sampling.levels or network.width"

_DEVICE_FAULTS = ("CUDA error", "CUDA driver", "cuBLAS", "CUBLAS", "cuDNN", "CUDNN", "MPS backend")


def memory_to_load(error: BaseException) -> str | None:
    """Return a one-line message if memory was too small to load the program; None otherwise."""
    if not is_out_of_memory(error):
        return None
    return "out of memory; allowed: 1 GB of address space or more (ulimit -v), or fewer programs"
