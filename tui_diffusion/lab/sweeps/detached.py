"""A sweep that goes on after the lab: the command line resumes it in a session of its own."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from ...core.runs.manifest import RunError
from ...core.sweeps.naming import open_sweep, sweep_label
from ...core.text import shown
from ...interface.command_line import resuming

LOG = "lab.log"
"""File in the sweep's folder with what that process writes."""


def resume_command(folder: Path) -> str:
    """Return the command line that resumes a sweep."""
    return shlex.join(_words(folder))


def _words(folder: Path) -> list[str]:
    try:
        return resuming(open_sweep(folder))
    except RunError:  # it has been removed or damaged meanwhile, which the command will say
        return ["diffusion-tui", "sweep", "--resume", sweep_label(folder)]


def go_on_alone(folder: Path) -> str:
    """Resume a sweep in a process that outlives the lab; return a line that says so.

    Raise `OSError` if the process cannot be started.
    """
    command = [sys.executable, "-m", "tui_diffusion", *_words(folder)[1:]]
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
        )
    return (
        f"the sweep goes on as process {process.pid}: diffusion-tui sweeps "
        f"{shlex.quote(sweep_label(folder))} shows it, kill {process.pid} stops it"
    )


def how_to_resume(folder: Path) -> str:
    """Return a line that says how to resume a stopped sweep."""
    return f"the sweep stopped; it goes on with: {shown(resume_command(folder))}"
