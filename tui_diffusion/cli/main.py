"""Runs a command: every fault becomes one line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from ..core.config.errors import ConfigError
from ..core.faults import fault_of
from ..core.parts.registries import problems
from ..core.runs.manifest import MissingPartError, RunError
from ..core.text import shown
from . import streams
from .signals import Exit, complain
from .usage import wrong_use


def run(program: click.Command) -> None:
    """Run the command that the arguments of this process name."""
    streams.make_fit()
    with _problems_of_packages():
        _run(program)


@contextmanager
def _problems_of_packages() -> Iterator[None]:
    """Say at the end which installed packages have parts that could not be loaded."""
    try:
        yield
    finally:
        for problem in problems:
            complain(problem)


def _run(program: click.Command) -> None:
    try:
        program(prog_name="diffusion-tui", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        complain(wrong_use(error))
        sys.exit(Exit.BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        sys.exit(Exit.INTERRUPTED)
    except (ConfigError, RunError) as error:
        # Any other ValueError is a defect and must show.
        complain(_with_option(error))
        sys.exit(Exit.BAD_INPUT)
    except Exception as error:
        fault = fault_of(error)
        if fault is None and not isinstance(error, OSError):
            raise
        if isinstance(error, OSError):
            # Other files have their own messages, so this is the output: a full disk or a closed
            # pipe.
            sys.stdout = streams.nowhere("w")  # Python writes to it once more when it exits
        if not isinstance(error, BrokenPipeError):
            complain(fault or f"cannot be written out: {shown(error)}")
        sys.exit(Exit.FAILED)


def _with_option(error: ConfigError | RunError) -> str:
    """Return the message, with the setting that it proposes as an option of the command."""
    if isinstance(error, MissingPartError):
        return str(error).replace("allowed: ", "allowed: --parts ")
    setting = error.setting if isinstance(error, RunError) else ""
    return str(error).replace(setting, f"--set {setting}") if setting else str(error)
