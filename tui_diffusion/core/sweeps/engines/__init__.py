"""Engines by name; each is imported when it is asked for. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

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
    from .stacked import Stacked  # type: ignore[import-not-found]

    engine: Engine = Stacked()
    return engine


def _dask(options: EngineOptions) -> Engine:
    from .dask import Dask  # type: ignore[import-not-found]

    engine: Engine = Dask(options.workers, options.scheduler, options.prepare)
    return engine


ENGINES: Mapping[str, Callable[[EngineOptions], Engine]] = {
    "processes": _processes,
    "stacked": _stacked,
    "dask": _dask,
}
"""A function for each engine that returns it, or raises `ConfigError`."""

_NO_WORKERS = ("stacked",)
"""Engines without worker processes."""


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
        name = "dask" if options.scheduler is not None else _fitting(sweep, options)
    if name not in ENGINES:
        hint = did_you_mean(nearest(name, ENGINES))
        raise ConfigError(
            f"engine: {shortened(name)!r} is not allowed; {hint}allowed: {AUTO}, "
            f"{', '.join(ENGINES)}"
        )
    if options.scheduler is not None and name != "dask":
        raise ConfigError(f"a scheduler does not go with engine {name!r}; allowed with: dask")
    if options.workers is not None and name in _NO_WORKERS:
        raise ConfigError(f"workers do not go with engine {name!r}; allowed with: processes, dask")
    try:
        return ENGINES[name](options)
    except ImportError as error:
        raise ConfigError(
            f"engine: {name!r} cannot be loaded ({shortened(str(error), 80)}); allowed: processes"
        ) from None


def _fitting(sweep: Sweep, options: EngineOptions) -> str:
    """Return the engine that fits a sweep."""
    return "processes"
