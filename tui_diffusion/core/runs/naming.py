"""A run as a person names it: its name, the beginning of one, ``latest``, or its folder."""

from __future__ import annotations

import os
from pathlib import Path

from ..nearest import did_you_mean, nearest
from ..paths import store
from ..text import shown
from .manifest import RunError
from .outside import outside_folders, outside_runs
from .store import Summary, at, in_store, latest_first, list_runs, summarise

LATEST = "latest"
_ALLOWED = "the folder of a run, or the name of one in {}, its beginning, or " + LATEST
_MOST = 4
"""Runs that a beginning is told to be of, at most."""


def all_runs() -> list[Summary]:
    """The runs of the store and those outside it, the latest written first."""
    return sorted([*list_runs(), *outside_runs()], key=latest_first)


def run_folders() -> list[Path]:
    """The folder of every run there is, by its name; nothing in it is read."""
    try:
        with os.scandir(store()) as entries:
            plain = [entry for entry in entries if not entry.name.startswith(".")]
            inside = [Path(e.path) for e in plain if e.is_dir(follow_symlinks=False)]
    except OSError:
        inside = []
    found = [f for f in (*inside, *outside_folders()) if os.path.lexists(f / "run.json")]
    return sorted(dict.fromkeys(found), key=lambda folder: folder.name)


def find(name: str) -> Path:
    """The folder of a run by its name, the unique beginning of one, ``latest``, or its path.

    What a word is exactly goes before what it is the beginning of, and a name in the store before
    one outside. Raises `RunError`.
    """
    folder = at(name)
    if folder is not None:
        return folder
    allowed = _ALLOWED.format(shown(str(store())))
    if name == LATEST:
        whole = [run.folder for run in all_runs() if run.whole]
        if not whole:
            raise RunError(f"run {LATEST!r}: there is none so far; allowed: {allowed}")
        return whole[0]
    folders = run_folders() if name and not set(name) & set("/\0") else []
    exact = [folder for folder in folders if folder.name == name]
    begun = exact or [folder for folder in folders if folder.name.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        more = f" and {len(begun) - _MOST} more" if len(begun) > _MOST else ""
        which = ", ".join(map(_told, begun[:_MOST]))
        raise RunError(
            f"run {shown(name)!r} could be any of {which}{more}; allowed: what is one alone"
        )
    near = nearest(name, (LATEST, *(folder.name for folder in folders)))
    hint = did_you_mean(map(shown, near))
    raise RunError(f"run {shown(name)!r} does not exist; {hint}allowed: {allowed}")


def _told(folder: Path) -> str:
    """A run as it can be told from others: by its name, or outside the store by its folder."""
    return shown(folder.name if in_store(folder) else str(folder))


def run_to_resume(name: str = "") -> Summary:
    """The run that this names, or without a name the latest that can go on; raises `RunError`."""
    if name:
        found = summarise(find(name))
        if found is None or not found.whole:
            reason = found.reason if found is not None else "it is only coming to be"
            raise RunError(f"run {shown(name)} cannot be opened: {reason}")
        return found
    runs = [run for run in all_runs() if run.resumable]
    if not runs:
        raise RunError(f"no run that could go on is in {store()}; allowed: the name of a run")
    return runs[0]
