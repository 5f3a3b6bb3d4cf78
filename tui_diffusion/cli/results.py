"""Printing a command's report, and the exit code of a sampling that diverged."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import Any, TextIO

from .signals import Exit, complain

_reserved: ContextVar[TextIO | None] = ContextVar("reserved", default=None)


def end_unless_finite(report: dict[str, Any]) -> None:
    """Exit with code 3 if a number of a report is missing."""
    from ..core.analysis.report import unknown

    end_if_diverged(unknown(report))


def end_if_diverged(what: str) -> None:
    """Exit with code 3 if ``what`` names something that is not finite."""
    if what:
        complain(
            f"sampling diverged: {what}; try another sampler, more levels or a lower training.lr"
        )
        sys.exit(Exit.DIVERGED)


def print_result(report: dict[str, Any], as_json: bool) -> None:
    """Print the report of a training or a sampling."""
    if as_json:
        print_json(report)
    else:
        from .tables import print_report

        print_report(report)


def print_json(value: Any) -> None:
    """Print a value as JSON on one line; it must not hold nan or infinity."""
    print(json.dumps(value, allow_nan=False), file=standard_output(), flush=True)


def standard_output() -> TextIO:
    """Return the stream of results, within `only_json` too."""
    return _reserved.get() or sys.stdout


@contextmanager
def only_json() -> Iterator[None]:
    """Keep standard output for `print_json`; what a part or a library prints goes to stderr."""
    token = _reserved.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _reserved.reset(token)
