"""Completion of the command line in bash, zsh and fish, written to where each shell looks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from .core.experiment import ConfigError, field_table
from .core.own_presets import all_presets

PROGRAM = "diffusion-tui"
SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_DIFFUSION_TUI_COMPLETE"


def install(cli: click.Command, shell: str) -> tuple[Path, str]:
    """Write the script for a shell (``auto``: the one in use); where, and what is yet to be done.

    Raises `ConfigError` for a shell that is not known, or where nothing can be written.
    """
    name = Path(os.environ.get("SHELL", "")).name if shell == "auto" else shell
    completion = get_completion_class(name) if name in SHELLS else None
    if completion is None:
        raise ConfigError(f"--install-completion {name!r}; allowed: {', '.join(SHELLS)}")
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    file, then = {
        "bash": (data / "bash-completion" / "completions" / PROGRAM, "start another bash"),
        "zsh": (
            home / ".zfunc" / f"_{PROGRAM}",
            "put into .zshrc, before any other compinit: "
            "fpath+=~/.zfunc; autoload -Uz compinit; compinit",
        ),
        "fish": (config / "fish" / "completions" / f"{PROGRAM}.fish", "start another fish"),
    }[name]
    values = completion(cli, {}, PROGRAM, _VARIABLE)
    # Not `source`, which starts bash to ask for its version.
    script = values.source_template % values.source_vars()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(script + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"--install-completion: {file} cannot be written ({error.strerror}); allowed: "
            "a folder that can be written to"
        ) from None
    return file, then


def experiments(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The presets that begin so, one's own too."""
    return [
        CompletionItem(preset.id, help=preset.title)
        for preset in all_presets().values()
        if preset.id.startswith(incomplete)
    ]


def fields(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The fields that begin so, ready for a value; after = the choices there are."""
    path, given, value = incomplete.partition("=")
    spec = field_table().get(path)
    if given and spec is not None:
        choices: Sequence[str] = ("true", "false") if spec.kind == "bool" else spec.choices
        return [CompletionItem(f"{path}={c}") for c in choices if c.startswith(value)]
    return [
        CompletionItem(f"{path}=", help=spec.help)
        for path, spec in field_table().items()
        if path.startswith(incomplete)
    ]
