"""Finding a sweep, or a run within one, by name. Loads no torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..nearest import did_you_mean, nearest
from ..paths import sweep_store
from ..runs.manifest import RunError
from ..runs.outside import SWEEP_FILE
from ..text import shortened, shown
from .store import StoredSweep, read_sweep, run_folders_of, sweep_folders

LATEST = "latest"
_ALLOWED = "the folder of a sweep, or the name of one in {}, its beginning, or " + LATEST
_MOST = 4
"""Maximum number of candidates in the message on an ambiguous beginning."""


def find_sweep(name: str) -> Path:
    """Return the folder of a sweep by its name, a unique beginning of it, ``latest`` or its path.

    An exact name takes precedence over a beginning. Raise `RunError`.
    """
    if (folder := sweep_at(name)) is not None:
        return folder
    folders = sweep_folders()
    allowed = _ALLOWED.format(shown(str(sweep_store())))
    if name == LATEST:
        if not folders:
            raise RunError(f"sweep {LATEST!r}: there is none so far; allowed: {allowed}")
        return folders[0]
    return _only(name, folders, "sweep", allowed)


def open_sweep(name: str | Path) -> StoredSweep:
    """Read a sweep by its name or folder; raise `RunError`."""
    return read_sweep(find_sweep(str(name)))


def sweep_at(name: str) -> Path | None:
    """Return the folder of a sweep by its exact name in the store or its path."""
    places = [Path(name)] if name else []
    if name and not set(name) & set("/\0") and name not in (".", ".."):
        places.insert(0, sweep_store() / name)
    for place in places:
        try:
            if os.path.lexists(place / SWEEP_FILE) and not place.is_symlink():
                return place
        except (OSError, ValueError):
            continue  # a folder that may not be read, or a name that none can have
    return None


def find_run_of_sweep(name: str) -> Path | None:
    """Return the folder of a run by ``SWEEP/RUN``, each a name or a unique beginning of one.

    None if no sweep has this beginning; raise `RunError` if several have, or for the run.
    """
    of, _, run = name.rpartition("/")
    known = [folder.name for folder in sweep_folders()]
    if sweep_at(of) is None and of != LATEST and not any(n.startswith(of) for n in known):
        return None
    folder = find_sweep(of)
    allowed = f"a run of sweep {shown(folder.name)!r}, or the unique beginning of its name"
    return _only(run, run_folders_of(folder), "run", allowed)


def sweep_label(folder: Path) -> str:
    """Return the name of a sweep in the store, and the path of another."""
    inside = folder.absolute().parent == sweep_store().absolute()
    return folder.name if inside else str(folder)


def runs_of_sweeps() -> list[str]:
    """Return ``SWEEP/RUN`` for every run of every sweep, by name, without reading the runs."""
    return sorted(
        f"{sweep.name}/{run.name}" for sweep in sweep_folders() for run in run_folders_of(sweep)
    )


def _only(name: str, folders: Sequence[Path], what: str, allowed: str) -> Path:
    """Return the folder of this name, or the only one whose name begins with it."""
    exact = [folder for folder in folders if folder.name == name]
    matching = exact or [folder for folder in folders if name and folder.name.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        more = f" and {len(matching) - _MOST} more" if len(matching) > _MOST else ""
        names = ", ".join(shown(folder.name) for folder in matching[:_MOST])
        raise RunError(
            f"{what} {shown(name)!r} could be any of {names}{more}; allowed: what is one alone"
        )
    near = nearest(name, [folder.name for folder in folders])
    raise RunError(
        f"{what} {shortened(name, 200)!r} does not exist; {did_you_mean(map(shown, near))}"
        f"allowed: {allowed}"
    )
