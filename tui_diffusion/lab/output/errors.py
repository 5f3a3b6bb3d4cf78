"""Error reports: one line for the user, and a log file with the details of a defect."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from rich.console import Console, RenderableType

from ...core.faults import fault_of
from ...core.text import shown

_KEPT = 5
"""Number of log files to keep."""


def line(error: Exception) -> str:
    """Return the error as one harmless line, with advice for faults of device or memory."""
    fault = fault_of(error)
    return shown(fault or " ".join(str(error).split())) or type(error).__name__


def logs_folder() -> Path:
    """Return the log folder: under ``DIFFUSION_TUI_HOME``, or the user's state directory."""
    home = os.environ.get("DIFFUSION_TUI_HOME")
    if home:
        return Path(home) / "logs"
    import platformdirs

    return Path(platformdirs.user_state_dir("diffusion-tui", appauthor=False)) / "logs"


def print_error(error: Exception | None, details: Iterable[RenderableType]) -> None:
    """Print the line to standard error, and write the details to the log file that it names.

    Logs show memory content, so only the user may read them; only the latest few are kept.
    """
    cause = f"{type(error).__name__}: {error}" if error is not None else "no exception was raised"
    what = shown(" ".join(cause.split())[:200])
    try:
        where = f"details: {_write(details)}"
    except OSError as trouble:
        where = f"details cannot be written: {trouble.strerror}"
    print(f"diffusion-tui: the lab failed ({what}); {where}", file=sys.stderr)


def _write(details: Iterable[RenderableType]) -> Path:
    folder = logs_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.log"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as log:
        console = Console(file=log, width=120)
        for renderable in details:
            console.print(renderable)
    for old in sorted(folder.glob("*.log"))[:-_KEPT]:
        with suppress(OSError):
            old.unlink()
    return file
