"""Finding a run by its name, the beginning of one, ``latest``, or its folder.

A run of a sweep is found as ``SWEEP/RUN``, each a name or the beginning of one.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..config.errors import ConfigError
from ..config.experiment import Experiment
from ..nearest import did_you_mean, nearest
from ..paths import store
from ..text import shortened, shown
from .manifest import RunError
from .outside import outside_folders, outside_runs
from .store import Summary, at, in_store, latest_first, list_runs, summarise

LATEST = "latest"
_ALLOWED = "the folder of a run, or the name of one in {}, its beginning, SWEEP/RUN, or " + LATEST
_MOST = 4
"""Maximum number of candidates in the message on an ambiguous beginning."""


def all_runs() -> list[Summary]:
    """Return the runs inside and outside the store, the latest written first."""
    return sorted([*list_runs(), *outside_runs()], key=latest_first)


def run_folders() -> list[Path]:
    """Return the folder of every run, sorted by name, without reading the runs."""
    try:
        with os.scandir(store()) as entries:
            plain = [entry for entry in entries if not entry.name.startswith(".")]
            inside = [Path(e.path) for e in plain if e.is_dir(follow_symlinks=False)]
    except OSError:
        inside = []
    folders = [f for f in (*inside, *outside_folders()) if os.path.lexists(f / "run.json")]
    return sorted(dict.fromkeys(folders), key=lambda folder: folder.name)


def find(name: str) -> Path:
    """Return the folder of a run by its name, a unique beginning of it, ``latest``, or its path.

    An exact name takes precedence over a beginning, and the store over folders outside. Raise
    `RunError`.
    """
    folder = at(name)
    if folder is not None:
        return folder
    if "/" in name.strip("/") and "\0" not in name and not os.path.lexists(name):
        from ..sweeps.naming import find_run_of_sweep

        if (folder := find_run_of_sweep(name)) is not None:
            return folder
    allowed = _ALLOWED.format(shown(str(store())))
    if name == LATEST:
        whole = [run.folder for run in all_runs() if run.whole]
        if not whole:
            raise RunError(f"run {LATEST!r}: there is none so far; allowed: {allowed}")
        return whole[0]
    folders = run_folders() if name and not set(name) & set("/\0") else []
    exact = [folder for folder in folders if folder.name == name]
    matching = exact or [folder for folder in folders if folder.name.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        more = f" and {len(matching) - _MOST} more" if len(matching) > _MOST else ""
        which = ", ".join(map(_described, matching[:_MOST]))
        raise RunError(
            f"run {shown(name)!r} could be any of {which}{more}; allowed: what is one alone"
        )
    near = nearest(name, (LATEST, *(folder.name for folder in folders)))
    hint = did_you_mean(map(shown, near))
    raise RunError(f"run {shortened(name, 200)!r} does not exist; {hint}allowed: {allowed}")


def exact_name(folder: Path) -> str:
    """Return the name or the path that will always be that of this run, and of no other."""
    return folder.name if in_store(folder) else str(folder.absolute())


def with_exact_guide(experiment: Experiment) -> Experiment:
    """Return an experiment that names the run that guides it exactly, if one does.

    ``latest``, or the beginning of a name, may soon be the experiment's own run. Raise
    `ConfigError` if there is no such run.
    """
    sampling = experiment.sampling
    if not sampling.guide_run:
        return experiment
    try:
        name = exact_name(find(sampling.guide))
    except RunError as error:
        raise ConfigError(f"sampling.guide: {error}", "sampling.guide") from None
    if name == sampling.guide or Path(sampling.guide).is_absolute():
        return experiment
    exact = sampling.model_copy(update={"guide": name})
    return experiment.model_copy(update={"sampling": exact})


def _described(folder: Path) -> str:
    """Return a name that identifies a run: its own, or its folder if outside the store."""
    return shown(exact_name(folder))


def whole_run(name: str) -> Summary:
    """Return the run of this name; raise `RunError` if it cannot be opened."""
    summary = summarise(find(name))
    if summary is None or not summary.whole:
        reason = summary.reason if summary is not None else "it is just being created"
        raise RunError(f"run {shown(name)} cannot be opened: {reason}")
    return summary


def run_to_resume(name: str = "") -> Summary:
    """Return the run of this name, or without a name the latest resumable one; raise `RunError`."""
    if name:
        return whole_run(name)
    runs = [run for run in all_runs() if run.resumable]
    if not runs:
        raise RunError(f"no run to resume in {store()}; allowed: the name of a run")
    return runs[0]
