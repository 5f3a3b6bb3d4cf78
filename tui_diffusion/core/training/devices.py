"""The choice of device and number of threads for a training, with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from ..config.errors import ConfigError
from ..config.experiment import Experiment
from ..device_names import available_devices
from ..networks import features_per_point
from .speeds import Speeds, any_measured, cpu_name, speeds_of

_THREADS_PAY_FROM = 1e9
"""Operations per step above which a second CPU thread gains more than its overhead."""


@dataclass(frozen=True)
class DeviceChoice:
    """A device, the reason for it, and its name for the user."""

    device: torch.device
    reason: str

    @property
    def label(self) -> str:
        """Such as ``cpu`` or ``cuda:0 NVIDIA H200``."""
        if self.device.type == "cuda":
            return f"{self.device} {torch.cuda.get_device_name(self.device)}"
        return str(self.device)


def operations(experiment: Experiment) -> float:
    """Return the floating-point operations of one gradient step: about 6 per weight and point."""
    network, dim = experiment.network, experiment.dim
    width, depth = network.width, network.depth
    of_level = None if network.per_level else network.level_fourier
    classes = experiment.data.classes if network.labels else 0
    inputs = features_per_point(dim, network.fourier, of_level, classes)
    weights = inputs * width + (depth - 1) * width**2 + width * dim
    return 6.0 * weights * experiment.training.batch


def cpu_step(experiment: Experiment) -> float:
    """Estimate the seconds of one gradient step on one CPU thread."""
    return _speeds("cpu").seconds(operations(experiment))


def gpu_step(experiment: Experiment, kind: str) -> float:
    """Estimate the seconds of one gradient step on a kind of GPU ("cuda", "mps")."""
    return _speeds(kind).seconds(operations(experiment))


def _speeds(kind: str) -> Speeds:
    """Return the speeds of the device that ``auto`` takes of a kind, measured or built in.

    Torch is asked for the name of a GPU, which initialises it, only if one has been measured.
    """
    if not any_measured():
        return speeds_of(kind)
    if kind == "cuda" and torch.cuda.is_available():
        return speeds_of(kind, torch.cuda.get_device_name(0))
    return speeds_of(kind, cpu_name() if kind == "cpu" else "")


def choose_device(experiment: Experiment) -> DeviceChoice:
    """Choose the device of an experiment; ``auto`` takes the one expected to train it faster.

    Raise `ConfigError` if the requested device is not available.
    """
    wanted = experiment.device
    if wanted == "auto":
        return _fastest(experiment)
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise _unavailable(wanted) from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise _unavailable(wanted, "" if _cuda_build() else ": this torch is a CPU build")
        device = torch.device("cuda", device.index or 0)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise _unavailable(wanted)
    return DeviceChoice(device, "as asked")


def _cuda_build() -> bool:
    return torch.version.cuda is not None or torch.version.hip is not None


def _unavailable(device: str, why: str = "") -> ConfigError:
    """Return the error for a requested device that is not available."""
    allowed = ", ".join(["auto", *available_devices()])
    return ConfigError(f"device: {device!r} is not available{why}; allowed: {allowed}", "device")


def _fastest(experiment: Experiment) -> DeviceChoice:
    """Choose the device expected to finish all steps first, including its start."""
    cpu, work = _speeds("cpu"), operations(experiment)
    step, steps = cpu.seconds(work), experiment.training.steps
    about = f"a step takes about {1e3 * step:.2g} ms on the CPU"
    for kind, device in (("cuda", "cuda:0"), ("mps", "mps")):
        gpu = _speeds(kind)
        origin = _origin(cpu, gpu)
        if step <= gpu.seconds(work):
            why = f"{about}, less than the launch overhead of a GPU{origin}"
            return DeviceChoice(torch.device("cpu"), why)
        if cpu.seconds(work, steps) <= gpu.start + gpu.seconds(work, steps):
            late = f"{about}, and {steps:,} of them are done before a GPU would finish{origin}"
            return DeviceChoice(torch.device("cpu"), late)
        here = torch.cuda.is_available() if kind == "cuda" else torch.backends.mps.is_available()
        if here:
            return DeviceChoice(torch.device(device), f"{about}; a GPU is faster{origin}")
    return DeviceChoice(torch.device("cpu"), "no GPU found")


def _origin(cpu: Speeds, gpu: Speeds) -> str:
    """Return where the figures of a reason come from; nothing if both are built in."""
    if cpu.measured and gpu.measured:
        return f" (measured on this machine on {min(cpu.measured, gpu.measured)})"
    if cpu.measured:
        return f" (the CPU measured on this machine on {cpu.measured}, the GPU not)"
    return f" (the GPU measured on this machine on {gpu.measured})" if gpu.measured else ""


def use_threads(experiment: Experiment) -> int:
    """Set torch's thread count for the calling thread to suit the work, and return it.

    One for a small network: a second thread costs more than it gains, especially under other load.
    A large network leaves one core to the interface. OMP_NUM_THREADS takes precedence.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        small = operations(experiment) < _THREADS_PAY_FROM
        torch.set_num_threads(1 if small else max(1, min((os.cpu_count() or 1) - 1, 8)))
    return torch.get_num_threads()


@contextmanager
def subnormals_as_zero() -> Iterator[None]:
    """Flush numbers below 1e-38 (float32 subnormals) to 0 in the calling thread.

    A CPU is many times slower on them, and a long training accumulates thousands, from vanishing
    gradients and saturated activations.
    """
    before = _LEAST == 0  # true if they are flushed already
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


_LEAST = 5e-324
"""The smallest positive float64, a subnormal."""
