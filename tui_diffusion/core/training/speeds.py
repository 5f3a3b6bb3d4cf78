"""How fast devices train: the figures by which ``auto`` chooses. Loads no torch.

seconds of a training = start + steps · (step + operations of a step / rate)
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

Positive = Annotated[float, Field(strict=True, gt=0, le=1e18)]
Seconds = Annotated[float, Field(strict=True, ge=0, le=3600)]


@dataclass(frozen=True)
class Speeds:
    """The speed of one device.

    ``step``: seconds per gradient step for calls or kernel launches, whatever their size.
    ``rate``: floating-point operations per second in float32 products.
    ``start``: seconds until the first step, beyond those of a CPU.
    ``measured``: the day on which this machine was measured; None for a built-in figure.
    """

    step: Positive
    rate: Positive
    start: Seconds = 0.0
    measured: date | None = None

    def seconds(self, operations: float, steps: int = 1) -> float:
        """Estimate the seconds of ``steps`` steps of ``operations`` each, without the start."""
        return steps * (self.step + operations / self.rate)


BUILT_IN: Mapping[str, Speeds] = {
    # Measured on one thread of a 2-core x86 CPU: small products, closed-form steps.
    "cpu": Speeds(step=1.5e-5, rate=5e10),
    # Assumed: forty kernels of 2 to 3 µs, replayed from a graph; context, libraries and capture.
    "cuda": Speeds(step=1e-4, rate=5e12, start=3.0),
    # Assumed: as many kernels, launched one by one.
    "mps": Speeds(step=5e-4, rate=5e12, start=3.0),
}
"""Figures for a kind of device that has not been measured on this machine."""

_measured: dict[str, Speeds] = {}


def use_speeds(measured: Mapping[str, Speeds]) -> Mapping[str, Speeds]:
    """Let ``auto`` judge these devices, by name, by figures measured on this machine.

    Return the figures that it used before.
    """
    global _measured
    before, _measured = _measured, dict(measured)
    return before


def measured_speeds() -> Mapping[str, Speeds]:
    """Return the figures measured on this machine, by the device's name."""
    return _measured


def any_measured() -> bool:
    """Return whether any device of this machine has been measured."""
    return bool(_measured)


def speeds_of(kind: str, name: str = "") -> Speeds:
    """Return the measured speeds of the device ``name``, else the built-in ones of its kind."""
    return _measured.get(name, BUILT_IN[kind])


@cache
def cpu_name() -> str:
    """Return the model of the CPU, such as ``AMD EPYC 9654``."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            name, _, model = line.partition(":")
            if name.strip() == "model name" and model.isprintable() and model.strip():
                return model.strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine() or "cpu"
