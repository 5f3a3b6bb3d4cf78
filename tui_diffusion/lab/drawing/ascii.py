"""Conversion of text to ASCII, or to the characters of a PC console's font."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import normalize

from rich.cells import cell_len

_BORDERS = dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+") | dict.fromkeys("─━═╌", "-")
_BORDERS |= dict.fromkeys("│┃║", "|") | dict.fromkeys("▁▂▃▄▅▆▇█▀▔▏▎▍▌▋▊▉▊▐▕", " ")
_WORDS = dict(zip("−–—‑×·•●○◆▸▶←→⇒↑↓‖✓✔✗✕■…’‘“”±", "----x.*oo*>><>>^v=vvxx#.''\"\"~", strict=True))
_GREEK = dict(zip("αβγδεζηθλμνξπρστφψω√∞≤≥≈∈", "abgdezhtlmnxprstfpwV8<>~e", strict=True))
_FOR = _BORDERS | _WORDS | _GREEK


@lru_cache(maxsize=4096)
def to_ascii(text: str) -> str:
    """Return ``text`` in ASCII and in as many cells: each character's nearest match, or '?'."""
    return text if text.isascii() else "".join(map(_nearest, text))


def _nearest(character: str) -> str:
    if character.isascii():
        return character
    base = normalize("NFKD", character)[0]
    found = _FOR.get(character) or (base if base.isascii() else _FOR.get(base, "?"))
    return (found + "?")[: cell_len(character)]


_CONSOLE = dict(zip("╭╮╰╯▘▝▖▗▚▞▛▜▙▟", "┌┐└┘▀▀▄▄██████", strict=True))
_CONSOLE |= dict(zip("▁▂▃▄▅▆▇▏▎▍▋▊▉▐▕", "  ▄▄▄██  ▌▌██▐ ", strict=True))
_CONSOLE |= dict(zip("●◆▸‖✓✔╌━┃○⇒", "•♦►║√√-─│o→", strict=True))


@lru_cache(maxsize=4096)
def to_console(text: str) -> str:
    """Return ``text`` in as many cells, in the characters of the Linux console's fonts.

    These are the PC's own (code page 437): half blocks, shades and boxes; no quadrants, no braille.
    """
    return text if text.isascii() else "".join(map(_on_console, text))


def _on_console(character: str) -> str:
    if character in _CONSOLE:
        return _CONSOLE[character]
    return character if character in _PC else _nearest(character)


_PC = frozenset(bytes(range(128, 256)).decode("cp437") + "•♦►◄↑↓→←")
