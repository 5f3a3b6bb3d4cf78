"""Editing of TOML text that keeps its comments, its order and all other keys.

This module imports tomlkit, which takes about 30 ms, so import it only to write. Reading needs only
tomllib.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, MutableMapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from .files import UNREADABLE

LARGEST_EDIT = 2**16
"""Maximum number of characters to edit: tomlkit's time can grow with the square of the length."""


def toml_line(name: str, value: Any) -> str:
    """Return ``name = value`` as a line of TOML."""
    return f"{name} = {tomlkit.item(value).as_string()}\n"


def edited(text: str, values: Mapping[tuple[str, ...], Any]) -> str:
    """Return TOML text with the value at each path set, or the key removed if the value is None.

    Raise `ValueError` if the text is not TOML, or if the change would affect anything else.
    """
    expected = tomllib.loads(text)
    # At the top: at the end of the root table, a key would come below the next table's comment.
    top = "".join(
        toml_line(path[0], value)
        for path, value in values.items()
        if len(path) == 1 and path[0] not in expected and value is not None
    )
    _change(expected, values)
    try:
        document = tomlkit.parse(top + text)
        _change(document, values)
        result = document.as_string()
        if tomllib.loads(result) == expected:
            return result
    except (*UNREADABLE, TOMLKitError):
        pass
    raise ValueError("cannot be edited in place")


def _change(tables: MutableMapping[str, Any], values: Mapping[tuple[str, ...], Any]) -> None:
    for (*outer, name), value in values.items():
        table = tables
        for key in outer:
            table = table.setdefault(key, {})
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value
