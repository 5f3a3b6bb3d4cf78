"""What an engine is: anything that carries out trainings and reports on them. Loads no torch.

An engine receives `Training` tasks: an experiment, the ways to sample from it, and the name of its
run. It yields an `Event` whenever something has happened, and None at least every 0.2 s while
nothing has, so that whoever pulls can react to a signal or draw a bar.

**Results.** A finished training is a run. An engine whose workers share the file system writes it
to ``folder / training.name`` with `train_run`, which continues what a killed process left there;
its "done" event has no files. Other engines send the run as bytes, the `RunFiles` of
`train_to_files`, in the "done" event; `run` then writes them. Both write atomically, so that a run
is whole or absent.

**Failures.** A training whose worker died is done again at least once, and then reported as
"failed" with a reason; so is one that raised an error. A training that diverged is "done":
divergence is a result.

**Cancellation.** The consumer may close the generator at any item. The engine then stops its
workers within about a second; those that write to the folder leave a checkpoint there. It closes
nothing that it did not start itself, such as an executor that it was given.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from ..sweep import Training

TICK = 0.2
"""Maximum seconds between two items of an engine."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a training: ``index`` is its number in the list of tasks.

    ``began``: a worker has taken it. ``step``: ``step`` gradient steps are done, those of an
    earlier process included. ``done``: it is complete; ``files`` is the run unless the engine has
    written it. ``again``: its worker died, and it starts again. ``failed``: it will not be done;
    ``reason`` is one line. ``note``: ``reason`` is about no training, and ``index`` is -1.
    """

    kind: Literal["began", "step", "done", "again", "failed", "note"]
    index: int
    step: int = 0
    files: Mapping[str, bytes] | None = None
    reason: str = ""


Events = Generator[Event | None, None, None]
"""What an engine yields; closing it cancels the trainings."""


class Engine(Protocol):
    """Anything that carries out trainings."""

    @property
    def name(self) -> str:
        """The name in reports: processes, stacked, dask, or that of an executor's class."""
        ...

    @property
    def workers(self) -> int:
        """Number of trainings at a time; 0 if it is not known."""
        ...

    def run(self, trainings: Sequence[Training], folder: Path) -> Events:
        """Carry out trainings, in any order; see the module."""
        ...
