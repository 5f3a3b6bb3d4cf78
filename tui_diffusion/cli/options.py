"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import wraps
from typing import Any

import click

from ..core.config.data_section import OPTIMA
from ..core.config.errors import ConfigError
from ..core.text import shortened
from . import completion
from .results import only_json

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


run_argument: Decorator = click.argument("run", shell_complete=completion.runs)


settings_option: Decorator = click.option(
    "--set",
    "settings",
    metavar="FIELD=VALUE",
    multiple=True,
    shell_complete=completion.fields,
    help="Set a hyperparameter, such as training.lr=1e-3; `diffusion-tui docs fields` lists them. "
    "Repeatable.",
)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``, which keeps standard output for the one object that the command prints."""

    @wraps(command)
    def run(*args: Any, as_json: bool, **options: Any) -> Any:
        with only_json() if as_json else nullcontext():
            return command(*args, as_json=as_json, **options)

    option = click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
    )
    return option(run)


points_option: Decorator = click.option("--points", metavar="N", help="Points denoised together.")


sampler_option: Decorator = click.option(
    "--sampler",
    metavar="S",
    shell_complete=completion.samplers,
    help="Sampler, instead of the run's.",
)


levels_option: Decorator = click.option(
    "--levels", metavar="N", help="Number of noise levels, instead of the run's."
)


ideal_option: Decorator = click.option(
    "--ideal", is_flag=True, help="Use the exact denoiser instead of the network."
)


def _optimum(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    """Return the name of an optimum, written with ``-`` for a space; raise `ConfigError`."""
    known = {optimum.replace(" ", "-"): optimum for optimum in OPTIMA}
    if name is not None and name not in known:
        raise ConfigError(
            f"--ideal-of: {shortened(name)!r} is not allowed; allowed: {', '.join(known)}"
        )
    return None if name is None else known[name]


ideal_of_option: Decorator = click.option(
    "--ideal-of",
    metavar="OF",
    callback=_optimum,
    shell_complete=completion.optima,
    help="Use the exact denoiser of the population, as --ideal does, or of the training-set, "
    "which copies it.",
)


nfe_option: Decorator = click.option(
    "--nfe",
    metavar="N,...",
    help="Measure the error of samplers against evaluations of the network, such as 4,8,16,32,64.",
)


samplers_option: Decorator = click.option(
    "--samplers",
    metavar="S,...",
    shell_complete=completion.sampler_list,
    help="The samplers for --nfe; without it, all that go with the method.",
)


seed_option: Decorator = click.option(
    "--seed", metavar="N", help="Seed of weights, data and sampling."
)


def _load(ctx: click.Context, _: click.Parameter, files: tuple[str, ...]) -> None:
    if files:
        from ..core.parts.loading import load_parts

        for file in files:
            load_parts(file)


parts_option: Decorator = click.option(
    "--parts",
    metavar="FILE.py",
    multiple=True,
    is_eager=True,
    expose_value=False,
    callback=_load,
    shell_complete=completion.part_files,
    help="Load the parts of a file, see `diffusion-tui docs extending`. Repeatable.",
)


lab_parts_option: Decorator = click.option(
    "--parts",
    metavar="FILE.py",
    multiple=True,
    shell_complete=completion.part_files,
    help="Load the parts of a file, see `diffusion-tui docs extending`. Repeatable.",
)
"""As `parts_option`, for the lab, which opens even if a file cannot be loaded."""


def whole_numbers(option: str, text: str) -> tuple[int, ...]:
    """Return the numbers of a list such as 4,8,16; raise `ConfigError` unless all are from 1."""
    words = [word.strip() for word in text.split(",")]
    wrong = [word for word in words if not (word.isdecimal() and 1 <= len(word) <= 4 and int(word))]
    if wrong:
        raise ConfigError(
            f"{option}: {shortened(wrong[0])!r} is not allowed; allowed: whole numbers from 1 to "
            "9999, with commas between them"
        )
    return tuple(dict.fromkeys(map(int, words)))


def names(text: str) -> tuple[str, ...]:
    """Return the words of a list such as heun,euler."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",")))


def given(options: Mapping[str, str | None]) -> dict[str, str]:
    """Return the options that are given, as fields with their values."""
    return {path: value for path, value in options.items() if value is not None}
