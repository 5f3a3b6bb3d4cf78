"""The results of a sweep and the list of sweeps as tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.cells import cell_len
from rich.text import Text

from ..core.config.value_types import format_value
from ..core.runs.store import age_text
from ..core.sweeps.measures import MEASURES
from ..core.sweeps.results import CellResult, Ranking, SweepResults
from ..core.sweeps.statistics import CONFIDENCE, LEAST_SEEDS
from ..core.sweeps.store import SweepSummary
from ..core.sweeps.sweep import short_names
from ..core.text import shortened, shown
from .tables import console, empty_table, number_text

_HEADS = {
    "energy_distance": "energy",
    "excess": "excess loss",
    "in_mode_std_ratio": "std ratio",
    "mode_tv": "mode tv",
    "off_mode": "off mode",
    "seconds": "seconds",
}
"""Heads of the columns of measures."""


def print_sweep(found: SweepResults, measure: str) -> None:
    """Print a row for each cell: its settings, its trainings, and the medians of its measures.

    The measure by which cells are compared stands first, with its extremes over the seeds.
    """
    out, ranking = console(), found.ranking(measure)
    names = short_names([axis.field for axis in found.sweep.axes])
    others = [key for key in found.measures if key != measure]
    heads = [_HEADS[measure], "low", "high", *(_HEADS[key] for key in others)]
    table = empty_table(("", *names.values()), ("done", "diverged", *heads))
    for result in found.cells:
        spread = result.spread(measure)
        main = (spread.median, spread.low, spread.high) if spread else (None, None, None)
        medians = [s.median if (s := result.spread(key)) else None for key in others]
        table.add_row(
            _mark(result, ranking),
            *(shortened(format_value(value), 24) for value in result.cell.settings.values()),
            f"{result.done}/{len(result.seeds)}",
            str(result.diverged or ""),
            *map(number_text, (*main, *medians)),
        )
    out.print(table)
    reals = {key: found.cells[0].real(key) for key in (measure, *others)}
    real = ", ".join(f"{_HEADS[k]} {number_text(v)}" for k, v in reals.items() if v is not None)
    out.print(f"Medians over {_seeds(found.sweep.seeds)}. Real data: {real or '–'}.", markup=False)
    for line in verdict(found, ranking):
        out.print(line, markup=False)
    out.print(Text.assemble(("sweep  ", "dim"), shown(str(found.stored.folder))), soft_wrap=True)


def _mark(result: CellResult, ranking: Ranking | None) -> str:
    if ranking is None or result.cell.index not in ranking.cells:
        return ""
    return "**" if result.cell.index == ranking.best else "*"


def verdict(found: SweepResults, ranking: Ranking | None) -> list[str]:
    """Return the lines that say which cells are best, and what the marks mean."""
    if ranking is None:
        return [
            "No cell has a result."
            if not any(r.done for r in found.cells)
            else "Most trainings of every cell diverged."
        ]
    name, rest = MEASURES[ranking.measure].name, len(ranking.cells) - 1
    best = found.cells[ranking.best].cell.label or "the one cell"
    lines = [f"** best by {name}: {best}"]
    if len(found.cells) == 1:
        return lines
    if found.sweep.seeds < LEAST_SEEDS:
        lines.append(
            f"*  cells are told apart from {LEAST_SEEDS} seeds on; this sweep has "
            f"{_seeds(found.sweep.seeds)}"
        )
    elif rest:
        lines.append(
            f"*  {rest} more that it does not beat: the {CONFIDENCE:.0%} bootstrap interval of the "
            "difference, seed by seed, reaches 0"
        )
    else:
        lines.append(f"It beats every other cell ({CONFIDENCE:.0%} bootstrap, seed by seed).")
    return lines


def _seeds(count: int) -> str:
    return f"{count} seed{'' if count == 1 else 's'}"


def print_sweeps(sweeps: Sequence[SweepSummary]) -> None:
    """Print the sweeps on disk, or why one cannot be opened. Names are never broken."""
    out = console()
    heads = ("sweep", "state", "trainings", "seconds", "age", "axes")
    rows = [_cells(one) for one in sweeps]
    widths = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
    for style, cells in (("bold", heads), *(("", row) for row in rows)):
        padded = [
            cell + " " * (width - cell_len(cell)) if i in (0, 1, 5) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        out.print(Text("  ".join(padded).rstrip(), style), soft_wrap=True)


def _cells(one: SweepSummary) -> tuple[str, ...]:
    if one.stored is None:
        return one.label, one.state, "", "", "", one.reason
    age = max((datetime.now(UTC) - one.stored.created).total_seconds(), 0.0)
    axes = ", ".join(f"{shown(axis['field'])} ({len(axis['values'])})" for axis in one.axes)
    note = f"{axes or 'none'}, {_seeds(one.seeds)}"
    return (
        one.label,
        one.state,
        f"{one.done}/{one.trainings}",
        f"{one.stored.seconds:.0f}",
        age_text(age),
        note,
    )
