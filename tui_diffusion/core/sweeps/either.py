"""Finding what a name means: a run or a sweep. Loads no torch."""

from __future__ import annotations

from pathlib import Path

from ..runs.manifest import RunError
from ..runs.naming import LATEST, find
from ..runs.outside import SWEEP_FILE
from ..runs.store import at, latest_run
from ..text import shown
from .naming import find_sweep, sweep_at
from .store import sweep_folders


def find_sweep_or_run(name: str) -> tuple[Path | None, Path | None]:
    """Return the folder of a sweep or that of a run, and None for the other; raise `RunError`.

    An exact name takes precedence over a beginning; ``latest`` is what was written last.
    """
    if name == LATEST:
        return _latest(name)
    sweep, run = sweep_at(name), at(name)
    if sweep is None and run is None:
        faults: list[RunError] = []
        for search in (find_sweep, find):
            try:
                folder = search(name)
            except RunError as error:
                faults.append(error)
            else:
                sweep, run = (folder, run) if search is find_sweep else (sweep, folder)
        if len(faults) == 2:
            ambiguous = [fault for fault in faults if "could be" in str(fault)]
            raise ambiguous[0] if ambiguous else faults[1]
    if sweep is not None and run is not None:
        raise RunError(
            f"{shown(name)!r} could be run {shown(run.name)} or sweep {shown(sweep.name)}; "
            "allowed: what is one alone"
        )
    return sweep, run


def _latest(name: str) -> tuple[Path | None, Path | None]:
    run, sweeps = latest_run(), sweep_folders()
    if not sweeps:
        return None, find(name)
    of_run = (run.folder / "run.json").lstat().st_mtime_ns if run is not None else -1
    if (sweeps[0] / SWEEP_FILE).lstat().st_mtime_ns > of_run:
        return sweeps[0], None
    return None, find(name)
