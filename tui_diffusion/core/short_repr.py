"""One-line reprs that identify an object in a notebook or a traceback; loads no torch."""

from __future__ import annotations

from typing import Any

from .text import shortened

WIDTH = 120
"""Largest number of characters of a repr."""

_ENTRIES = 4
"""Entries of a list that are shown."""


def short_repr(of: object, *names: str, **values: Any) -> str:
    """Return ``Class(name=value, …)`` with these attributes, then these values, in one line."""
    shown = {**{name: getattr(of, name) for name in names}, **values}
    fields = ", ".join(f"{name}={short_value(value)}" for name, value in shown.items())
    return shortened(f"{type(of).__name__}({fields})", WIDTH)


def short_value(value: Any) -> str:
    """Return a value with four digits, a list with four entries, and an array as its shape."""
    if hasattr(value, "shape"):
        return f"<{'×'.join(map(str, value.shape)) or 'scalar'} {value.dtype}>"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        entries = ", ".join(map(short_value, value[:_ENTRIES]))
        return f"[{entries}]" if len(value) <= _ENTRIES else f"[{entries}, … {len(value)}]"
    return shortened(repr(value), 60) if isinstance(value, str) else str(value)
