"""The results of a sweep: every measure of every cell over its seeds, and the best cells.

Medians and extremes are over the trainings that did not diverge; how many diverged stands beside
them. For the comparison of cells, a training that diverged is infinitely bad. Loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from ..short_repr import short_repr
from .measures import DEFAULT, MEASURES, measure_named
from .states import Report, reports
from .statistics import Difference, Spread, difference, spread
from .store import StoredSweep
from .sweep import Cell, Sweep, Training


@dataclass(frozen=True)
class Sampled:
    """One training of a cell: its run, and its report if it is complete."""

    training: Training = field(repr=False)
    seed: int
    report: Report | None = field(repr=False)

    @property
    def diverged(self) -> bool:
        """Whether the training diverged."""
        return self.report is not None and self.report.get("status") == "diverged"

    def value(self, measure: str) -> float | None:
        """Return a measure; None if the training diverged or is not complete."""
        if self.report is None or self.diverged:
            return None
        return MEASURES[measure].of(self.report)


@dataclass(frozen=True)
class CellResult:
    """The trainings of a cell, one for each seed."""

    cell: Cell
    seeds: tuple[Sampled, ...]

    def __repr__(self) -> str:
        return short_repr(self, "done", "diverged", cell=self.cell.label, seeds=len(self.seeds))

    @property
    def done(self) -> int:
        """Number of complete trainings, those that diverged included."""
        return sum(one.report is not None for one in self.seeds)

    @property
    def diverged(self) -> int:
        """Number of trainings that diverged."""
        return sum(one.diverged for one in self.seeds)

    def values(self, measure: str) -> list[float]:
        """Return a measure of every training that has it."""
        return [v for one in self.seeds if (v := one.value(measure)) is not None]

    def spread(self, measure: str) -> Spread | None:
        """Return the spread of a measure over the seeds."""
        return spread(self.values(measure))

    def real(self, measure: str) -> float | None:
        """Return the score of a real sample, the median over the seeds."""
        of = MEASURES[measure]
        known = (of.real_of(one.report) for one in self.seeds if one.report is not None)
        reals = [value for value in known if value is not None]
        typical = spread(reals)
        return typical.median if typical else None

    def badness(self, measure: str) -> list[float]:
        """Return how bad every training is: nan if it is missing.

        Infinite if it diverged, or has no such number, such as the width of modes that no point is
        on.
        """
        of, numbers = MEASURES[measure], []
        for one in self.seeds:
            value = one.value(measure)
            if value is not None:
                numbers.append(of.badness(value))
            else:
                numbers.append(math.nan if one.report is None else math.inf)
        return numbers


@dataclass(frozen=True)
class Ranking:
    """The best cell by a measure, and all cells that it does not beat, by their index.

    ``differences`` holds, for each cell with a result, how much worse it is than the best.
    """

    measure: str
    best: int
    cells: tuple[int, ...]
    differences: Mapping[int, Difference] = field(repr=False)


@dataclass(frozen=True)
class SweepResults:
    """The results of all cells of a sweep."""

    stored: StoredSweep
    sweep: Sweep
    cells: tuple[CellResult, ...]

    def __repr__(self) -> str:
        done = sum(result.done for result in self.cells)
        return short_repr(self, sweep=self.stored.name, cells=len(self.cells), done=done)

    def ranking(self, measure: str = DEFAULT) -> Ranking | None:
        """Compare every cell with the best; None if no cell has a finite median.

        The best has the lowest median of badness. A cell counts as beaten if the interval of its
        difference to the best lies above 0, or if most of its trainings diverged.
        """
        of = measure_named(measure).key
        bad = {result.cell.index: result.badness(of) for result in self.cells}
        medians = {index: _median(values) for index, values in bad.items()}
        finite = {index: median for index, median in medians.items() if math.isfinite(median)}
        if not finite:
            return None
        best = min(finite, key=lambda index: finite[index])
        differences = {
            index: found
            for index, values in bad.items()
            if (found := difference(bad[best], values)) is not None
        }
        alike = [i for i in finite if i == best or not (i in differences and differences[i].above)]
        return Ranking(of, best, tuple(alike), differences)

    def with_training(self, training: Training) -> SweepResults:
        """Return the results with one training read again, of all cells that sample from it."""
        known = reports(training, self.stored.run_folder(training))
        cells = list(self.cells)
        for place, index in enumerate(training.cells):
            report = known[place] if known else None
            seeds = (
                replace(one, report=report) if one.training.name == training.name else one
                for one in cells[index].seeds
            )
            cells[index] = replace(cells[index], seeds=tuple(seeds))
        return replace(self, cells=tuple(cells))

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """The measures that any cell has."""
        return tuple(key for key in MEASURES if any(r.values(key) for r in self.cells))

    def reals(self, measure: str) -> list[float | None]:
        """Return the score of a real sample for each cell, whose training set may be its own."""
        return [result.real(measure) for result in self.cells]

    def report(self, measure: str = DEFAULT) -> dict[str, Any]:
        """Return the results as JSON holds them; ``measure`` selects the best cells."""
        ranking, stored = self.ranking(measure), self.stored
        best = None
        if ranking is not None:
            best = {"by": ranking.measure, "cell": ranking.best, "cells": list(ranking.cells)}
        return {
            "sweep": str(stored.folder),
            "experiment": self.sweep.base.name,
            "axes": [{"field": a.field, "values": list(a.values)} for a in self.sweep.axes],
            "seeds": self.sweep.seeds,
            "engine": stored.engine or None,
            "workers": stored.workers or None,
            "seconds": stored.seconds,
            "cells": [self._cell(result, ranking) for result in self.cells],
            "best": best,
        }

    def _cell(self, result: CellResult, ranking: Ranking | None) -> dict[str, Any]:
        index = result.cell.index
        found = ranking.differences.get(index) if ranking is not None else None
        return {
            "settings": dict(result.cell.settings),
            "runs": [f"{self.stored.name}/{one.training.name}" for one in result.seeds],
            "done": result.done,
            "diverged": result.diverged,
            "failed": sum(one.training.name in self.stored.faults for one in result.seeds),
            **{key: _spread_of(result, key) for key in MEASURES},
            "difference": None if found is None else _finite(asdict(found)),
            "best": ranking is not None and index in ranking.cells,
        }


def sweep_results(stored: StoredSweep, sweep: Sweep | None = None) -> SweepResults:
    """Read the results of a sweep, complete or not; raise `RunError` if it cannot be read."""
    sweep = sweep or stored.sweep
    of: dict[tuple[int, int], Sampled] = {}
    for training in sweep.trainings():
        known = reports(training, stored.run_folder(training))
        for place, cell in enumerate(training.cells):
            seed = training.experiment.seed
            of[cell, seed] = Sampled(training, seed, known[place] if known else None)
    cells = (
        CellResult(cell, tuple(of[cell.index, e.seed] for e in cell.experiments))
        for cell in sweep.cells()
    )
    return SweepResults(stored, sweep, tuple(cells))


def _median(values: Sequence[float]) -> float:
    """Return the median of the values that are not missing; nan without any."""
    known = sorted(value for value in values if not math.isnan(value))
    if not known:
        return math.nan
    lower, upper = known[(len(known) - 1) // 2], known[len(known) // 2]
    return (lower + upper) / 2


def _spread_of(result: CellResult, key: str) -> dict[str, float | None] | None:
    """Return the spread of a measure as JSON holds it, with a real sample's score if it has one."""
    found = result.spread(key)
    if found is None:
        return None
    real = {"real": result.real(key)} if MEASURES[key].real else {}
    return {**found.as_json(), **real}


def _finite(values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {k: v if v is not None and math.isfinite(v) else None for k, v in values.items()}
