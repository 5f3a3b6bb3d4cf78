"""The standard streams, made fit to be written to whatever the shell made of them."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TextIO


def make_fit() -> None:
    """Open the standard streams that are closed; print ``?`` for what their encoding lacks.

    Of ``COLUMNS`` and ``LINES`` what is no size is dropped, since rich would print nothing in it.
    Python has None for a stream that was closed (``2>&-``), and the next file opened would get its
    number: what some library then writes to standard error would stand in that file.
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
    """Whether the working folder has been removed, or may not be looked at."""
    try:
        return not Path.cwd().exists()
    except OSError:
        return True


def nowhere(mode: str) -> TextIO:
    """A stream that leads nowhere."""
    return Path(os.devnull).open(mode, encoding="utf-8")  # type: ignore[return-value]
