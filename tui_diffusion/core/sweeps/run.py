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

from ..config.errors import ConfigError
from ..runs.lock import Lock
from ..runs.manifest import RunError
from ..runs.naming import with_exact_guide
from ..runs.store import summarise
from ..short_repr import short_repr
from ..text import shortened, shown
from .engines import AUTO, EngineOptions, make_engine
from .engines.protocol import Engine, Event
from .states import Report, has_diverged, reports
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
    until a worker has trained. ``running`` are the trainings at hand, and ``ended`` is one that has
    just ended. ``news`` is one line on a training that failed or starts again, or ''. ``stored`` is
    the sweep on disk.
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
    ended: Training | None = field(default=None, repr=False)
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
    an engine or a guide that cannot be, and `RunError` for a folder that cannot be written or a
    part that has changed; the first pull raises it too, if another process is at the sweep.
    """
    if isinstance(sweep, StoredSweep):
        cells = sweep.sweep
        sweep.check_parts()
    else:
        cells = sweep
    chosen = make_engine(engine, cells, options)
    _check_guides(cells)
    if isinstance(sweep, StoredSweep):
        stored = sweep
    else:
        stored = create_sweep(sweep, Path(folder) if folder is not None else None)
    return _run(stored, cells, chosen)


def _check_guides(sweep: Sweep) -> None:
    """Raise `ConfigError` if a run that guides a cell cannot be used, or not for long."""
    for cell in sweep.cells():
        experiment = cell.experiments[0]
        guide = experiment.sampling.guide_run
        if not guide:
            continue
        from ..guide_run import check_guide

        try:
            check_guide(experiment)
            if (exact := with_exact_guide(experiment).sampling.guide) != guide:
                raise ConfigError(
                    f"sampling.guide: {shortened(guide, 80)!r} may be another run later; allowed: "
                    f"{shown(exact)}",
                    "sampling.guide",
                )
        except ConfigError as error:
            where = f"cell {cell.label}: " if cell.label else ""
            raise ConfigError(f"{where}{error}", error.field) from None


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
        self._stored, self._engine = stored, engine
        self._trainings = sweep.trainings()
        self._cells = len(sweep.cells())
        self._cells_left = Counter(cell for t in self._trainings for cell in t.cells)
        self._steps = sum(t.experiment.training.steps for t in self._trainings)
        self._step: Counter[str] = Counter()
        self._done = self._diverged = self._failed = self._total = self._cells_done = 0
        self.missing: list[Training] = []
        for training in self._trainings:
            known = reports(training, stored.run_folder(training))
            if known is None:
                self.missing.append(training)
                self._reach(training, self._stored_step(training))
            else:
                self._complete(training, known)
        self._running: dict[int, Training] = {}
        self._faults: dict[str, str] = {}
        self._clock = monotonic()
        self._first: tuple[float, int] | None = None

    def carry_out(self) -> Generator[SweepProgress, None, None]:
        """Pull the engine until it ends, and record the time spent."""
        before, recorded = self._stored.seconds, self._clock
        self._record(before)
        try:
            with closing(self._engine.run(self.missing, self._stored.folder)) as events:
                for event in events:
                    progress = self.progress() if event is None else self._take(event)
                    if progress is not None:
                        yield progress
                    if not self._stored.folder.is_dir():
                        break  # recording the time raises the error
                    if monotonic() - recorded > _RECORD:
                        recorded = monotonic()
                        self._record(before)
        finally:
            self._record(before)
        yield self.progress()

    def _record(self, before: float) -> None:
        self._stored = self._stored.record(
            engine=self._engine.name,
            workers=self._engine.workers,
            seconds=before + monotonic() - self._clock,
            faults=self._faults,
        )

    def progress(self, ended: Training | None = None, news: str = "") -> SweepProgress:
        """Return the progress now."""
        rate = left = None
        if self._first is not None:
            since, more = monotonic() - self._first[0], self._total - self._first[1]
            if since > 0 and more > 0:
                rate = more / since
                left = (self._steps - self._total) / rate
        return SweepProgress(
            self._stored,
            trainings=len(self._trainings),
            done=self._done,
            diverged=self._diverged,
            failed=self._failed,
            cells=self._cells,
            cells_done=self._cells_done,
            step=self._total,
            steps=self._steps,
            seconds=monotonic() - self._clock,
            rate=rate,
            left=left,
            running=tuple(self._running.values()),
            ended=ended,
            news=news,
        )

    def _take(self, event: Event) -> SweepProgress | None:
        """Note what an event says, and return the progress; None for one of the many steps.

        Steps are seen in the next progress, a moment later.
        """
        if event.kind == "note":
            return self.progress(None, event.reason)
        training = self.missing[event.index]
        if event.kind == "began":
            self._running[event.index] = training
            return self.progress()
        if self._first is None and event.kind != "again":
            self._first = (monotonic() if event.kind == "step" else self._clock, self._total)
        if event.kind == "step":
            self._reach(training, event.step)
            return None
        self._running.pop(event.index, None)
        if event.kind == "again":
            return self.progress(None, f"{training.name}: {event.reason}; it starts again")
        reason = event.reason if event.kind == "failed" else self._keep(training, event)
        if not reason:
            return self.progress(training)
        self._failed += 1
        self._faults[training.name] = reason
        self._reach(training, training.experiment.training.steps)
        return self.progress(training, f"{training.name}: failed: {reason}")

    def _keep(self, training: Training, event: Event) -> str:
        """Write the run of a training that is done, and check it; return a fault, or ''."""
        folder = self._stored.run_folder(training)
        if event.files is not None:
            from .packing import unpack

            try:
                unpack(event.files, folder)
            except RunError as error:
                return str(error)
        known = reports(training, folder)
        if known is None:
            return "its run is not complete"
        self._complete(training, known)
        return ""

    def _complete(self, training: Training, known: list[Report]) -> None:
        self._done += 1
        self._diverged += has_diverged(known)
        self._cells_left.subtract(training.cells)
        self._cells_done += sum(not self._cells_left[cell] for cell in training.cells)
        self._reach(training, training.experiment.training.steps)

    def _reach(self, training: Training, step: int) -> None:
        """Note that a training has done so many steps; never fewer than before."""
        name, most = training.name, training.experiment.training.steps
        gained = max(min(step, most) - self._step[name], 0)
        self._step[name] += gained
        self._total += gained

    def _stored_step(self, training: Training) -> int:
        summary = summarise(self._stored.run_folder(training))
        return summary.about.step if summary is not None and summary.about is not None else 0
