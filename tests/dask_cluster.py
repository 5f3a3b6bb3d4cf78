"""A Dask scheduler and workers on the loopback interface, each a process of its own.

They are forks of one process, so that the libraries are loaded once: ``python -m
tests.dask_cluster`` prints a line of JSON for each process, and ends with its standard input. A
line there starts another worker, which pretends to have the versions in it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"


class Cluster:
    """A running cluster: its address, and the process of each worker by its address."""

    def __init__(self, process: subprocess.Popen[str], workers: int) -> None:
        self._process = process
        self.address, self.scheduler = self._started()
        self.workers: dict[str, int] = {}
        for _ in range(workers):
            self.start_worker()

    def start_worker(self, **versions: str) -> str:
        """Start another worker and return its address."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(versions) + "\n")
        self._process.stdin.flush()
        address, process = self._started()
        self.workers[address] = process
        return address

    def kill(self, worker: str) -> None:
        """Kill a worker as the system does when memory runs out."""
        os.kill(self.workers.pop(worker), signal.SIGKILL)

    def _started(self) -> tuple[str, int]:
        assert self._process.stdout is not None
        address, process = json.loads(self._process.stdout.readline())
        return address, process


@contextmanager
def cluster(workers: int = 2) -> Iterator[Cluster]:
    """Run a cluster."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.dask_cluster"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        yield Cluster(process, workers)
    finally:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def main() -> None:
    """Fork a scheduler, and a worker for each line of standard input."""
    import torch  # noqa: F401
    from distributed import Scheduler, Worker
    from distributed import versions as of_libraries

    import tui_diffusion.core.sweeps.packing  # noqa: F401

    logging.disable()
    free = {"dashboard_address": f"{LOOPBACK}:0", "host": LOOPBACK}
    children = []

    def start(make: Callable[[], Any]) -> str:
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            with os.fdopen(theirs, "w") as pipe:
                asyncio.run(serve(make, pipe))
            os._exit(0)
        os.close(theirs)
        children.append(child)
        with os.fdopen(ours) as pipe:
            address = pipe.readline()
        print(json.dumps([address, child]), flush=True)
        return address

    async def serve(make: Callable[[], Any], pipe: Any) -> Coroutine[Any, Any, None]:
        async with make() as server:
            pipe.write(server.address)
            pipe.close()
            await server.finished()

    scheduler = start(lambda: Scheduler(**free))
    for line in sys.stdin:
        pretended = json.loads(line)

        def worker(pretended: dict[str, str] = pretended) -> Worker:
            usual = of_libraries._version_cached
            of_libraries._version_cached = lambda name: pretended.get(name) or usual(name)
            return Worker(scheduler, nthreads=1, memory_limit=0, **free)

        start(worker)
    for child in children:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
