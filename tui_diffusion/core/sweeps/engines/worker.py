"""A worker process: trains what its pipe brings, until the pipe closes.

The parent sends ``(index, training)``, and `STOP` to end, also while a training runs. The worker
answers ``("ready", -1, 0)`` once, and then for each training ``("step", index, step)`` and at the
end ``("done", index, step)`` or ``("failed", index, reason)``. It loads torch once, after the
number of threads is set.

A worker does not wait for the disk: a run is renamed into place whole, which a killed process
cannot undo, and flushed meanwhile, on another thread. Where the power fails within that moment, the
run may have lost its content; its sizes and checksums show it, and the training is done again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from ...files import flush_tree, flushing_later
from ...parts.part import PartFile
from ...signals import ENDING, SAVING

STOP = "stop"


def work(
    pipe: Connection,
    folder: Path,
    prepare: Callable[[], object] | None,
    parts: tuple[PartFile, ...],
) -> None:
    """Serve one parent process, with its part files; return when it stops or dies."""
    # Ctrl-C and a closed terminal reach the whole group of processes: the parent decides.
    for number in (*ENDING, *SAVING):
        signal.signal(number, signal.SIG_IGN)
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    from ...parts.sending import loaded
    from ..training import StoppedError, train_run
    from .executor import reason_for

    def reporter(index: int) -> Callable[[int], None]:
        """Return the report of a training; it stops the training if the parent stops or dies."""

        def report(step: int) -> None:
            try:
                pipe.send(("step", index, step))
                if ended or pipe.poll():  # the parent sends nothing else meanwhile
                    raise StoppedError
            except OSError:
                raise StoppedError from None

        return report

    with ThreadPoolExecutor(1) as flusher, suppress(EOFError, OSError, StoppedError):
        if prepare is not None:
            prepare()
        pipe.send(("ready", -1, 0))
        while not ended:
            if not pipe.poll(0.2):
                continue
            message = pipe.recv()
            if message == STOP:
                return
            index, training = message
            run = folder / training.name
            try:
                with flushing_later(), loaded(parts, [each.get for each in training.samplings]):
                    train_run(training, run, reporter(index))
            except StoppedError:
                raise
            except Exception as error:
                pipe.send(("failed", index, reason_for(error)))
            else:
                pipe.send(("done", index, training.experiment.training.steps))
            finally:
                flusher.submit(flush_tree, run)
