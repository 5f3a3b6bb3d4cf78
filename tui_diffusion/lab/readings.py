"""The numbers on the screen, for the key ``a``.

A number keeps its name where it is written: in the metadata of its style, which never reaches the
terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rich.segment import Segment
from rich.style import Style

from ..core.analysis.glossary import GlossaryEntry, meaning
from ..core.numbered_text import NumberedText, pieces, text_of


@dataclass(frozen=True)
class Reading:
    """A number on the screen: its name and its value.

    ``below``: the exact or ideal value below it, if any. ``about``: an entry in place of the
    glossary's. ``cause``: why the number is off, if that is known.
    """

    name: str
    value: str
    below: str = ""
    about: GlossaryEntry | None = None
    cause: str = ""

    @property
    def entry(self) -> GlossaryEntry:
        """The explanation of the number; raise KeyError if it has none."""
        return self.about or meaning(self.name)


Section = tuple[str, tuple[Reading, ...]]
"""A heading, usually the title of a panel, and the readings below it."""


def named(style: Style, text: NumberedText) -> Style:
    """Return the style of a text with the names of its numbers.

    The text remains one run, so that names change nothing in what is sent or exported.
    """
    spans, end = [], 0
    for part, name in pieces(text):
        end += len(part)
        if name:
            spans.append((name, end - len(part), end))
    return _with_spans(style, tuple(spans)) if spans else style


@lru_cache(maxsize=256)
def _with_spans(style: Style, spans: tuple[tuple[str, int, int], ...]) -> Style:
    return style + Style(meta={"numbers": spans})


@lru_cache(maxsize=64)
def below(style: Style, word: str) -> Style:
    """Return the style of the value below a number; ``word`` says what it is, such as "exact"."""
    return style + Style(meta={"below": word})


def run_of(text: NumberedText, style: Style) -> tuple[str, Style]:
    """Return a text as one run, with the names of its numbers."""
    return text_of(text), named(style, text)


def readings_in(text: NumberedText) -> Iterator[Reading]:
    """Yield the numbers of a text from left to right."""
    return (Reading(name, part) for part, name in pieces(text) if name)


def readings_on(line: Iterable[Segment], under: Iterable[Segment] = ()) -> Iterator[Reading]:
    """Yield the numbers of a line from left to right; ``under``: the line with exact values."""
    exact = {
        x: f"{meta['below']} {text.strip()}" for x, text, meta in _marked(under) if "below" in meta
    }
    for x, text, meta in _marked(line):
        for name, start, end in meta.get("numbers", ()):
            if value := text[start:end].strip():
                yield Reading(name, value, exact.get(x + start, ""))


def _marked(line: Iterable[Segment]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield column, text and metadata of each segment that has metadata."""
    x = 0
    for segment in line:
        if segment.style is not None and segment.style.meta:
            yield x, segment.text, segment.style.meta
        x += segment.cell_length


def once(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """Return each number once, at its last position but with its first value."""
    return tuple({reading.name: reading for reading in reversed([*readings])}.values())[::-1]
