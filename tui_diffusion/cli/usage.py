"""The one-line message for a misused command."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ..core.nearest import did_you_mean
from ..core.text import shortened


def wrong_use(error: click.ClickException) -> str:
    """Return click's message, followed by the command with all its arguments and options."""
    ctx = getattr(error, "ctx", None)
    if ctx is None:
        return error.format_message()
    message, hint = error.format_message(), ""
    if isinstance(error, click.NoSuchOption):
        message, hint = error.message, did_you_mean(error.possibilities or ())
    message = shortened(message[:1].lower() + message[1:].rstrip("."), 100)
    return f"{message}; {hint}allowed: {' '.join([ctx.command_path, *_taken(ctx)])}"


def _taken(ctx: click.Context) -> Iterator[str]:
    """Yield the arguments and the options of a command: ``RUN [--points N] [--json]``."""
    for param in sorted(ctx.command.params, key=lambda param: param.param_type_name):
        if not isinstance(param, click.Option):
            yield param.make_metavar(ctx)
            continue
        words = param.opts[-1:] if param.is_flag else [param.opts[-1], param.make_metavar(ctx)]
        yield f"[{' '.join(words)}]{'...' if param.multiple else ''}"
