"""Export of a sweep's results: a table of every training, or a picture of a measure."""

from __future__ import annotations

import csv
from pathlib import Path

from ..core.config.value_types import format_exactly
from ..core.sweeps.measures import DEFAULT, MEASURES
from ..core.sweeps.results import SweepResults
from ..core.text import shortened
from .atomic import check_place, write_files
from .formats import format_of
from .options import AS_USUAL, ExportError, ExportOptions
from .write import export_figure

SWEEP_SUFFIXES = (".csv", ".png", ".svg")


def export_sweep(found: SweepResults, file: Path, options: ExportOptions = AS_USUAL) -> list[Path]:
    """Write a table or a picture by the suffix of ``file``, atomically; raise `ExportError`.

    ``options.view`` is the measure of a picture, by default the energy distance.
    """
    measure = check_sweep(file, options)
    if file.suffix.lower() == ".csv":
        check_place(file, options.force)
        write_files([file], options.force, lambda paths: write_sweep_csv(found, paths[0]))
        return [file]
    from .pictures.sweeps import sweep_figure

    figure = sweep_figure(found, measure)
    return export_figure(lambda size: figure, file, options)


def check_sweep(file: Path, options: ExportOptions) -> str:
    """Return the measure that an export shows; raise `ExportError` if it cannot be written."""
    format_of(file)
    suffix = file.suffix.lower()
    if suffix not in SWEEP_SUFFIXES:
        raise ExportError(
            f"{shortened(str(file), 200)}: {suffix} does not go with a sweep; allowed: "
            f"{', '.join(SWEEP_SUFFIXES)}"
        )
    measure = (options.view or DEFAULT).replace("-", "_")
    if measure not in MEASURES:
        raise ExportError(
            f"--view: {shortened(options.view or '')!r} is not allowed for a sweep; allowed: "
            f"{', '.join(key.replace('_', '-') for key in MEASURES)}"
        )
    if suffix == ".csv" and options.view is not None:
        raise ExportError("--view does not go with the .csv of a sweep, which has every measure")
    if options.level is not None:
        raise ExportError("--level does not go with a sweep; allowed: none")
    return measure


def write_sweep_csv(found: SweepResults, file: Path) -> None:
    """Write one line for each training of each cell: settings, seed, state and every measure.

    Numbers are exact; an empty field is a number that does not apply or is not known yet.
    """
    fields = [axis.field for axis in found.sweep.axes]
    reals = [key for key, measure in MEASURES.items() if measure.real]
    heads = (
        *("cell", *fields, "seed", "run", "state"),
        *(*MEASURES, *(f"{key}_real" for key in reals)),
        "best",
    )
    ranking = found.ranking()
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow(heads)
        for result in found.cells:
            settings = result.cell.settings
            best = ranking is not None and result.cell.index in ranking.cells
            for one in result.seeds:
                state = "diverged" if one.diverged else "finished" if one.report else "missing"
                real = (
                    MEASURES[key].real_of(one.report) if one.report is not None else None
                    for key in reals
                )
                table.writerow((
                    result.cell.index,
                    *(format_exactly(settings[name]) for name in fields),
                    one.seed,
                    f"{found.stored.name}/{one.training.name}",
                    state,
                    *("" if v is None else repr(v) for v in (*map(one.value, MEASURES), *real)),
                    "true" if best else "false",
                ))  # fmt: skip
