"""The store of runs: listing, renaming and removing them.

It reads no tensors and loads no torch. The contents of the store are not trusted: links are not
followed, and a name cannot lead out of the store. Foreign and damaged entries are listed as such.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from filecmp import cmp
from pathlib import Path
from typing import Literal

from ..files import UNREADABLE, flush_folder, read_object, reason_of
from ..paths import store
from ..short_repr import short_repr
from ..text import shortened, shown
from .lock import Lock, writer_of
from .manifest import CHECKPOINT, Manifest, RunError, check_unchanged, checkpoints_in, read_about

Standing = Literal[
    "training",
    "interrupted",
    "stopped",
    "finished",
    "diverged",
    "half-written",
    "damaged",
    "foreign",
]
"""State of a run as found on disk: "training" without a process is "interrupted"."""

_UNFINISHED = re.compile(r"\..+\.([0-9]{1,9})\.(?:tmp|deleted)", re.DOTALL)


# --- all of them -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """One entry of the store. If it is not whole, ``about`` is None and ``reason`` says why."""

    folder: Path
    standing: Standing
    about: Manifest | None = None
    reason: str = ""

    def __repr__(self) -> str:
        if self.about is None:
            return short_repr(self, "name", "standing", "reason")
        progress = f"{self.about.step:,} of {self.about.steps:,}"
        return short_repr(self, "name", "standing", experiment=self.about.experiment, step=progress)

    @property
    def name(self) -> str:
        """The name for `open_run`, `rename_run` and `delete_run`; show `label` instead."""
        return self.folder.name

    @property
    def label(self) -> str:
        """The name without control characters, not escaped for markup."""
        return shown(self.name)

    @property
    def whole(self) -> bool:
        """True if the run can be opened."""
        return self.about is not None

    @property
    def resumable(self) -> bool:
        """True if the training can continue unchanged."""
        return self.standing in ("interrupted", "stopped")

    def age(self, now: datetime | None = None) -> float:
        """Return the seconds since the run was last written; 0 if the clock was set back."""
        if self.about is None:
            return 0.0
        return max(((now or datetime.now(UTC)) - self.about.written).total_seconds(), 0.0)


def age_text(seconds: float) -> str:
    """Return an age as "now", "5 min", "3 h" or "12 d"."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return "now"


def list_runs() -> list[Summary]:
    """Return every entry of the store, the latest written first and damaged ones last."""
    folder = store()
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(folder, error) from None
    summaries = [summary for entry in entries if (summary := summarise(entry)) is not None]
    return sorted(summaries, key=latest_first)


def latest_first(run: Summary) -> tuple[bool, float, str]:
    """Return the sort key: the latest written first and damaged entries last."""
    return run.about is None, -run.about.written.timestamp() if run.about else 0.0, run.name


def _unreadable(folder: Path, error: OSError) -> RunError:
    return RunError(
        f"store {shown(str(folder))}: cannot be read ({reason_of(error)}); allowed: a folder, "
        "which DIFFUSION_TUI_HOME moves"
    )


def latest_run() -> Summary | None:
    """Return the run written last, looking only at file times to find it."""
    folder = store()

    def written(entry: Path) -> int:
        try:
            return (entry / "run.json").lstat().st_mtime_ns
        except OSError:
            return -1

    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(folder, error) from None
    latest = max(entries, key=written, default=None)
    return summarise(latest) if latest is not None else None


def summarise(folder: Path) -> Summary | None:
    """Classify a store entry; return None while it is being created or deleted."""
    try:
        mode = folder.lstat().st_mode
        if not stat.S_ISDIR(mode):
            what = "a link" if stat.S_ISLNK(mode) else "not a folder"
            hidden = folder.name.startswith(".")
            return None if hidden else Summary(folder, "foreign", reason=what)
        if unfinished := _UNFINISHED.fullmatch(folder.name):
            if _lives(int(unfinished[1])) or writer_of(folder):
                return None
            return Summary(folder, "half-written", reason="its writing or removal was cut short")
        if not os.path.lexists(folder / "run.json"):
            names = [entry.name for entry in folder.iterdir()]
            ours = any(CHECKPOINT.fullmatch(n) or n == "lock" for n in names)
            reason = "run.json is missing"
            return Summary(folder, "half-written" if ours else "foreign", reason=reason)
        return summary_of_run(folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Summary(folder, "damaged", reason=reason_of(error))


def _lives(process: int) -> bool:
    """Return whether a process exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # a process of another user
    return True


def summary_of_run(folder: Path) -> Summary:
    """Summarise a folder with a run.json."""
    try:
        about = read_about(folder)
        while (fault := _fault(folder, about)) and (later := read_about(folder)) != about:
            about = later  # it was written during the check
    except UNREADABLE as error:
        reason = f"run.json cannot be read ({reason_of(error)})"
        return Summary(folder, "damaged", reason=reason)
    if fault:
        return Summary(folder, "damaged", reason=fault)
    standing: Standing = about.state
    if standing == "training" and writer_of(folder) is None:
        # A run killed between its last step and its end has no steps left.
        standing = "finished" if about.step >= about.steps else "interrupted"
    return Summary(folder, standing, about)


def _fault(folder: Path, about: Manifest) -> str:
    """Return the fault of a run's files, judged by their sizes and the experiment, or ''."""
    checkpoint = folder / about.checkpoint
    try:
        if not stat.S_ISDIR(checkpoint.lstat().st_mode):
            return f"{about.checkpoint} is not a folder"
        with os.scandir(folder) as entries:
            here = {entry.name: entry.inode() for entry in entries}
    except OSError as error:
        return f"{about.checkpoint} cannot be read ({reason_of(error)})"
    for name, size in about.files.items():
        try:
            info = os.lstat(f"{checkpoint}/{name}")
        except OSError as error:
            return f"{shown(name)} cannot be read ({reason_of(error)})"
        if not stat.S_ISREG(info.st_mode):
            return f"{shown(name)} is not a plain file"
        if info.st_size != size:
            return f"{shown(name)} has {info.st_size:,} bytes of {size:,}"
        # A hard link, the usual case, needs no comparison.
        linked = here.get(name, info.st_ino) == info.st_ino
        if not linked and not is_shown(folder, checkpoint / name):
            return f"{shown(name)} is not that of {about.checkpoint}, which counts"
    try:
        read_object(checkpoint / "experiment.json")
        check_unchanged(checkpoint / "experiment.json", about.checksums)  # small, unlike others
    except UNREADABLE as error:
        return f"experiment.json cannot be read ({reason_of(error)})"
    return ""


def is_shown(folder: Path, file: Path, *, contents: bool = False) -> bool:
    """Return whether a run's own folder holds this file of a checkpoint, or none of that name.

    While a new checkpoint's files are copied there, some are from an older one. Files that are not
    hard links are compared by length, or by ``contents``.
    """

    def same(other: Path) -> bool:
        with suppress(OSError):
            info = other.lstat()
            if os.path.samestat(info, here):
                return True
            alike = stat.S_ISREG(here.st_mode) and info.st_size == here.st_size
            return alike and not (contents and not cmp(folder / file.name, other, shallow=False))
        return False

    try:
        here = (folder / file.name).lstat()
    except FileNotFoundError:
        return True
    return same(file) or any(same(c / file.name) for c in checkpoints_in(folder).values())


def at(name: str) -> Path | None:
    """Return the folder of a run by its exact name in the store or its path; None if there is none.

    Raise `RunError` if the name is a link. `naming.find` accepts abbreviations.
    """
    try:
        if _is_plain(name):
            inside = store() / name
            if inside.is_symlink():
                raise RunError(f"run {shown(name)!r} is a link; allowed: the folder of a run")
            if os.path.lexists(inside / "run.json"):
                return inside
        if name and os.path.lexists(Path(name) / "run.json"):
            return Path(name)
    except OSError:
        pass  # a folder that may not be read
    except ValueError as error:
        if isinstance(error, RunError):
            raise
        # a name that no folder can have
    return None


def in_store(folder: Path) -> bool:
    """Return whether a folder is an entry of the store, so that its name identifies it."""
    return folder.absolute().parent == store().absolute()


# --- change ------------------------------------------------------------------------------------


def _is_plain(name: str) -> bool:
    """Return whether a name can only be an entry of a folder, not a path."""
    return bool(name) and name not in (".", "..") and not set(name) & set("/\0")


def checked_run_name(name: str) -> str:
    """Return a name for a run if it is valid; raise `RunError` with what is allowed."""
    name = name.strip()
    # File names have up to 255 bytes, and temporary names are longer than the run's.
    fits = 0 < len(name.encode("utf-8", "surrogatepass")) <= 200
    if not (fits and _is_plain(name) and name.isprintable() and name[0] not in ".-"):
        raise RunError(
            f"name {shown(name)[:60]!r} is not allowed; allowed: up to 200 bytes of printable "
            "characters without '/', and neither '.' nor '-' at the front"
        )
    return name


def _entry(name: str) -> Path:
    """Return the folder of an existing run of the store; raise `RunError`."""
    folder = store() / name
    summary = summarise(folder) if _is_plain(name) else None
    if summary is None:
        raise RunError(f"run {shortened(name, 200)!r} does not exist; allowed: a name in {store()}")
    if summary.standing == "foreign":
        raise RunError(
            f"{shown(name)!r} in the store is no run ({summary.reason}); allowed: a name of one"
        )
    return folder


def rename_run(name: str, new: str) -> Path:
    """Rename a run of the store and return its new folder; raise `RunError`."""
    folder, target = _entry(name), store() / checked_run_name(new)
    lock = Lock.take(folder)
    try:
        if os.path.lexists(target):
            raise RunError(f"name {target.name!r} is taken; allowed: one that is free")
        folder.rename(target)
        flush_folder(store())
    except OSError as error:
        raise RunError(f"run {shown(name)!r}: cannot be renamed ({reason_of(error)})") from None
    finally:
        lock.release()
    return target


def delete_run(name: str) -> None:
    """Remove a run of the store, whole or damaged; raise `RunError`."""
    folder = _entry(name)
    lock = Lock.take(folder)
    doomed = store() / f".{name[:60]}.{os.getpid()}.deleted"
    try:
        shutil.rmtree(doomed, ignore_errors=True)
        folder.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise RunError(f"run {shown(name)!r}: cannot be removed ({reason_of(error)})") from None
    finally:
        lock.release()
