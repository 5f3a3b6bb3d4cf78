"""The commands ``sweep``, which trains many experiments as one, and ``sweeps``, a list of them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..core.config.catalog import all_presets, get_preset
from ..core.config.errors import ConfigError
from ..core.text import shortened
from ..interface.command_line import parse_settings, resuming
from . import completion
from .examples import examples
from .options import json_option, parts_option, settings_option
from .results import print_json
from .signals import Exit, Interruption, complain
from .speeds import use_kept_speeds

if TYPE_CHECKING:
    from ..core.sweeps.run import SweepProgress
    from ..core.sweeps.store import StoredSweep
    from ..core.sweeps.sweep import Sweep

_by_option = click.option(
    "--by",
    metavar="MEASURE",
    shell_complete=completion.measures,
    help="Measure by which cells are compared: energy_distance, excess, in_mode_std_ratio, "
    "mode_tv, off_mode or seconds; with data.train_points copied, to_population, to_training_set, "
    "train_loss or heldout_loss.",
)


@click.command(epilog=examples("sweep"))
@click.argument("experiment", required=False, shell_complete=completion.experiments)
@click.option(
    "--vary",
    metavar="FIELD=VALUES",
    multiple=True,
    shell_complete=completion.fields,
    help="Vary a field: a list 16,32,64, or a range 1e-4..1e-1:log7 or 0..1:lin5. Repeatable.",
)
@click.option(
    "--seeds", metavar="N", help="Seeds of every cell, counting up from seed (default 1)."
)
@settings_option
@click.option(
    "--engine",
    metavar="E",
    default="auto",
    shell_complete=completion.engines,
    help="auto, processes, stacked or dask.",
)
@click.option("--workers", metavar="N", help="Trainings at a time; by default one a core.")
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler, such as tcp://host:8786.")
@click.option("--skip-invalid", is_flag=True, help="Leave out the cells that cannot be.")
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Folder to write the sweep to."
)
@click.option(
    "--resume",
    metavar="SWEEP",
    shell_complete=completion.sweeps,
    help="Do what is missing of a sweep.",
)
@parts_option
@_by_option
@json_option
def sweep(
    experiment: str | None,
    vary: tuple[str, ...],
    seeds: str | None,
    settings: tuple[str, ...],
    engine: str,
    workers: str | None,
    scheduler: str | None,
    skip_invalid: bool,
    out: Path | None,
    resume: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Train EXPERIMENT with every combination of the values that --vary gives.

    Each combination is a cell, trained with every seed. A value with commas stands in parentheses.
    Cells that differ only in their sampling share their trainings. The results say which cells
    differ by more than their seeds do. Ctrl-C ends the sweep; --resume does what is missing.
    A training that diverges is a result; the exit code is 1 if one failed.
    """
    from ..core.sweeps.engines import EngineOptions
    from ..core.sweeps.measures import DEFAULT, measure_named
    from ..core.sweeps.naming import open_sweep
    from ..core.sweeps.run import run_sweep

    measure = measure_named(by or DEFAULT).key
    options = EngineOptions(_count("workers", workers), scheduler, use_kept_speeds)
    with Interruption() as interruption:
        if resume is not None:
            _check_resume(experiment, vary, seeds, settings, skip_invalid, out)
            stored: StoredSweep = open_sweep(resume)
            work: Sweep | StoredSweep = stored
        else:
            work = _new(experiment, vary, seeds, settings, skip_invalid)
        progress = run_sweep(work, engine, folder=out, options=options)
        interruption.at_once = False
        with closing(progress):
            last = _pull(progress, interruption)
        interruption.at_once = True
    if interruption.signal_number:
        _leave(last, interruption.signal_number)
    print_results(last.stored, measure, as_json)
    if last.failed:
        complain(
            f"{last.failed} of {last.trainings} trainings failed; try again with: "
            f"{shlex.join(resuming(last.stored))}"
        )
        sys.exit(Exit.FAILED)


def _new(
    experiment: str | None,
    vary: tuple[str, ...],
    seeds: str | None,
    settings: tuple[str, ...],
    skip_invalid: bool,
) -> Sweep:
    """Return the sweep that the command line describes; raise `ConfigError`."""
    from ..core.sweeps.sweep import Axis, InvalidCellsError, Sweep

    if experiment is None:
        raise ConfigError(f"no experiment is given; allowed: {', '.join(all_presets())}")
    base = get_preset(experiment).experiment.with_settings(parse_settings(settings))
    axes = [Axis.parse(text) for text in vary]
    if both := [axis.field for axis in axes if axis.field in parse_settings(settings)]:
        raise ConfigError(f"{both[0]}: is set and varies; allowed: --set or --vary", both[0])
    count = _count("seeds", seeds) or 1
    try:
        made = Sweep(base, axes, count, skip_invalid=skip_invalid)
    except InvalidCellsError as error:
        hint = "" if skip_invalid else ", with --skip-invalid"
        raise ConfigError(f"{error}{hint}") from None
    if made.invalid:
        complain(f"left out: {len(made.invalid)} cells that cannot be")
    return made


def _check_resume(
    experiment: str | None,
    vary: tuple[str, ...],
    seeds: str | None,
    settings: tuple[str, ...],
    skip_invalid: bool,
    out: Path | None,
) -> None:
    """Raise `ConfigError` for what a resumed sweep has already."""
    more = {
        "EXPERIMENT": experiment,
        "--vary": vary,
        "--seeds": seeds,
        "--set": settings,
        "--skip-invalid": skip_invalid,
        "--out": out,
    }
    if wrong := [name for name, value in more.items() if value]:
        raise ConfigError(
            f"--resume does not go with {', '.join(wrong)}; allowed: --engine, --workers, "
            "--scheduler, --by"
        )


def _pull(progress: Any, interruption: Interruption) -> SweepProgress:
    """Carry out the sweep until its end or a signal, with a bar."""
    from .sweep_bar import SweepBar

    with SweepBar() as bar:
        for report in progress:
            bar.show(report)
            if report.news:
                bar.hide()
                complain(report.news)
            if interruption.signal_number:
                break
            if interruption.resting:
                bar.hide()
                interruption.rest()
    last: SweepProgress = report
    return last


def _leave(last: SweepProgress, number: int) -> None:
    """Say what is done after a signal and how to go on, and exit."""
    complain(
        f"interrupted with {last.done} of {last.trainings} trainings done; go on with: "
        f"{shlex.join(resuming(last.stored))}; sweep: {last.stored.folder}"
    )
    sys.exit(128 + number)


def _count(name: str, text: str | None) -> int | None:
    """Parse an option that is a whole number from 1."""
    if text is None:
        return None
    if not text.strip().isascii() or not text.strip().isdecimal() or not 0 < int(text) < 10**6:
        raise ConfigError(
            f"--{name}: {shortened(text)!r} is not allowed; allowed: a whole number from 1"
        )
    return int(text)


def print_results(stored: StoredSweep, measure: str, as_json: bool) -> None:
    """Print the results of a sweep, complete or not."""
    from ..core.sweeps.results import sweep_results

    found = sweep_results(stored)
    for change in stored.changed_parts:
        complain(change)
    if as_json:
        print_json(found.report(measure))
    else:
        from .sweep_table import print_sweep

        print_sweep(found, measure)


@click.command(epilog=examples("sweeps"))
@click.argument("name", metavar="[SWEEP]", required=False, shell_complete=completion.sweeps)
@parts_option
@_by_option
@json_option
def sweeps(name: str | None, by: str | None, as_json: bool) -> None:
    """List the sweeps on disk, or print the results of SWEEP.

    SWEEP is a name, the beginning of one, a folder, or latest. Its runs are opened as SWEEP/RUN.
    """
    from ..core.sweeps.measures import DEFAULT, measure_named
    from ..core.sweeps.naming import open_sweep
    from ..core.sweeps.store import list_sweeps

    measure = measure_named(by or DEFAULT).key
    if name is not None:
        print_results(open_sweep(name), measure, as_json)
        return
    if by is not None:
        raise ConfigError("--by goes with a sweep; allowed: sweeps SWEEP --by MEASURE")
    every = list_sweeps()
    if as_json:
        print_json({"sweeps": [_row(one) for one in every]})
    elif not every:
        complain("no sweeps so far; diffusion-tui sweep EXPERIMENT --vary FIELD=VALUES writes one")
    else:
        from .sweep_table import print_sweeps

        print_sweeps(every)


def _row(one: Any) -> Mapping[str, Any]:
    from ..core.text import shown

    stored = one.stored
    return {
        "sweep": one.label,
        "folder": shown(str(one.folder)),
        "state": one.state,
        "reason": one.reason or None,
        "experiment": one.experiment or None,
        "axes": one.axes,
        "seeds": one.seeds,
        "trainings": one.trainings,
        "done": one.done,
        "engine": stored.engine or None if stored else None,
        "workers": stored.workers or None if stored else None,
        "seconds": stored.seconds if stored else None,
        "created": stored.created.isoformat() if stored else None,
    }
