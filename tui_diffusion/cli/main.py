"""Entry point of the console script."""

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
from .usage import wrong_use


def main() -> None:
    """Run a command and turn every fault into one line and an exit code."""
    streams.make_fit()
    try:
        cli(prog_name="diffusion-tui", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        complain(wrong_use(error))
        sys.exit(Exit.BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        sys.exit(Exit.INTERRUPTED)
    except (ConfigError, RunError) as error:
        # Any other ValueError is a defect and must show.
        complain(str(error))
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
