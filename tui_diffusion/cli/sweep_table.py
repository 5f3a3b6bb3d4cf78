"""The results of a sweep and the list of sweeps as tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ..core.config.value_types import format_value
from ..core.runs.store import age_text
from ..core.sweeps.measures import MEASURES
from ..core.sweeps.results import CellResult, Ranking, SweepResults
from ..core.sweeps.statistics import CONFIDENCE, LEAST_SEEDS
from ..core.sweeps.store import SweepSummary
from ..core.sweeps.sweep import short_names
from ..core.text import shortened, shown
from .tables import console, number_text

_HEADS = {
    "energy_distance": "energy",
    "excess": "excess loss",
    "in_mode_std_ratio": "std ratio",
    "mode_tv": "mode tv",
    "off_mode": "off mode",
    "copied": "copied",
    "to_population": "to popul.",
    "to_training_set": "to set",
    "train_loss": "train loss",
    "heldout_loss": "held-out loss",
    "seconds": "seconds",
}
"""Heads of the columns of measures."""


def print_sweep(found: SweepResults, measure: str) -> None:
    """Print a row for each cell: its settings, its trainings, and the medians of its measures.

    The measure by which cells are compared stands first, with its extremes over the seeds. In a
    narrow terminal the last measures are omitted.
    """
    out, ranking = console(), found.ranking(measure)
    others = [key for key in found.measures if key != measure]
    columns = [
        ("", [_mark(result, ranking) for result in found.cells]),
        *_settings(found),
        ("done", [f"{r.done}/{len(r.seeds)}" for r in found.cells]),
    ]
    if any(result.diverged for result in found.cells):
        columns.append(("diverged", [str(r.diverged or "") for r in found.cells]))
    columns += _medians(found, measure, extremes=True)
    kept = len(columns)
    for key in others:
        columns += _medians(found, key)
    words = 1 + len(found.sweep.axes)
    print_columns(out, columns, words, kept)
    reals = {key: _real(found, key) for key in (measure, *others)}
    real = ", ".join(f"{_HEADS[key]} {text}" for key, text in reals.items() if text)
    out.print(
        f"\nMedians over {_seeds(found.sweep.seeds)}. Real data: {real or '–'}.", markup=False
    )
    for line in verdict(found, measure, ranking):
        out.print(line, markup=False)
    out.print(Text.assemble(("sweep  ", "dim"), shown(str(found.stored.folder))), soft_wrap=True)


Column = tuple[str, list[str]]
"""The head and the cells of a column."""


def print_columns(out: Console, columns: list[Column], words: int, kept: int) -> None:
    """Print the first ``kept`` columns, and as many of the others as fit.

    The first ``words`` columns are text, the others numbers.
    """
    widths = [max(map(cell_len, (head, *cells))) for head, cells in columns]
    while len(widths) > kept and sum(widths) + 2 * (len(widths) - 1) > out.width:
        widths.pop()
    rows = zip(*([head, *cells] for head, cells in columns[: len(widths)]), strict=True)
    for number, row in enumerate(rows):
        padded = [
            cell + " " * (width - cell_len(cell)) if i < words else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        out.print(Text("  ".join(padded).rstrip(), "" if number else "bold"), soft_wrap=True)


def _settings(found: SweepResults) -> list[Column]:
    fields = [axis.field for axis in found.sweep.axes]
    names = short_names(fields)
    return [
        (names[f], [shortened(format_value(r.cell.settings[f]), 24) for r in found.cells])
        for f in fields
    ]


def _medians(found: SweepResults, key: str, *, extremes: bool = False) -> list[Column]:
    """Return the column of a measure's medians, and those of its extremes."""
    spreads = [result.spread(key) for result in found.cells]
    names = ("median", "low", "high") if extremes else ("median",)
    return [
        (
            _HEADS[key] if name == "median" else name,
            [number_text(getattr(spread, name) if spread else None) for spread in spreads],
        )
        for name in names
    ]


def _real(found: SweepResults, key: str) -> str:
    """Return the score of real data, or its range over the cells; "" if there is none."""
    reals = [real for real in found.reals(key) if real is not None]
    ends = dict.fromkeys(map(number_text, (min(reals), max(reals)))) if reals else ()
    return " to ".join(ends)


def _mark(result: CellResult, ranking: Ranking | None) -> str:
    if ranking is None or result.cell.index not in ranking.cells:
        return ""
    return "**" if result.cell.index == ranking.best else "*"


def verdict(found: SweepResults, measure: str, ranking: Ranking | None) -> list[str]:
    """Return the lines that say which cells are best, and what the marks mean."""
    if ranking is None:
        if not any(r.done for r in found.cells):
            return ["No cell has a result."]
        if measure not in found.measures and any(r.done > r.diverged for r in found.cells):
            return [f"No cell has a {MEASURES[measure].name}."]
        return ["Most trainings of every cell diverged."]
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
    """Print the sweeps on disk, or why one cannot be opened.

    Names are never broken. In a narrow terminal the axes take a line of their own.
    """
    out = console()
    heads = ("sweep", "state", "trainings", "seconds", "age", "axes")
    rows = [heads, *map(_cells, sweeps)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    apart = sum(widths) + 2 * (len(widths) - 1) > out.width
    for number, cells in enumerate(rows):
        *row, note = cells
        if not apart:
            row.append(note)
        padded = [
            cell + " " * (width - cell_len(cell)) if i in (0, 1, 5) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        out.print(Text("  ".join(padded).rstrip(), "" if number else "bold"), soft_wrap=True)
        if apart and number:
            out.print(Text(f"    {note}", "dim"), soft_wrap=True)


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
