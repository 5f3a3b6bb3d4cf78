"""What a field offers beside what the model declares: the columns and groups of a file."""

from __future__ import annotations

from itertools import chain, combinations, islice
from pathlib import Path

from ....core.config.errors import ConfigError
from ....core.text import expanded

OF_A_FILE = ("data.columns", "data.where")
"""Fields whose choices stand in the experiment's file."""
_MOST = 60
"""Choices that a list shows; where there are more, they are typed."""


def named_file(name: str) -> str:
    """The path in ``file:PATH``, or ''."""
    return name.removeprefix("file:") if name.startswith("file:") else ""


def choices_of(path: str, file: str) -> tuple[str, ...]:
    """The choices of a field of `OF_A_FILE`, '' for all there is; none where they are to be typed.

    Only the first rows of the file are looked at, and what they hold is remembered.
    """
    from ....core.config.point_files import file_choices

    try:
        found = file_choices(Path(expanded(file)).absolute())
    except (ConfigError, OSError):
        return ()
    if path == "data.where":
        choices = found.groups
    else:
        # As the columns stand: their names may hold what separates names.
        able = [name for name in found.columns if not {*name} & {*',"'}]
        pairs = (f"{first},{second}" for first, second in combinations(able, 2))
        choices = tuple(islice(chain(pairs, able), _MOST + 1))
    return ("", *choices) if 0 < len(choices) <= _MOST else ()
