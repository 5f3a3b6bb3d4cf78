"""The whole program: the command line, with the lab as the command that opens an experiment.

Both front ends are joined here; neither imports the other.
"""

from __future__ import annotations

from collections.abc import Callable

import click

from .cli import completion
from .cli.commands import make_program
from .cli.examples import examples
from .cli.main import run
from .cli.options import (
    given,
    lab_parts_option,
    points_option,
    run_argument,
    settings_option,
)
from .core.config.catalog import get_preset
from .core.config.errors import ConfigError
from .core.config.experiment import Experiment
from .core.text import shown
from .interface.command_line import parse_settings


def _drawing_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of how the lab draws."""
    for option in reversed(
        (
            click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal."),
            click.option(
                "--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only."
            ),
            click.option(
                "--low-bandwidth",
                is_flag=True,
                help="Draw at most twice a second, in 256 colours.",
            ),
            click.option(
                "--theme",
                metavar="T",
                shell_complete=completion.themes,
                help="A theme of the lab, such as textual-light or nord.",
            ),
        )
    ):
        command = option(command)
    return command


@click.command(epilog=examples("lab"))
@click.argument("experiment", required=False, shell_complete=completion.experiments)
@settings_option
@points_option
@lab_parts_option
@_drawing_options
@click.option(
    "--resume",
    metavar="[RUN]",
    is_flag=False,
    flag_value="",
    shell_complete=completion.runs,
    help="Resume a run; without a name, the latest that can be resumed.",
)
def lab(
    experiment: str | None,
    settings: tuple[str, ...],
    points: str | None,
    parts: tuple[str, ...],
    no_mouse: bool,
    ascii_only: bool,
    low_bandwidth: bool,
    theme: str | None,
    resume: str | None,
) -> None:
    """Open the lab with EXPERIMENT, or with the last session's."""
    from .lab.launch import LabOptions, open_lab

    points_set = any(setting.partition("=")[0].strip() == "sampling.points" for setting in settings)

    def make(name: str, usual: str | None) -> Experiment:
        number = points if points is not None or points_set else usual
        changes = parse_settings(settings) | given({"sampling.points": number})
        return get_preset(name).experiment.with_settings(changes)

    resumed = None
    if resume is not None:
        from .core.runs.naming import run_to_resume

        if settings or points:
            raise ConfigError("--resume does not go with --set or --points; allowed: one of them")
        resumed = run_to_resume(resume)
        of = resumed.about.experiment if resumed.about is not None else None
        if experiment not in (None, of):
            raise ConfigError(
                f"experiment: {shown(experiment)!r} is not that of the run; allowed: "
                f"{shown(of)}, or none"
            )
    changed = bool(settings or points)
    options = LabOptions(
        theme, ascii_only, not no_mouse, low_bandwidth, resumed, changed=changed, parts=parts
    )
    open_lab(experiment, make, options)


@click.command(epilog=examples("watch"))
@run_argument
@lab_parts_option
@_drawing_options
def watch(
    run: str,
    parts: tuple[str, ...],
    no_mouse: bool,
    ascii_only: bool,
    low_bandwidth: bool,
    theme: str | None,
) -> None:
    """Open the lab and follow the training of RUN, which another process is at.

    The lab only reads: the losses as they fall, and points from the latest checkpoint. When the
    training has ended, p goes on with it here.
    """
    from .core.runs.naming import whole_run
    from .lab.launch import LabOptions, open_lab

    def make(name: str, usual: str | None) -> Experiment:
        return get_preset(name).experiment.with_settings(given({"sampling.points": usual}))

    watched = whole_run(run)
    options = LabOptions(theme, ascii_only, not no_mouse, low_bandwidth, watch=watched, parts=parts)
    open_lab(None, make, options)


cli = make_program(lab, watch)


def main() -> None:
    """Run the command given by this process's arguments."""
    run(cli)
