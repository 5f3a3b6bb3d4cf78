"""Text whose numbers have names: the names of the glossary.

A text with numbers is a tuple of plain parts and numbers; a text without any is a string.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from textwrap import wrap


@dataclass(frozen=True)
class NamedNumber:
    """A number within a text: its name in the glossary, and its value as written."""

    name: str
    value: str


NumberedText = str | tuple[str | NamedNumber, ...]


def pieces(text: NumberedText) -> Iterator[tuple[str, str]]:
    """Yield each part with the name of its number, '' for a plain part."""
    for part in (text,) if isinstance(text, str) else text:
        yield (part, "") if isinstance(part, str) else (part.value, part.name)


def text_of(text: NumberedText) -> str:
    """Return a text with numbers as a string."""
    return "".join(part for part, _ in pieces(text))


def joined(texts: Sequence[NumberedText], gap: str = "") -> NumberedText:
    """Join texts with a gap between them."""
    parts: list[str | NamedNumber] = []
    for k, text in enumerate(texts):
        parts += [gap] if k else []
        parts += [text] if isinstance(text, str) else text
    return tuple(parts)


def wrapped(text: NumberedText, width: int) -> Iterator[NumberedText]:
    """Break a text into lines of at most ``width`` characters."""
    names = [name for part, name in pieces(text) for _ in part]
    whole, end = text_of(text), 0
    for line in wrap(whole, width):
        start = whole.index(line, end)
        end = start + len(line)
        runs = groupby(range(start, end), names.__getitem__)
        parts = ((name, "".join(whole[k] for k in run)) for name, run in runs)
        yield tuple(NamedNumber(name, part) if name else part for name, part in parts)
