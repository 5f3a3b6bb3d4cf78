"""What the engine `dask` runs on a worker: one training, which ends early if nobody wants it.

The scheduler imports this module too, so it loads no torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from time import monotonic

from ...parts.part import PartFile
from ..sweep import Training

TOPIC = "diffusion-tui"
"""Topic of the events that tell how many steps are done."""

_SECONDS = 1.0
"""Seconds between two such events of a training."""

_prepared: set[bytes] = set()


def packed(
    training: Training, parts: tuple[PartFile, ...], prepare: Callable[[], object] | None
) -> bytes:
    """Return what `train_packed` needs, so that only workers have to read it."""
    from distributed.protocol import serialize_bytes

    task: bytes = serialize_bytes((training, parts, prepare and serialize_bytes(prepare)))
    return task


def train_packed(task: bytes) -> Mapping[str, bytes] | str | None:
    """Return the files of a finished run, or a line on what failed; None if it was cancelled."""
    from distributed import get_worker
    from distributed.protocol import deserialize_bytes

    training, parts, prepare = deserialize_bytes(task)
    worker = get_worker()
    key, due = worker.get_current_task(), monotonic()
    os.environ["OMP_NUM_THREADS"] = "1"  # as in any worker, so that results do not differ
    import torch

    torch.set_num_threads(1)
    from ..packing import train_to_files
    from ..training import StoppedError
    from .executor import reason_for

    def report(step: int) -> None:
        nonlocal due
        # A cancelled task is left in its thread by Dask; so is one whose client has gone.
        state = worker.state.tasks.get(key)
        if state is None or state.state != "executing":
            raise StoppedError
        if monotonic() >= due:
            due = monotonic() + _SECONDS
            worker.log_event(TOPIC, {"key": key, "step": step})

    try:
        if prepare is not None and prepare not in _prepared:
            deserialize_bytes(prepare)()
            _prepared.add(prepare)
        return train_to_files(training, report, parts)
    except StoppedError:
        return None
    except Exception as error:
        return reason_for(error)
