"""The reference as text: tables built from the program's declarations, and the pages of ``docs``.

Tables of fields, keys and numbers are built from their declarations, so they fit any width. The
other topics are the Markdown files that the package ships, with a row for each section.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from textwrap import fill
from typing import Any

from .. import docs

Row = Mapping[str, Any]


def field_rows() -> list[Row]:
    """Return a row for every hyperparameter that ``--set`` accepts.

    It has an effect if all conditions of ``only`` hold, and one of ``any`` if there are some.
    """
    from ..core.config.experiment import field_table
    from ..core.config.value_types import format_value
    from ..core.parts.registries import find_more

    find_more()
    return [
        {
            "field": spec.path,
            "about": spec.help,
            "allowed": spec.allowed,
            "default": format_value(spec.default),
            "only": {path: list(values) for path, values in spec.all_of.items()},
            "any": {path: list(values) for path, values in spec.any_of.items()},
        }
        for spec in field_table().values()
    ]


def key_rows() -> list[Row]:
    """Return a row for every key of the lab."""
    from ..interface.keymap import ACTIONS, FORM_KEYS, LAB_KEYS

    rows = [*((action.shown, action.help) for action in ACTIONS), *LAB_KEYS, *FORM_KEYS]
    return [{"key": key, "about": about} for key, about in rows]


def number_rows() -> list[Row]:
    """Return a row for every number that the lab and ``evaluate`` write."""
    from ..core.analysis.glossary import GLOSSARY

    return [
        {
            "number": entry.name,
            "about": entry.about,
            "formula": entry.formula,
            "unit": entry.unit,
            "good": entry.good,
        }
        for entry in GLOSSARY.values()
    ]


TABLES: Mapping[str, Callable[[], list[Row]]] = {
    "fields": field_rows,
    "keys": key_rows,
    "numbers": number_rows,
}
"""The topics built from declarations, which fit any width; the others are pages."""


def section_rows(topic: str) -> list[Row]:
    """Return a row for every section of a page."""
    return [{"section": heading, "about": body} for heading, body in docs.sections(topic)]


TOPIC_ROWS: Mapping[str, Callable[[], list[Row]]] = {
    topic: TABLES.get(topic, partial(section_rows, topic)) for topic in docs.TOPICS
}
"""The function that returns the rows of each topic."""


def topic_rows() -> list[Row]:
    """Return a row for every topic, with a line about it."""
    return [{"topic": name, "about": about} for name, about in docs.TOPICS.items()]


def printed(topic: str | None, width: int) -> str:
    """Return a table as text of ``width`` columns, or a page unchanged; None lists the topics."""
    if topic is not None and topic not in TABLES:
        return docs.page(topic).rstrip()
    return formatted(topic_rows() if topic is None else TABLES[topic](), width)


def formatted(rows: Iterable[Row], width: int) -> str:
    """Format rows as entries: the name, then its description and details, indented."""
    return "\n".join("\n".join(_lines(row, width)) for row in rows)


def _lines(row: Row, width: int) -> list[str]:
    name, about, *_ = row.values()
    only, either = (
        word.join(f"{path} = {' or '.join(v)}" for path, v in row.get(key, {}).items())
        for key, word in (("only", " and "), ("any", " or "))
    )
    more = {
        "allowed": row.get("allowed"),
        "default": row.get("default"),
        "only while": only or either,
        "formula": row.get("formula"),
        "unit": row.get("unit"),
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
