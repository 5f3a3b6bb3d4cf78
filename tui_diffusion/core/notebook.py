"""HTML for notebooks: a small table with a small picture; loads neither torch nor numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from html import escape
from typing import Any

from .short_repr import short_value
from .text import shortened

_LONGEST = 110
"""Most characters of a cell."""


_find: Callable[[str], Any] | None = None


def find_with(find: Callable[[str], Any]) -> None:
    """Let `drawn` find functions by name, which imports what draws only when a page shows it."""
    global _find
    _find = find


def drawn(name: str, *of: Any) -> str:
    """Return the picture that the core's function of this name draws."""
    picture: str = _find(name)(*of) if _find is not None else ""
    return picture


def table(title: str, rows: Mapping[str, Any], draw: Callable[[], str] | None = None) -> str:
    """Return a table of names and values under a title, with a picture at its right.

    A picture that fails, such as one of a file that is gone, is left out.
    """
    picture = ""
    if draw is not None:
        with suppress(Exception):
            picture = draw()
    cells = "".join(
        f'<tr><th style="text-align:left">{_text(name)}</th>'
        f'<td style="text-align:left">{_text(value)}</td></tr>'
        for name, value in rows.items()
    )
    body = f"<table><caption><b>{_text(title)}</b></caption>{cells}</table>"
    return f'<div style="display:flex;gap:1em;align-items:center">{body}{picture}</div>'


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else short_value(value)
    return escape(shortened(text, _LONGEST))
