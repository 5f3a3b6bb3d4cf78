"""Completion of the command line in bash, zsh and fish."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from ..core.config.catalog import all_presets
from ..core.config.errors import ConfigError
from ..core.config.experiment import field_table
from ..core.parts.registries import find_more
from .bash_completion import BashCompletion, read_at_start
from .logs import KINDS

PROGRAM = "diffusion-tui"
SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_DIFFUSION_TUI_COMPLETE"


def install(cli: click.Command, shell: str) -> tuple[Path, str]:
    """Write the completion script for a shell; return its path, and the next step or ''.

    ``auto`` selects the shell in use. Raise `ConfigError` for an unknown shell or a folder that
    cannot be written to.
    """
    name = Path(os.environ.get("SHELL", "")).name if shell == "auto" else shell
    completion = BashCompletion if name == "bash" else get_completion_class(name)
    if name not in SHELLS:
        completion = None
    if completion is None:
        raise ConfigError(f"--install-completion {name!r}; allowed: {', '.join(SHELLS)}")
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    file, then = {
        "bash": (data / "bash-completion" / "completions" / PROGRAM, ""),
        "zsh": (
            home / ".zfunc" / f"_{PROGRAM}",
            "put into .zshrc, before any other compinit: "
            "fpath+=~/.zfunc; autoload -Uz compinit; compinit",
        ),
        "fish": (config / "fish" / "completions" / f"{PROGRAM}.fish", "start another fish"),
    }[name]
    values = completion(cli, {}, PROGRAM, _VARIABLE)
    # `source` would start bash to ask for its version.
    script = values.source_template % values.source_vars()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(script + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"--install-completion: {file} cannot be written ({error.strerror}); allowed: "
            "a folder that can be written to"
        ) from None
    return file, read_at_start(file) if name == "bash" else then


def experiments(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a preset, including user presets."""
    return [
        CompletionItem(preset.id, help=preset.title)
        for preset in all_presets().values()
        if preset.id.startswith(incomplete)
    ]


def fields(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a field and, after "=", its value."""
    path, given, value = incomplete.partition("=")
    find_more()
    spec = field_table().get(path)
    if given and spec is not None:
        if path == "data.name" and value.startswith("file:"):
            return [CompletionItem(value, type="file")]
        choices: Sequence[str] = ("true", "false") if spec.kind == "bool" else spec.choices
        choices = _devices() if path == "device" else choices
        return [CompletionItem(f"{path}={c}") for c in choices if c.startswith(value)]
    return [
        CompletionItem(f"{path}=", help=spec.help)
        for path, spec in field_table().items()
        if path.startswith(incomplete)
    ]


def runs(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a run, or `latest`; without a match, complete a folder."""
    from ..core.runs.naming import LATEST, run_folders

    names = dict.fromkeys(folder.name for folder in run_folders())
    if "/" in incomplete:
        from ..core.sweeps.naming import runs_of_sweeps

        names |= dict.fromkeys(runs_of_sweeps())
    return _names((*names, LATEST), incomplete)


def sweeps(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a sweep, or `latest`; without a match, complete a folder."""
    from ..core.sweeps.naming import LATEST
    from ..core.sweeps.store import sweep_folders

    return _names((*sorted(folder.name for folder in sweep_folders()), LATEST), incomplete)


def exported(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a run or of a sweep."""
    both = [*runs(ctx, param, incomplete), *sweeps(ctx, param, incomplete)]
    named = {item.value: item for item in both if item.type == "plain"}
    return [*named.values()] or [CompletionItem(incomplete, type="dir")]


def _names(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    matches = [n for n in names if n.startswith(incomplete) and n.isprintable()]
    return [CompletionItem(name) for name in matches] or [CompletionItem(incomplete, type="dir")]


def engines(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of an engine of sweeps."""
    from ..core.sweeps.engines import AUTO, ENGINES

    return _begun(incomplete, (AUTO, *ENGINES))


def measures(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a measure of sweeps."""
    from ..core.sweeps.measures import MEASURES

    return _begun(incomplete, MEASURES)


def optima(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the data of which a denoiser is ideal."""
    from ..core.config.data_section import OPTIMA

    return _begun(incomplete, (optimum.replace(" ", "-") for optimum in OPTIMA))


def samplers(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a sampler."""
    find_more()
    return _begun(incomplete, field_table()["sampling.sampler"].choices)


def sampler_list(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the last name of a list of samplers."""
    before, comma, last = incomplete.rpartition(",")
    names = field_table()["sampling.sampler"].choices
    left = [name for name in names if name not in before.split(",")]
    return [CompletionItem(before + comma + item.value) for item in _begun(last, left)]


def devices(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a device, including the GPUs of this machine."""
    return _begun(incomplete, _devices())


def part_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a part file."""
    return [CompletionItem(incomplete, type="file")]


def themes(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a theme of the lab."""
    from ..interface.themes import theme_names

    return _begun(incomplete, theme_names())


def kinds(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a kind of part."""
    from ..core.conformance.kinds import KINDS

    return _begun(incomplete, KINDS)


def parts(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a part of the kind before it; a path after file:."""
    from ..core.conformance.kinds import KINDS, names_of

    kind = ctx.params.get("kind")
    if kind not in KINDS:
        return []
    if incomplete.startswith("file:"):
        return [CompletionItem(incomplete, type="file")]
    return _begun(incomplete, (name.removesuffix("PATH") for name in names_of(kind)))


def logs(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the kind of a log, and after a colon its path."""
    kind, colon, _path = incomplete.partition(":")
    if colon and kind in KINDS:
        return [CompletionItem(incomplete, type="file" if kind == "csv" else "dir")]
    return _begun(incomplete, KINDS)


def topics(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a topic of the reference."""
    from .docs import TOPIC_ROWS

    return _begun(incomplete, TOPIC_ROWS)


def _begun(incomplete: str, words: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def _devices() -> list[str]:
    """List the devices without importing torch, which takes seconds: NVIDIA's GPUs are files."""
    numbers = [file.name.removeprefix("nvidia") for file in Path("/dev").glob("nvidia*")]
    gpus = [f"cuda:{number}" for number in sorted(n for n in numbers if n.isdecimal())]
    return ["auto", "cpu", "cuda", *gpus, "mps"]
