"""The standard streams, repaired so that the program can write to them."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TextIO


def make_fit() -> None:
    """Open closed standard streams, and print ``?`` for characters outside their encoding.

    An invalid ``COLUMNS`` or ``LINES`` is removed, because rich would print nothing with it. Python
    sets a closed stream (``2>&-``) to None, and the next file opened takes its number: output of a
    library to standard error would then end up in that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, nowhere(mode))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    for variable in ("COLUMNS", "LINES"):
        size = os.environ.get(variable, "1")
        if not size.isdecimal() or int(size) == 0:
            del os.environ[variable]


def is_lost() -> bool:
    """Return whether the working directory has been removed or is not accessible."""
    try:
        return not Path.cwd().exists()
    except OSError:
        return True


def nowhere(mode: str) -> TextIO:
    """Open a stream that discards everything."""
    return Path(os.devnull).open(mode, encoding="utf-8")  # type: ignore[return-value]
