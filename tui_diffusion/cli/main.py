"""Entry point: run a command and turn every fault into one line and an exit code."""

from __future__ import annotations

import sys

import click

from ..core.config.errors import ConfigError
from ..core.faults import fault_of
from ..core.runs.manifest import RunError
from ..core.text import shown
from . import streams
from .commands import cli
from .signals import Exit, complain


def main() -> None:
    """Entry point: run a command and turn every fault into one line and an exit code."""
    streams.make_fit()
    try:
        cli(prog_name="diffusion-tui", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        complain(error.format_message())
        sys.exit(Exit.BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        sys.exit(Exit.INTERRUPTED)
    except (ConfigError, RunError) as error:
        # Any other ValueError is a defect and shows.
        complain(str(error))
        sys.exit(Exit.BAD_INPUT)
    except Exception as error:
        fault = fault_of(error)
        if fault is None and not isinstance(error, OSError):
            raise
        if isinstance(error, OSError):
            # Every file has words of its own; what is left is the output, to a full disk or nobody.
            sys.stdout = streams.nowhere("w")  # to which Python writes once more, at its end
        if not isinstance(error, BrokenPipeError):
            complain(fault or f"cannot be written out: {shown(error)}")
        sys.exit(Exit.FAILED)
