"""The engine `stacked`: trainings of one shape as one batched computation, for a GPU.

A stack trains in this process. Its runs are then written without reports, and worker processes
measure them, as they would a run that was killed before; they also carry out the trainings that fit
no stack. While a stack trains, its state is saved in the sweep's folder, from where the next start
of the sweep continues it; other engines begin its trainings anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

from safetensors import SafetensorError
from safetensors.torch import load_file

from ...files import UNREADABLE
from ...parts.used import used_files
from ...runs.store import summarise
from ...runs.tensor_files import save_tensors
from ...runs.writer import Snapshot, create, put
from ...training.stacked.cell import Cell
from ...training.stacked.grouping import group
from ...training.stacked.trainer import StackedTrainer
from ..sweep import Training
from .executor import reason_for
from .processes import Processes
from .protocol import TICK, Event, Events

_SECONDS = 10.0
"""Minimum seconds between two savings of a stack."""

_SHARE = 0.02
"""Maximum share of the training's time for savings."""

_WRITERS = 8
"""Runs that are written at once: most of the time goes into waiting for the disk."""


class Stacked:
    """An engine that trains stacks of at least ``least`` trainings, one stack after another.

    ``workers`` and ``prepare`` are those of `Processes`, which measures the runs.
    """

    name = "stacked"

    def __init__(
        self,
        workers: int | None = None,
        prepare: Callable[[], object] | None = None,
        *,
        least: int = 2,
    ) -> None:
        self._processes = Processes(workers, prepare)
        self._least = least

    @property
    def workers(self) -> int:
        """Number of processes that measure."""
        return self._processes.workers

    def run(self, trainings: Sequence[Training], folder: Path) -> Events:
        """Carry out trainings; see `Engine`."""
        # A training that has a run is continued from it, or has ended and is only to be measured.
        fresh = [i for i, t in enumerate(trainings) if not _has_run(folder / t.name)]
        found = group([trainings[i].experiment for i in fresh], least=self._least)
        stacked = [[fresh[place] for place in stack] for stack in found.stacks]
        for indices in stacked:
            yield from _train([trainings[i] for i in indices], indices, folder)
            yield from self._in_processes(indices, trainings, folder)
        done = {index for indices in stacked for index in indices}
        rest = [index for index in range(len(trainings)) if index not in done]
        yield from self._in_processes(rest, trainings, folder)

    def _in_processes(
        self, indices: Sequence[int], trainings: Sequence[Training], folder: Path
    ) -> Events:
        if not indices:
            return
        events = self._processes.run([trainings[index] for index in indices], folder)
        with closing(events):
            for event in events:
                yield event and replace(event, index=indices[event.index])


def _has_run(folder: Path) -> bool:
    summary = summarise(folder)
    return summary is not None and summary.whole


def _train(trainings: Sequence[Training], indices: Sequence[int], folder: Path) -> Events:
    """Train a stack and write its runs; its state is kept where that is stopped."""
    try:
        keeper = _Keeper(trainings, folder)
        trainer = keeper.trainer
        for index in indices:
            yield Event("began", index)
        with closing(trainer.run(interval=TICK)) as reports:
            for report in reports:
                # All cells are at the same step, and one event each would be many.
                yield from (Event("step", index, step=report.step) for index in indices)
                keeper.offer()
                yield None
        cells = map(trainer.cell, range(len(trainer)))
        with ThreadPoolExecutor(_WRITERS) as writers:
            written = [
                writers.submit(_write, cell, folder / training.name)
                for training, cell in zip(trainings, cells, strict=True)
            ]
            for future in written:
                future.result()
                yield None
        keeper.discard()
    except GeneratorExit:
        keeper.save()
        raise
    except Exception as error:
        reason = reason_for(error)
        yield from (
            Event("again", index, reason=f"its stack failed ({reason})") for index in indices
        )


def _write(cell: Cell, folder: Path) -> None:
    """Write a cell as a run without a report."""
    snapshot = Snapshot(
        experiment=cell.experiment,
        state="stopped" if cell.status == "training" else cell.status,
        step=cell.step,
        seconds=cell.seconds,
        device=cell.device,
        tensors=cell.tensors,
        points=cell.experiment.data.copy_of_points,
        parts=used_files(cell.experiment.get),
    )
    create(folder, snapshot).release()


class _Keeper:
    """A stack and the file of its state, from which it begins if there is one."""

    def __init__(self, trainings: Sequence[Training], folder: Path) -> None:
        names = "\n".join(training.name for training in trainings)
        digest = hashlib.sha256(names.encode()).hexdigest()[:12]
        self._file = folder / f".stack-{digest}.safetensors"
        experiments = [training.experiment for training in trainings]
        self.trainer = StackedTrainer(experiments)
        if self._file.exists():
            try:
                self.trainer.restore(load_file(self._file))
            except (*UNREADABLE, SafetensorError):  # such as one of another kind of device
                self.trainer = StackedTrainer(experiments)
        self._due = monotonic() + _SECONDS

    def offer(self) -> None:
        """Save the state if that is due."""
        if monotonic() < self._due:
            return
        began = monotonic()
        self.save()
        self._due = monotonic() + max(_SECONDS, (monotonic() - began) / _SHARE)

    def save(self) -> None:
        """Save the state; a state that cannot be written costs time on the next start alone."""
        temporary = self._file.with_suffix(".tmp")
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
            put(temporary, save_tensors(self.trainer.state()))
            temporary.replace(self._file)

    def discard(self) -> None:
        """Remove the file of the state."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
