"""Everything that is sent, in ASCII: for terminals that show nothing else."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import normalize

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_BORDERS = dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+") | dict.fromkeys("─━═╌", "-")
_BORDERS |= dict.fromkeys("│┃║", "|") | dict.fromkeys("▁▂▃▄▅▆▇█▀▔▏▎▍▌▋▊▉▊▐▕", " ")
_WORDS = dict(zip("−–—‑×·•●○◆▸▶←→↑↓‖✓✔✗✕■…’‘“”", "----x.*oo*>><>^v=vvxx#.''\"\"", strict=True))
_GREEK = dict(zip("αβγδεζηθλμνξπρστφψω√∞≤≥≈∈", "abgdezhtlmnxprstfpwV8<>~e", strict=True))
_FOR = _BORDERS | _WORDS | _GREEK


@lru_cache(maxsize=4096)
def to_ascii(text: str) -> str:
    """``text`` in ASCII and in as many cells: the nearest character of each, or '?'."""
    return text if text.isascii() else "".join(map(_nearest, text))


def _nearest(character: str) -> str:
    if character.isascii():
        return character
    base = normalize("NFKD", character)[0]
    found = _FOR.get(character) or (base if base.isascii() else _FOR.get(base, "?"))
    return (found + "?")[: cell_len(character)]


class AsciiFilter(LineFilter):
    """Turns every line of every widget into ASCII, whoever drew it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(to_ascii(text), style, control) if control is None else segment
            for segment in segments
            for text, style, control in (segment,)
        ]
