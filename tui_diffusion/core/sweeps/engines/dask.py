"""The engine `dask`: the workers of a Dask cluster, a running one or one on this machine.

No file system is shared: a training and its part files travel to a worker, and the finished run
travels back. Every worker has as many trainings at a time as threads. A training is bound to the
worker that it was given to, so a worker that dies costs those it had. Each is given to another
worker, as often as Dask's ``allowed-failures`` says (3 by default), and has failed then. Workers
that come later get trainings too, unless they have other versions; those are reported.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future as LocalFuture
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any
from uuid import uuid4

from ...arguments import check_count
from ...config.errors import ConfigError
from ...files import reason_of
from ...text import shown
from ..sweep import Training, part_files_of
from .processes import cores
from .protocol import TICK, Event, Events

_LOOK = 1.0
"""Seconds between two looks at which workers there are."""

_PATIENCE = 20.0
"""Seconds without an answer after which the scheduler has gone."""

_ALONE = 10.0
"""Seconds without a worker after which that is said."""


class Dask:
    """Workers of the cluster at address ``scheduler``, or ``workers`` local ones.

    With an address, ``workers`` is the maximum number of trainings at a time. ``prepare`` is called
    in each worker before its first training; it must be a function that can be pickled. Raise
    `ConfigError` for a scheduler that cannot be reached or has other versions, and ImportError
    without the library.
    """

    name = "dask"

    def __init__(
        self,
        workers: int | None = None,
        scheduler: str | None = None,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        check_count("workers", workers)
        from .dask_cluster import check_local, check_scheduler

        self._address, self._prepare = scheduler, prepare
        self._most = workers
        if scheduler is None:
            check_local()
            self.workers = cores() if workers is None else int(workers)
        else:
            threads = check_scheduler(scheduler)
            self.workers = threads if workers is None else min(int(workers), threads)

    def run(self, trainings: Sequence[Training], folder: Path) -> Events:
        """Carry out trainings; see `Engine`."""
        from .dask_cluster import connected

        with ThreadPoolExecutor(1, "dask") as thread, ExitStack() as closing:
            opening = thread.submit(connected, self._address, self.workers)
            closing.callback(_close, opening)
            while not opening.done():
                yield None
                wait([opening], TICK)
            try:
                client, _ = opening.result()
            except Exception as error:
                raise ConfigError(
                    f"engine 'dask': {shown(reason_of(error))[:200]}; allowed: a cluster that can "
                    "be reached, or engine processes"
                ) from None
            work = _Work(client, trainings, self._prepare)
            yield from work.carry_out(self._most or len(trainings))


def _close(opening: LocalFuture[tuple[Any, ExitStack]]) -> None:
    if not opening.exception():
        opening.result()[1].close()


class _Work:
    """The trainings that wait, those at workers, and the news about them.

    News comes from the threads of the client: ``(kind, value)``.
    """

    def __init__(
        self,
        client: Any,
        trainings: Sequence[Training],
        prepare: Callable[[], object] | None,
    ) -> None:
        import dask

        self._client, self._trainings = client, trainings
        self._prepare, self._parts = prepare, part_files_of(trainings)
        self._allowed = int(dask.config.get("distributed.scheduler.allowed-failures"))
        self._waiting = deque(range(len(trainings)))
        self._deaths: Counter[int] = Counter()
        self._news: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._running: dict[str, _Running] = {}
        self._free: dict[str, int] = {}
        self._known: dict[str, str] = {}
        self._refused: set[str] = set()
        self._looked = self._heard = monotonic()
        self._looking = False
        self._alone: float | None = monotonic()
        self._name = uuid4().hex[:8]

    def carry_out(self, most: int) -> Iterator[Event | None]:
        """Yield events until every training has ended; cancel those at hand when closed."""
        from .dask_task import TOPIC

        self._client.subscribe_topic(TOPIC, lambda event: self._news.put(("step", event[1])))
        self._search()
        try:
            while self._waiting or self._running:
                if not self._alive():
                    yield from self._give_up()
                    return
                yield from self._give(most)
                yield None
                yield from self._hear()
                if monotonic() - self._looked > _LOOK and not self._looking:
                    self._search()
        finally:
            self._cancel(running.future for running in self._running.values())

    def _alive(self) -> bool:
        """Return whether the scheduler answers; one that was lost once has forgotten all tasks."""
        return self._client.status == "running" and monotonic() - self._heard < _PATIENCE

    def _cancel(self, futures: Iterable[Any]) -> None:
        with suppress(Exception):  # the connection is lost, and with it the tasks
            self._client.cancel([*futures], force=True)

    # --- giving ------------------------------------------------------------------------------

    def _give(self, most: int) -> Iterator[Event]:
        """Give trainings to workers that have a free thread, the freest first."""
        from .dask_task import packed, train_packed

        while self._waiting and len(self._running) < most:
            taken = Counter(running.worker for running in self._running.values())
            worker = max(self._free, key=lambda at: self._free[at] - taken[at], default=None)
            if worker is None or self._free[worker] <= taken[worker]:
                return
            index = self._waiting.popleft()
            training = self._trainings[index]
            key = f"{training.name}-{self._name}-{self._deaths[index]}"
            task = packed(training, self._parts, self._prepare)
            try:
                future = self._client.submit(
                    train_packed, task, key=key, workers=[worker], pure=False
                )
            except Exception:
                if self._alive():
                    raise
                self._waiting.appendleft(index)
                return
            self._running[key] = _Running(index, worker, future)
            future.add_done_callback(lambda future: self._news.put(("ended", future)))
            yield Event("began", index)

    # --- hearing -----------------------------------------------------------------------------

    def _hear(self) -> Iterator[Event]:
        """Wait a moment for news, and yield the events that they are."""
        try:
            news = [self._news.get(timeout=TICK)]
            while not self._news.empty():
                news.append(self._news.get())
        except Empty:
            return
        if self._client.status != "running":
            return  # all futures are cancelled then, by whom is not said
        for kind, value in news:
            if kind == "step" and value.get("key") in self._running:
                yield Event("step", self._running[value["key"]].index, step=value["step"])
            elif kind == "ended":
                self._fetch(value)
            elif kind == "result":
                yield from self._end(*value)
            elif kind == "workers":
                yield from self._workers(value)

    def _fetch(self, future: Any) -> None:
        """Bring a result here, which may take long, in a thread."""
        if future.key not in self._running:
            return

        def fetch() -> None:
            try:
                result = future.result()
            except BaseException as error:  # such as CancelledError
                result = error
            self._news.put(("result", (future.key, result)))

        _background(fetch)

    def _end(self, key: str, result: Any) -> Iterator[Event]:
        from distributed import KilledWorker

        running = self._running.pop(key, None)
        if running is None:
            return
        if isinstance(result, str):
            yield Event("failed", running.index, reason=shown(result))
        elif isinstance(result, dict):
            yield Event("done", running.index, files=result)
        elif result is None or isinstance(result, CancelledError | KilledWorker):
            yield from self._again(running)
        else:
            yield Event("failed", running.index, reason=shown(reason_of(result)))

    def _again(self, running: _Running) -> Iterator[Event]:
        index, worker = running.index, shown(running.worker)
        self._deaths[index] += 1
        if self._deaths[index] > self._allowed:
            yield Event("failed", index, reason=f"{self._deaths[index]} workers died or left")
        else:
            self._waiting.append(index)
            yield Event("again", index, reason=f"its worker {worker} died or left")

    # --- workers -----------------------------------------------------------------------------

    def _search(self) -> None:
        """Ask, in a thread, which workers there are."""
        self._looked, self._looking = monotonic(), True

        def look() -> None:
            with suppress(Exception):  # the connection is lost, or the scheduler busy
                found: dict[str, int] = self._client.nthreads()
                if not found.keys() <= self._known.keys():
                    self._compare()
                self._news.put(("workers", found))
            self._looking = False

        _background(look)

    def _compare(self) -> None:
        """Compare the versions of new workers."""
        from .dask_cluster import version_fault

        for worker, found in self._client.get_versions(packages=["diffusion-tui", "torch"])[
            "workers"
        ].items():
            if worker not in self._known and found:
                self._known[worker] = version_fault(found)

    def _workers(self, found: dict[str, int]) -> Iterator[Event]:
        """Take note of the workers there are: free new ones, and those that have gone."""
        self._heard = monotonic()
        for worker in found.keys() - self._refused:
            if fault := self._known.get(worker):
                self._refused.add(worker)
                yield Event("note", -1, reason=f"dask worker {shown(worker)} is not used: {fault}")
        self._free = {at: n for at, n in found.items() if self._known.get(at) == ""}
        for key, running in [*self._running.items()]:
            if running.worker not in found:
                del self._running[key]
                self._cancel([running.future])
                yield from self._again(running)
        if self._free:
            self._alone = None
        elif self._alone is None:
            self._alone = monotonic()
        elif monotonic() - self._alone > _ALONE:
            self._alone = float("inf")
            yield Event("note", -1, reason="the Dask cluster has no worker; waiting for one")

    def _give_up(self) -> Iterator[Event]:
        """Report every training that is left as failed."""
        for index in (*self._waiting, *(running.index for running in self._running.values())):
            yield Event("failed", index, reason="the Dask scheduler has gone")
        self._waiting.clear()
        self._running.clear()


def _background(function: Callable[[], None]) -> None:
    """Run a call of the library that may never return in a thread that nothing waits for."""
    Thread(target=function, name="dask", daemon=True).start()


class _Running:
    """A training at a worker."""

    def __init__(self, index: int, worker: str, future: Any) -> None:
        self.index, self.worker, self.future = index, worker, future
