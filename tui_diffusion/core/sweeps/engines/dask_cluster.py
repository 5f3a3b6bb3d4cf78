"""A Dask cluster: reaching its scheduler, comparing versions, starting a local one. No torch.

The scheduler is asked by a connection of its own before there is a client, because a client that
finds no scheduler, or no Dask there, prints errors of its own.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import warnings
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import current_process, resource_tracker
from threading import Thread
from typing import Any, TypeVar

from distributed import Client, LocalCluster
from distributed.core import rpc
from distributed.security import Security
from distributed.versions import get_versions

from ...config.errors import ConfigError
from ...files import reason_of
from ...signals import ENDING, SAVING
from ...text import shortened, shown

T = TypeVar("T")

_CONNECT = 5.0
"""Seconds for a scheduler to answer."""

_CLOSE = 10.0
"""Seconds for a local cluster to end."""

_OF_WORKERS = ("diffusion-tui", "torch", "python", "distributed")
_OF_SCHEDULERS = ("diffusion-tui", "python", "distributed")
"""What must have the same version: for the same numbers, and to understand each other."""

_SILENT = logging.CRITICAL + 1

Versions = Mapping[str, Any]
"""What `distributed.versions.get_versions` returns in a process."""


def version_fault(found: Versions, names: tuple[str, ...] = _OF_WORKERS) -> str:
    """Return which versions of another process differ from those here, in one line, or ''."""
    here, there = (_versions(each) for each in (get_versions(_OF_WORKERS[:2]), found))
    other = [name for name in names if there.get(name) != here.get(name)]
    if not other:
        return ""
    differ = ", ".join(f"{name} {there.get(name) or '(none)'}" for name in other)
    wanted = ", ".join(f"{name} {here.get(name) or '(none)'}" for name in other)
    return f"it has {shown(differ)[:160]}; allowed: {wanted}, as here"


def _versions(found: Versions) -> dict[str, str]:
    """Return versions that can be compared: of Python two numbers, of torch without its build."""
    packages = {name: str(version or "") for name, version in found["packages"].items()}
    packages["python"] = ".".join(packages["python"].split(".")[:2])
    return {name: version.partition("+")[0] for name, version in packages.items()}


def check_scheduler(address: str) -> int:
    """Return the number of threads of all workers of a running scheduler.

    Raise `ConfigError`, one line, unless it answers and all have the versions of this process.
    """
    named = f"scheduler {shortened(address, 80)!r}"
    allowed = "allowed: the address of a running Dask scheduler, such as tcp://host:8786"

    async def ask() -> tuple[Versions, Mapping[str, Versions], Mapping[str, int]]:
        security = Security().get_connection_args("client")
        async with rpc(address, timeout=_CONNECT, connection_args=security) as scheduler:
            packages = list(_OF_WORKERS[:2])
            message = {"op": "versions", "packages": packages}
            return (
                await scheduler.versions(packages=packages),
                await scheduler.broadcast(msg=message, on_error="ignore"),
                await scheduler.ncores(),
            )

    try:
        with quiet():
            found, workers, threads = _in_a_thread(lambda: asyncio.wait_for(ask(), 2 * _CONNECT))
        fault = version_fault(found, _OF_SCHEDULERS)
        faults = {at: version_fault(of) for at, of in workers.items() if of}
    except Exception as error:  # whatever answers there may be no scheduler
        reason = shortened(reason_of(error), 100) or "no answer"
        raise ConfigError(f"{named}: cannot be reached ({reason}); {allowed}") from None
    if fault:
        raise ConfigError(f"{named}: {fault}")
    for worker, fault in faults.items():
        if fault:
            raise ConfigError(f"dask worker {shown(worker)}: {fault}")
    return sum(threads.values())


def _in_a_thread(make: Callable[[], Awaitable[T]]) -> T:
    """Await in a thread of its own, because the caller's may have a loop that runs."""
    results: list[T] = []
    errors: list[BaseException] = []

    async def wait() -> T:
        return await make()

    def work() -> None:
        try:
            results.append(asyncio.run(wait()))
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=work, name="dask-check", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def check_local() -> None:
    """Raise `ConfigError` if this process can start no workers."""
    if current_process().daemon:
        raise ConfigError(
            "engine 'dask': a daemonic process cannot start workers; allowed: the address of a "
            "scheduler"
        )


def connected(address: str | None, workers: int) -> tuple[Client, ExitStack]:
    """Return a client, and what closes it; without an address also start and close a cluster.

    Raise OSError or another error of the library.
    """
    with ExitStack() as closing:
        closing.enter_context(quiet())
        if address is None:
            with _signals_blocked():
                cluster = LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",  # any free port
                    memory_limit=0,
                    silence_logs=_SILENT,
                )
            closing.callback(_close, cluster)
            address = cluster.scheduler_address
        with warnings.catch_warnings(action="ignore"):
            client = Client(address, timeout=_CONNECT, set_as_default=False)
        closing.callback(_close, client)
        return client, closing.pop_all()


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block signals in this thread, and so in the threads and processes that it starts.

    Ctrl-C and a closed terminal reach the whole group of processes: the parent decides.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Where that is the first to start a process, it unblocks signals.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*ENDING, *SAVING))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _close(what: Any) -> None:
    with suppress(Exception):  # it is gone already, or takes too long
        what.close(timeout=_CLOSE)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the loggers of Dask, whose lines would be drawn over a screen."""
    names = [
        name
        for name in logging.root.manager.loggerDict
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio")
    ]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(_SILENT)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
