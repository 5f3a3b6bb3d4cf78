"""Measuring the speed of a device by training on it for a few seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from time import perf_counter

import torch

from ..config.catalog import get_preset
from ..config.experiment import Experiment
from ..faults import fault_of
from .devices import operations
from .speeds import Speeds, cpu_name
from .trainer import Trainer

_SMALL = "ddpm-1d"
_WIDE = {
    "cpu": {"network.width": 256, "training.batch": 1024},
    "cuda": {"network.width": 1024, "training.batch": 4096},
}
"""What makes the products of a step take most of its time."""


@dataclass(frozen=True)
class Pace:
    """Seconds until the first step of a training is done, and per step after that."""

    first: float
    step: float


@dataclass(frozen=True)
class Measurement:
    """The speeds of a device, such as ``cuda:0``; None with the fault if it could not train."""

    device: str
    name: str
    speeds: Speeds | None
    fault: str = ""


def measure_all(seconds: float = 1.5) -> Iterator[Measurement]:
    """Measure the CPU, then one CUDA device of each model; see `measure_device`."""
    yield Measurement("cpu", cpu_name(), measure_device("cpu", seconds))
    begin = perf_counter()
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    initialised = perf_counter() - begin
    seen = set()
    for device in (f"cuda:{index}" for index in range(count)):
        name = torch.cuda.get_device_name(device)
        if name in seen:
            continue
        seen.add(name)
        try:
            speeds = measure_device(device, seconds)
        except RuntimeError as error:
            fault = fault_of(error, training=True) or " ".join(str(error).split())
            yield Measurement(device, name, None, fault)
        else:
            whole = _rounded(speeds.start + initialised)
            yield Measurement(device, name, replace(speeds, start=whole))


def measure_device(device: str, seconds: float = 1.5) -> Speeds:
    """Measure a device by a small and a wide training of ``seconds`` each, on one CPU thread.

    The small one gives the time per step, the wide one the rate. The start of a CPU counts as 0.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        kind = torch.device(device).type
        base = {"device": device, "training.steps": 1_000_000, "training.lr": 1e-6}
        small = get_preset(_SMALL).experiment.with_settings(base)
        wide = small.with_settings(_WIDE[kind])
        pace, wide_pace = _pace(small, seconds), _pace(wide, seconds)
    finally:
        torch.set_num_threads(before)
    step, rate = fit_speeds(pace.step, operations(small), wide_pace.step, operations(wide))
    start = 0.0 if kind == "cpu" else pace.first
    return Speeds(_rounded(step), _rounded(rate), _rounded(start), date.today())


def fit_speeds(small: float, work: float, wide: float, more: float) -> tuple[float, float]:
    """Solve ``seconds = step + operations / rate`` for two trainings.

    They take ``small`` seconds for ``work`` operations and ``wide`` for ``more``. Returns step and
    rate. Each stays positive: noise may leave nothing for it.
    """
    rate = (more - work) / max(wide - small, 0.01 * wide)
    return max(small - work / rate, 0.01 * small), rate


def _pace(experiment: Experiment, seconds: float) -> Pace:
    """Train for about ``seconds`` after the first step; the median of the parts is the pace."""
    begin = perf_counter()
    trainer = Trainer(experiment)
    progress = trainer.run(interval=0)
    last = next(progress)
    first = perf_counter() - begin
    parts: list[float] = []
    end = perf_counter() + seconds
    for now in progress:
        parts.append((now.seconds - last.seconds) / (now.step - last.step))
        last = now
        if perf_counter() >= end:
            break
    return Pace(first, median(parts))


def _rounded(value: float) -> float:
    """Round to three digits: chance moves the rest."""
    return float(f"{value:.3g}")
