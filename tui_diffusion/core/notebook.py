"""HTML for notebooks: a small table with a small picture; loads neither torch nor numpy."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from .short_repr import short_value
from .text import shortened

_LONGEST = 110
"""Most characters of a cell."""


def table(title: str, rows: Mapping[str, Any], picture: str = "") -> str:
    """Return a table of names and values under a title, with a picture at its right."""
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
