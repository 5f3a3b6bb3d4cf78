"""Engines by name; each is imported when it is asked for. Loads no torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from ...config.errors import ConfigError
from ...nearest import did_you_mean, nearest
from ...text import shortened
from ..sweep import Sweep
from .protocol import Engine

AUTO = "auto"


@dataclass(frozen=True)
class EngineOptions:
    """What a command line may say about an engine; None is the engine's own choice.

    ``prepare`` is called in every worker process before its first training.
    """

    workers: int | None = None
    scheduler: str | None = None
    prepare: Callable[[], object] | None = None


def _processes(options: EngineOptions) -> Engine:
    from .processes import Processes

    return Processes(options.workers, options.prepare)


def _stacked(options: EngineOptions) -> Engine:
    from .stacked import Stacked

    return Stacked(options.workers, options.prepare)


def _dask(options: EngineOptions) -> Engine:
    from .dask import Dask

    try:
        return Dask(options.workers, options.scheduler, options.prepare)
    except ImportError as error:
        raise ConfigError(
            f"engine: dask needs {error.name or 'distributed'}; allowed: pip install "
            "'diffusion-tui[cluster]', or another engine"
        ) from None


ENGINES: Mapping[str, Callable[[EngineOptions], Engine]] = {
    "processes": _processes,
    "stacked": _stacked,
    "dask": _dask,
}
"""A function for each engine that returns it, or raises `ConfigError`."""

_STACKED_FROM = 8
"""Number of trainings of one shape from which a GPU trains them as a stack."""


def make_engine(
    name: str | Engine | Executor, sweep: Sweep, options: EngineOptions | None = None
) -> Engine:
    """Return an engine by its name, ``auto`` included, or around an executor.

    Raise `ConfigError` for an unknown engine, or an option that does not go with it.
    """
    options = options or EngineOptions()
    if isinstance(name, Executor):
        from .executor import ExecutorEngine

        return ExecutorEngine(name, options.workers or 0)
    if not isinstance(name, str):
        return name
    if name == AUTO:
        name = "dask" if options.scheduler is not None else _fitting(sweep)
    if name not in ENGINES:
        hint = did_you_mean(nearest(name, ENGINES))
        raise ConfigError(
            f"engine: {shortened(name)!r} is not allowed; {hint}allowed: {AUTO}, "
            f"{', '.join(ENGINES)}"
        )
    if options.scheduler is not None and name != "dask":
        raise ConfigError(f"a scheduler does not go with engine {name!r}; allowed with: dask")
    try:
        return ENGINES[name](options)
    except ImportError as error:
        raise ConfigError(
            f"engine: {name!r} cannot be loaded ({shortened(str(error), 80)}); allowed: processes"
        ) from None


def _fitting(sweep: Sweep) -> str:
    """Return the engine that fits a sweep: on CUDA, stacks if they are large enough."""
    experiments = [training.experiment for training in sweep.trainings()]
    wanted = [e for e in experiments if e.device.startswith(("auto", "cuda"))]
    # Torch takes a second to load, so it is asked only where there may be a GPU.
    if len(wanted) < _STACKED_FROM or not _driver():
        return "processes"
    import torch

    from ...training.stacked.grouping import group

    if not torch.cuda.is_available():
        return "processes"
    return "stacked" if group(wanted, least=_STACKED_FROM).stacks else "processes"


def _driver() -> bool:
    """Return whether there is a driver of GPUs on which CUDA, or ROCm in its place, runs."""
    return os.name == "nt" or Path("/dev/nvidiactl").exists() or Path("/dev/kfd").exists()
