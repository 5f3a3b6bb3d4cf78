"""Carrying out a sweep as a generator of progress, like `train`.

To pause or to stop, pull no further and close the generator: the trainings at hand are written as
checkpoints, and the sweep can be resumed. Loads no torch; the engines do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import cast

from ..runs.lock import Lock
from ..runs.store import summarise
from ..short_repr import short_repr
from .engines import AUTO, EngineOptions, make_engine
from .engines.protocol import Engine, Event
from .states import is_complete
from .store import StoredSweep, create_sweep, read_sweep, remove_unfinished
from .sweep import Sweep, Training

_RECORD = 5.0
"""Seconds between two records of the time spent, which a killed process would lose."""


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep is, with what earlier processes did.

    ``done`` of ``trainings`` are complete, and ``diverged`` of them diverged; ``failed`` will not
    be done. ``cells_done`` of ``cells`` have all of their trainings. ``step`` of ``steps`` gradient
    steps are done; a training that diverged counts with all of its steps. ``seconds`` have passed
    in this process. ``rate`` is in gradient steps a second, and ``left`` in seconds, both None
    until a worker has trained. ``running`` are the trainings at hand. ``news`` is one line on a
    training that failed or starts again, or ''. ``stored`` is the sweep on disk.
    """

    stored: StoredSweep = field(repr=False)
    trainings: int
    done: int
    diverged: int
    failed: int
    cells: int
    cells_done: int
    step: int
    steps: int
    seconds: float
    rate: float | None
    left: float | None
    running: Sequence[Training] = field(default=(), repr=False)
    news: str = ""

    def __repr__(self) -> str:
        return short_repr(self, "done", "trainings", "diverged", "failed", "rate", "left")


def run_sweep(
    sweep: Sweep | StoredSweep,
    engine: str | Engine | Executor = AUTO,
    *,
    folder: Path | str | None = None,
    options: EngineOptions | None = None,
) -> Generator[SweepProgress, None, None]:
    """Do what is missing of a sweep; yield its progress several times a second, and at the end.

    A new `Sweep` is written to ``folder``, by default in the store; a `StoredSweep` is continued.
    ``engine`` is a name, an `Engine`, or any `concurrent.futures.Executor`. Raise `ConfigError` for
    an engine that cannot be, and `RunError` for a folder that cannot be written; the first pull
    raises it too, if another process is at the sweep.
    """
    cells = sweep.sweep if isinstance(sweep, StoredSweep) else sweep
    chosen = make_engine(engine, cells, options)
    if isinstance(sweep, StoredSweep):
        stored = sweep
    else:
        stored = create_sweep(sweep, Path(folder) if folder is not None else None)
    return _run(stored, cells, chosen)


def _run(stored: StoredSweep, sweep: Sweep, engine: Engine) -> Generator[SweepProgress, None, None]:
    lock = Lock.take(stored.folder, "sweep")
    try:
        remove_unfinished(stored.folder)
        state = _State(read_sweep(stored.folder), sweep, engine)
        yield state.progress()
        if state.missing:
            yield from state.carry_out()
    finally:
        lock.release()


class _State:
    """What is done of a sweep, kept up to date with the events of an engine."""

    def __init__(self, stored: StoredSweep, sweep: Sweep, engine: Engine) -> None:
        self.stored, self._sweep, self._engine = stored, sweep, engine
        self._trainings = sweep.trainings()
        self.missing = stored.missing(self._trainings)
        left = {training.name for training in self.missing}
        complete = [t for t in self._trainings if t.name not in left]
        self._cells_left = Counter(cell for t in self.missing for cell in t.cells)
        self._done, self._failed = len(complete), 0
        self._diverged = sum(self._has_diverged(t) for t in complete)
        self._steps = {t.name: t.experiment.training.steps for t in self._trainings}
        self._step = dict.fromkeys(self._steps, 0)
        self._step |= {t.name: self._steps[t.name] for t in complete}
        self._step |= {t.name: self._stored_step(t) for t in self.missing}
        self._running: dict[int, Training] = {}
        self._faults: dict[str, str] = {}
        self._clock = monotonic()
        self._first: tuple[float, int] | None = None

    def carry_out(self) -> Generator[SweepProgress, None, None]:
        """Pull the engine until it ends, and record the time spent."""
        before, recorded = self.stored.seconds, self._clock
        self._record(before)
        events = cast(
            Generator[Event | None, None, None], self._engine.run(self.missing, self.stored.folder)
        )
        try:
            with closing(events):
                for event in events:
                    news = self._take(event) if event is not None else ""
                    # Steps are many: they are seen in the next progress, a moment later.
                    if event is None or event.kind != "step":
                        yield self.progress(news)
                    if monotonic() - recorded > _RECORD:
                        recorded = monotonic()
                        self._record(before)
        finally:
            self._record(before)
        yield self.progress()

    def _record(self, before: float) -> None:
        self.stored = self.stored.record(
            engine=self._engine.name,
            workers=self._engine.workers,
            seconds=before + monotonic() - self._clock,
            faults=self._faults,
        )

    def progress(self, news: str = "") -> SweepProgress:
        """Return the progress now."""
        step, steps = sum(self._step.values()), sum(self._steps.values())
        rate = left = None
        if self._first is not None:
            since, at = monotonic() - self._first[0], step - self._first[1]
            if since > 0 and at > 0:
                rate = at / since
                left = (steps - step) / rate
        cells = len(self._sweep.cells())
        return SweepProgress(
            self.stored,
            trainings=len(self._trainings),
            done=self._done,
            diverged=self._diverged,
            failed=self._failed,
            cells=cells,
            cells_done=cells - sum(count > 0 for count in self._cells_left.values()),
            step=step,
            steps=steps,
            seconds=monotonic() - self._clock,
            rate=rate,
            left=left,
            running=tuple(self._running.values()),
            news=news,
        )

    def _take(self, event: Event) -> str:
        """Note what an event says; return a line on what a person should know, or ''."""
        training = self.missing[event.index]
        name = training.name
        if event.kind == "began":
            self._running[event.index] = training
        elif event.kind == "step":
            if self._first is None:
                self._first = (monotonic(), sum(self._step.values()))
            self._step[name] = min(max(event.step, self._step[name]), self._steps[name])
        elif event.kind == "done":
            if event.files is not None:
                from .packing import unpack

                unpack(event.files, self.stored.run_folder(training))
            self._ended(event.index)
            self._faults.pop(name, None)
            if not is_complete(training, self.stored.run_folder(training)):
                return self._fail(training, "its run is not complete")
            self._done += 1
            self._diverged += self._has_diverged(training)
            self._cells_left.subtract(training.cells)
        elif event.kind == "again":
            self._running.pop(event.index, None)
            return f"{name}: {event.reason}; it starts again"
        else:
            self._ended(event.index)
            return self._fail(training, event.reason)
        return ""

    def _ended(self, index: int) -> None:
        training = self._running.pop(index, self.missing[index])
        if self._first is None:
            self._first = (self._clock, sum(self._step.values()))
        self._step[training.name] = self._steps[training.name]

    def _fail(self, training: Training, reason: str) -> str:
        self._failed += 1
        self._faults[training.name] = reason
        return f"{training.name}: failed: {reason}"

    def _has_diverged(self, training: Training) -> bool:
        summary = summarise(self.stored.run_folder(training))
        return summary is not None and summary.standing == "diverged"

    def _stored_step(self, training: Training) -> int:
        summary = summarise(self.stored.run_folder(training))
        return summary.about.step if summary is not None and summary.about is not None else 0
