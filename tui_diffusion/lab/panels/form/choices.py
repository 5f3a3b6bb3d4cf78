"""Choices that a point file adds to the fields of the model: its columns, groups and labels."""

from __future__ import annotations

from itertools import chain, combinations, islice
from pathlib import Path

from ....core.config.errors import ConfigError
from ....core.text import expanded

OF_A_FILE = ("data.columns", "data.where", "data.label")
"""Fields whose choices come from the point file."""
_MOST = 60
"""Maximum number of choices in a list; beyond it, the field is a text field."""


def named_file(name: str) -> str:
    """Return the path in ``file:PATH``, else ''."""
    return name.removeprefix("file:") if name.startswith("file:") else ""


def choices_of(path: str, file: str) -> tuple[str, ...]:
    """Return the choices of a field of `OF_A_FILE`, '' standing for all; empty for a text field.

    Read only the first rows of the file, and cache them.
    """
    from ....core.config.point_files import file_choices

    try:
        table = file_choices(Path(expanded(file)).absolute())
    except (ConfigError, OSError):
        return ()
    if path == "data.where":
        choices = table.groups
    elif path == "data.label":
        choices = table.labels
    else:
        # A name with a comma or a quote would read as two names.
        names = [name for name in table.columns if not {*name} & {*',"'}]
        pairs = (f"{first},{second}" for first, second in combinations(names, 2))
        choices = tuple(islice(chain(pairs, names), _MOST + 1))
    return ("", *choices) if 0 < len(choices) <= _MOST else ()
