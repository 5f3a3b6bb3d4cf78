"""The reference as text: fields, keys and numbers, from where the program declares them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from textwrap import fill
from typing import Any

Row = Mapping[str, Any]


def fields() -> list[Row]:
    """Every hyperparameter that ``--set`` takes."""
    from ..core.config.experiment import field_table
    from ..core.config.value_types import format_value

    return [
        {
            "field": spec.path,
            "about": spec.help,
            "allowed": spec.allowed,
            "default": format_value(spec.default),
            "only": {path: list(values) for path, values in spec.when.items()},
        }
        for spec in field_table().values()
    ]


def keys() -> list[Row]:
    """Every key of the lab."""
    from ..lab.keymap import ACTIONS, FORM_KEYS

    rows = [*((action.shown, action.help) for action in ACTIONS), *FORM_KEYS]
    return [{"key": key, "about": about} for key, about in rows]


def numbers() -> list[Row]:
    """Every number that the lab and ``evaluate`` write."""
    from ..core.analysis.glossary import GLOSSARY

    return [
        {"number": entry.name, "about": entry.about, "formula": entry.formula, "good": entry.good}
        for entry in GLOSSARY.values()
    ]


TOPICS: Mapping[str, Callable[[], list[Row]]] = {
    "fields": fields,
    "keys": keys,
    "numbers": numbers,
}


def topics() -> list[Row]:
    """What there is to ask for."""
    return [{"topic": name, "about": make.__doc__ or ""} for name, make in TOPICS.items()]


def text(rows: Iterable[Row], width: int) -> str:
    """One entry after another: its name, and below it what there is to know of it."""
    return "\n".join("\n".join(_lines(row, width)) for row in rows)


def _lines(row: Row, width: int) -> list[str]:
    name, about, *_ = row.values()
    only = " and ".join(f"{path} = {' or '.join(v)}" for path, v in row.get("only", {}).items())
    more = {
        "allowed": row.get("allowed"),
        "default": row.get("default"),
        "only while": only,
        "formula": row.get("formula"),
        "good": row.get("good"),
    }
    texts = [about, *(f"{what}: {value}" for what, value in more.items() if value)]
    return [name, *(_indented(entry, width) for entry in texts)]


def _indented(entry: str, width: int) -> str:
    indent = " " * 4
    return fill(
        entry,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
