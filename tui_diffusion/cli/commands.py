"""The group of commands: every headless one, and the one that opens an interface.

Results go to standard output, with ``--json`` as one JSON object; progress goes to standard error.
Bad input gives one line that names the fault and the allowed values, and exit code 2. Commands
import heavy libraries when they run, so that help and the lab open at once.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from .. import __version__
from ..core.config.catalog import all_presets
from ..core.config.errors import ConfigError
from ..core.faults import check_room_for_torch
from ..core.nearest import did_you_mean, nearest
from ..core.text import shown
from . import completion, streams
from .examples import examples
from .export_command import export_
from .listing_commands import docs, doctor, list_, runs
from .sampling_commands import evaluate, sample
from .signals import Exit, complain
from .speeds import use_kept_speeds
from .sweep_command import sweep, sweeps
from .train_command import train

_WITHOUT_TORCH = ("list", "runs", "sweeps", "docs")
"""Commands that need no working directory. The others import torch, and MKL then aborts."""

_WITH_TORCH = ("train", "sweep", "sample", "evaluate", "export")

_HEADLESS = (list_, train, sweep, docs, doctor, runs, sweeps, sample, evaluate, export_)


class _Commands(click.Group):
    """A group whose first word may be an experiment: ``diffusion-tui ddpm-1d`` opens the lab.

    Its first command is the one that opens an experiment.
    """

    @property
    def opening(self) -> str:
        """The name of the command that opens an experiment."""
        return next(iter(self.commands))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0].partition("=")[0] if args else ""
        own = ("--help", "-h", "--version", "--install-completion")
        # During shell completion, the word at the cursor is not among the arguments yet.
        if first not in (*self.commands, *own) and (args or not ctx.resilient_parsing):
            near = nearest(first, self.commands) if first[:1] != "-" else []
            if near and not ctx.resilient_parsing and first not in all_presets():
                raise ConfigError(
                    f"{shown(first)!r} is neither a command nor an experiment; {did_you_mean(near)}"
                    f"allowed: {', '.join(self.commands)}, or an experiment"
                )
            args = [self.opening, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        light = name in _WITHOUT_TORCH or ctx.resilient_parsing or {"-h", "--help"} & {*rest}
        if not light and streams.is_lost():
            complain("the working folder has been removed; allowed: cd to one that is there")
            sys.exit(Exit.FAILED)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            # Click's parser of options names no command.
            name = ctx.invoked_subcommand
            if error.ctx is None and name is not None:
                error.ctx = click.Context(self.commands[name], ctx, name)
            raise
        except KeyboardInterrupt as error:
            # Click would print an empty line first and forget the number of the signal.
            complain("interrupted")
            sys.exit(128 + getattr(error, "number", signal.SIGINT))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        items = super().shell_complete(ctx, incomplete)
        return [*items, *completion.experiments(ctx, self.params[0], incomplete)]


def _install(ctx: click.Context, _: click.Parameter, shell: str | None) -> None:
    if shell is None or ctx.resilient_parsing:
        return
    file, then = completion.install(ctx.command, shell)
    print(f"{file}: written; {then}")
    ctx.exit()


def make_program(opening: click.Command, *others: click.Command) -> click.Group:
    """Return the group of all commands; ``opening`` is the one that opens an experiment.

    ``others`` open an interface too.
    """

    @click.group(
        cls=_Commands,
        commands=[opening, *_HEADLESS, *others],
        epilog=examples(),
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    @click.version_option(__version__, prog_name="diffusion-tui")
    @click.option(
        "--install-completion",
        metavar="[SHELL]",
        is_flag=False,
        flag_value="auto",
        is_eager=True,
        expose_value=False,
        callback=_install,
        help="Complete commands, experiments and fields in bash, zsh or fish (or the shell in "
        "use).",
    )
    @click.pass_context
    def cli(ctx: click.Context) -> None:
        """A diffusion laboratory in a terminal.

        Without a command, open the lab.
        """
        opens = (opening.name, *(other.name for other in others))
        if ctx.invoked_subcommand in (*opens, *_WITH_TORCH):
            check_room_for_torch()
        if ctx.invoked_subcommand in _WITH_TORCH and (problem := use_kept_speeds()):
            complain(problem)

    return cli
