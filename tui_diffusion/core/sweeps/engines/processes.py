"""The engine `processes`: worker processes that stay, one for each core, with one thread each.

Workers write their runs to the sweep's folder. A worker that dies, because it is killed or memory
runs out, costs only its own training, which another worker begins again, from its checkpoint if it
has one; if that dies too, the training has failed. (`ProcessPoolExecutor` would give up all of
them.) The pool is small because every worker has one training at a time: nothing is queued in it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from time import monotonic

from ...arguments import check_count
from ...parts.part import PartFile
from ..sweep import Training, part_files_of
from .protocol import TICK, Event, Events
from .worker import STOP, work

_ATTEMPTS = 2
"""How often a training is begun before its dying workers make it a failure."""

_STARTS = 3
"""Number of workers in a row that may die while they load."""

_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Microseconds of CPU time in each period of microseconds, both in one line."""

_PATIENCE = 20.0
"""Seconds that a stopped worker has to write its checkpoint."""


@dataclass(eq=False)
class _Worker:
    """A process, our end of its pipe, whether it has loaded, and the training that it has."""

    process: SpawnProcess
    pipe: Connection
    ready: bool = False
    index: int | None = None


class Processes:
    """Worker processes; ``prepare`` is called in each before its first training.

    ``prepare`` must be a function that can be pickled, such as one of a module. A script that uses
    this engine must guard its own start with ``if __name__ == "__main__":``, as for any module of
    processes, because each worker imports the script.
    """

    name = "processes"

    def __init__(
        self, workers: int | None = None, prepare: Callable[[], object] | None = None
    ) -> None:
        check_count("workers", workers)
        self.workers = cores() if workers is None else int(workers)
        self._prepare = prepare

    def run(self, trainings: Sequence[Training], folder: Path) -> Events:
        """Carry out trainings; see `Engine`."""
        waiting, attempts = deque(range(len(trainings))), [0] * len(trainings)
        pool: list[_Worker] = []
        parts, stillborn = part_files_of(trainings), 0
        try:
            while waiting or any(worker.index is not None for worker in pool):
                busy = sum(worker.index is not None for worker in pool)
                while len(pool) < min(self.workers, len(waiting) + busy):
                    pool.append(self._start(folder, parts))
                events: list[Event | None] = [None]
                for worker in _with_news(pool):
                    alive = worker.process.is_alive()  # asked first: its last words are read
                    events += _read(worker)
                    if alive:
                        continue
                    pool.remove(worker)
                    died, stillborn = _death(worker), 0 if worker.ready else stillborn + 1
                    if worker.index is not None and attempts[worker.index] < _ATTEMPTS:
                        waiting.append(worker.index)
                        reason = f"its worker died {died}"
                        events.append(Event("again", worker.index, reason=reason))
                    elif worker.index is not None:
                        reason = f"its workers died {died}"
                        events.append(Event("failed", worker.index, reason=reason))
                if stillborn >= _STARTS:
                    reason = f"no worker could start: it died {died}"
                    events += (Event("failed", index, reason=reason) for index in waiting)
                    waiting.clear()
                for worker in pool:
                    if waiting and worker.ready and worker.index is None:
                        worker.index = waiting.popleft()
                        attempts[worker.index] += 1
                        events.append(Event("began", worker.index))
                        _send(worker, (worker.index, trainings[worker.index]))
                yield from events  # last, so that no worker waits for what the consumer does
        finally:
            _stop(pool)

    def _start(self, folder: Path, parts: tuple[PartFile, ...]) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=work,
            args=(theirs, folder, self._prepare, parts),
            name="sweep-worker",
            daemon=True,
        )
        process.start()
        theirs.close()  # so that the pipe closes when the worker dies
        return _Worker(process, ours)


def cores() -> int:
    """Return the number of CPU cores that this process may use, at most its container's share."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    with suppress(OSError, ValueError):
        quota, period = map(int, _QUOTA.read_text().split())  # ValueError if there is no limit
        count = min(count, -(-quota // period))
    return max(count, 1)


def _with_news(pool: list[_Worker]) -> list[_Worker]:
    """Return the workers that have sent something or died, waiting a moment for one."""
    ready = set(wait([w.pipe for w in pool] + [w.process.sentinel for w in pool], TICK))
    return [w for w in pool if w.pipe in ready or w.process.sentinel in ready]


def _read(worker: _Worker) -> Iterator[Event]:
    """Yield the events that a worker has sent."""
    with suppress(EOFError, OSError):
        while worker.pipe.poll():
            kind, index, value = worker.pipe.recv()
            if kind == "ready":
                worker.ready = True
            elif kind == "step":
                yield Event("step", index, step=value)
            else:
                worker.index = None
                reason, step = (value, 0) if kind == "failed" else ("", value)
                yield Event(kind, index, step=step, reason=reason)


def _send(worker: _Worker, message: object) -> None:
    with suppress(OSError):  # a dead worker is noticed by its process
        worker.pipe.send(message)


def _death(worker: _Worker) -> str:
    """Describe how a process ended."""
    worker.process.join()
    code = worker.process.exitcode or 0
    worker.pipe.close()
    worker.process.close()
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"


def _stop(pool: list[_Worker]) -> None:
    """Stop every worker: one that loads at once, others after a checkpoint and what they flush."""
    for worker in pool:
        if worker.ready:
            _send(worker, STOP)
        else:
            worker.process.kill()
    end = monotonic() + _PATIENCE
    for worker in pool:
        worker.process.join(max(end - monotonic(), 0.0))
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
