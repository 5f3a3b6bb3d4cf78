"""Which device and how many threads a training should use, and why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from ..config.errors import ConfigError
from ..config.experiment import Experiment
from ..faults import is_out_of_memory

_CPU_RATE = 5e10
"""Floating-point operations a second of one thread's matrix products, as measured on small ones."""

_CPU_CALLS = 1.5e-5
"""Seconds that the calls of a step in closed form take, as measured, whatever their size."""

_GPU_STEP = {"cuda": 1e-4, "mps": 5e-4}
"""Seconds that the few dozen operations of a step take on a GPU, whatever their size.

Assumed, not measured: on CUDA forty kernels of 2 to 3 µs, played from a graph (`cuda_graph`); on
MPS as many, handed over one by one.
"""

_GPU_RATE = 5e12
"""Floating-point operations a second of a GPU's products of float32 at this size. Assumed too."""

_GPU_START = 3.0
"""Seconds until a GPU takes its first step: context, libraries, recording. Assumed too."""

_THREADS_PAY_FROM = 1e9
"""Operations a step from which a second CPU thread gains more than its hand-over costs."""


@dataclass(frozen=True)
class Choice:
    """A device with the reason for it, and what a person calls it."""

    device: torch.device
    reason: str

    @property
    def label(self) -> str:
        """Such as ``cpu`` or ``cuda:0 NVIDIA H200``."""
        if self.device.type == "cuda":
            return f"{self.device} {torch.cuda.get_device_name(self.device)}"
        return str(self.device)


def operations(experiment: Experiment) -> float:
    """Floating-point operations of one gradient step: about 6 a weight and point."""
    network, dim = experiment.network, experiment.dim
    width, depth = network.width, network.depth
    inputs = dim * (1 + 2 * network.fourier)
    if not network.per_level:
        inputs += 1 + 2 * network.level_fourier
    weights = inputs * width + (depth - 1) * width**2 + width * dim
    return 6.0 * weights * experiment.training.batch


def cpu_step(experiment: Experiment) -> float:
    """Seconds that one gradient step takes on one CPU thread, about."""
    return _CPU_CALLS + operations(experiment) / _CPU_RATE


def gpu_step(experiment: Experiment, kind: str) -> float:
    """Seconds that one gradient step takes on a GPU of a kind ("cuda", "mps"), about."""
    return _GPU_STEP[kind] + operations(experiment) / _GPU_RATE


def choose(experiment: Experiment) -> Choice:
    """The device of an experiment; ``auto`` takes the one likely to train it faster.

    Raises `ConfigError` where the device asked for is not there.
    """
    wanted = experiment.device
    if wanted == "auto":
        return _fastest(experiment)
    device = torch.device(wanted)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise ConfigError(f"device: {wanted!r} is not here; allowed: {_present()}", "device")
        device = torch.device("cuda", device.index or 0)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError(f"device: 'mps' is not here; allowed: {_present()}", "device")
    return Choice(device, "as asked")


def _fastest(experiment: Experiment) -> Choice:
    """The device likely to take all steps the soonest, its start included."""
    step, steps = cpu_step(experiment), experiment.training.steps
    about = f"a step takes about {1e3 * step:.2g} ms on the CPU"
    for kind, device in (("cuda", "cuda:0"), ("mps", "mps")):
        there = gpu_step(experiment, kind)
        if step <= there:
            return Choice(torch.device("cpu"), f"{about}, less than a GPU needs to be told of it")
        if steps * step <= _GPU_START + steps * there:
            late = f"{about}, and {steps:,} of them are done before a GPU would be"
            return Choice(torch.device("cpu"), late)
        here = torch.cuda.is_available() if kind == "cuda" else torch.backends.mps.is_available()
        if here:
            return Choice(torch.device(device), f"{about}; a GPU is faster")
    return Choice(torch.device("cpu"), "no GPU is here")


def _present() -> str:
    names = ["auto", "cpu"]
    if torch.cuda.is_available():
        names += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return ", ".join(names)


def use_threads(experiment: Experiment) -> int:
    """Set torch's thread count for the calling thread to suit the work, and return it.

    One for a small network: handing it to a second costs more than it gains, many times more
    beside any other load. A large one leaves a core to the screen. The person's own
    OMP_NUM_THREADS wins.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        small = operations(experiment) < _THREADS_PAY_FROM
        torch.set_num_threads(1 if small else max(1, min((os.cpu_count() or 1) - 1, 8)))
    return torch.get_num_threads()


@contextmanager
def subnormals_as_zero() -> Iterator[None]:
    """Have the calling thread count numbers below 1e-38, which float32 can hardly hold, as 0.

    A CPU takes many times as long for one of them, and a long training comes to have thousands: of
    gradients that fade, of activations far out.
    """
    before = _LEAST == 0  # it is, where they count as 0 already
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


_LEAST = 5e-324
"""The least number above 0."""


def fault_of(error: BaseException, *, training: bool = False) -> str | None:
    """A fault of the device or of the memory in one line that says what to do; None for others.

    What to do depends on whether it came up in ``training``, or in sampling and what follows it.
    """
    text = " ".join(str(error).split())
    if isinstance(error, torch.OutOfMemoryError):
        less = "training.batch or network.width" if training else _LESS_TO_SAMPLE
        return f"the GPU is out of memory; allowed: less of {less}, or device cpu"
    if is_out_of_memory(error):
        less = "training.batch, training.steps or network.width" if training else _LESS_TO_SAMPLE
        return f"out of memory; allowed: less of {less}"
    if isinstance(error, RuntimeError) and any(word in text for word in _DEVICE_FAULTS):
        return f"the device failed ({text[:120]}); allowed: device cpu, or another try"
    return None


_LESS_TO_SAMPLE = "sampling.points, sampling.levels or network.width"

_DEVICE_FAULTS = ("CUDA error", "CUDA driver", "cuBLAS", "CUBLAS", "cuDNN", "CUDNN", "MPS backend")
