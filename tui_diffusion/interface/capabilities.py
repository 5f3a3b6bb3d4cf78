"""The capabilities of a terminal, derived from its environment: colours, and characters.

There are two scales: truecolour → 256 → 16 → none, and braille → half blocks → ASCII. A capability
is used only if it is certain: an unsupported one prints garbage, while an unused one merely gives a
coarser picture.
"""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from .glyphs import GLYPHS, Glyphs

Colours = Literal["truecolour", "256", "16", "none"]

TEXTUAL_NAMES: dict[Colours, str] = {
    "truecolour": "truecolor", "256": "256", "16": "standard", "none": "standard",
}  # fmt: skip
"""Values of Textual's TEXTUAL_COLOR_SYSTEM; without colours, a filter removes them all."""

_BARE = ("dumb", "unknown", "vt52", "vt100", "vt102", "vt220", "vt320")
"""Terminals without colours and without characters beyond ASCII."""
CURSORLESS = ("dumb", "unknown")
"""Terminals that cannot move the cursor."""
_TRUE = (
    "xterm-kitty", "kitty", "alacritty", "foot", "wezterm", "ghostty", "xterm-ghostty", "contour",
    "rio", "iterm", "iterm2", "mintty", "konsole", "st-direct", "vscode",
)  # fmt: skip
"""Terminals with truecolour, by TERM, also with a suffix such as -256color or -extra."""
_TRUE_PROGRAMS = ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "mintty", "rio",
                  "WarpTerminal", "Tabby")  # fmt: skip
"""Terminals with truecolour, by TERM_PROGRAM."""
_MANY = ("screen", "tmux", "rxvt-unicode", "putty", "gnome", "vte", "st", "mlterm", "konsole")
"""Terminals with 256 colours, whatever their terminfo entry says."""


@dataclass(frozen=True)
class Terminal:
    """The capabilities to use, and the reasons; ``multiplexer`` is tmux, screen or ''."""

    term: str
    colours: Colours
    colours_why: str
    glyphs: Glyphs
    glyphs_why: str
    multiplexer: str
    remote: bool


def detect(
    environ: Mapping[str, str],
    encoding: str,
    *,
    ascii_only: bool = False,
    glyphs: str = "auto",
    low_bandwidth: bool = False,
) -> Terminal:
    """Return the capabilities of the terminal of ``environ``; ``encoding`` is the locale's.

    ``glyphs`` is the user's choice. It takes precedence, unless the locale's encoding lacks its
    characters.
    """
    term = environ.get("TERM", "")
    multiplexer = _multiplexer(environ)
    colours, colours_why = _colours(environ, term, multiplexer)
    if low_bandwidth and colours == "truecolour":
        colours, colours_why = "256", "low bandwidth: their codes are half as long"
    glyph_set, glyphs_why = _glyphs(environ, encoding, term, "ascii" if ascii_only else glyphs)
    remote = bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
    return Terminal(term, colours, colours_why, glyph_set, glyphs_why, multiplexer, remote)


def _multiplexer(environ: Mapping[str, str]) -> str:
    term = environ.get("TERM", "")
    if environ.get("TMUX") or term.startswith("tmux") or environ.get("TERM_PROGRAM") == "tmux":
        return "tmux"
    return "screen" if environ.get("STY") or term.startswith("screen") else ""


def _is(term: str, names: tuple[str, ...]) -> bool:
    return any(term == name or term.startswith(f"{name}-") for name in names)


def _colours(environ: Mapping[str, str], term: str, multiplexer: str) -> tuple[Colours, str]:
    if environ.get("NO_COLOR"):
        return "none", "NO_COLOR is set"
    if _is(term, _BARE):
        return "none", f"TERM={term} has no colour"
    request = environ.get("TEXTUAL_COLOR_SYSTEM", "auto").lower()
    for colours, name in TEXTUAL_NAMES.items():
        if request == name:
            return colours, f"TEXTUAL_COLOR_SYSTEM={request}"
    if term == "linux":
        return "16", "the Linux console has 16"
    if environ.get("STY") and not environ.get("TMUX"):
        return "256", "GNU screen passes on no more"
    true = environ.get("COLORTERM", "").strip().lower()
    if true in ("truecolor", "24bit"):
        return "truecolour", f"COLORTERM={true}"
    if term.endswith("-direct") or _is(term, _TRUE):
        return "truecolour", f"TERM={term} is known to"
    program = environ.get("TERM_PROGRAM", "")
    if not multiplexer and program in _TRUE_PROGRAMS:
        return "truecolour", f"TERM_PROGRAM={program} is known to"
    if not multiplexer and environ.get("WT_SESSION"):
        return "truecolour", "Windows Terminal"
    if "256color" in term:
        return "256", f"TERM={term}"
    if _is(term, _MANY):
        return "256", f"TERM={term} is known to, whatever its terminfo says"
    return "16", f"TERM={term} promises no more" if term else "TERM is not set"


def _glyphs(
    environ: Mapping[str, str], encoding: str, term: str, wanted: str
) -> tuple[Glyphs, str]:
    if wanted == "ascii":
        return "ascii", "as asked"
    if not _is_utf8(encoding):
        return "ascii", f"the locale's encoding is {encoding}"
    if _locale_is_c(environ):
        return "ascii", "the locale is C"
    if wanted in GLYPHS:
        return next(glyphs for glyphs in GLYPHS if glyphs == wanted), "as asked"
    if _is(term, _BARE):
        return "ascii", f"TERM={term}"
    if term == "linux":
        return "blocks", "the Linux console's font has no braille"
    return "braille", f"the locale's encoding is {encoding}"


def _locale_is_c(environ: Mapping[str, str]) -> bool:
    """Return whether the user explicitly chose the locale C.

    Python then sets LC_CTYPE to C.UTF-8 (PEP 538), which says nothing about the terminal. If no
    locale is set at all, as in most containers, UTF-8 is the better guess.
    """
    ctype = environ.get("LC_CTYPE", "")
    own = "" if ctype in ("C.UTF-8", "C.utf8", "UTF-8") else ctype
    named = environ.get("LC_ALL") or own or environ.get("LANG", "")
    return named in ("C", "POSIX")


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def forget_size(environ: MutableMapping[str, str]) -> None:
    """Remove ``COLUMNS`` and ``LINES`` if the window itself has a size, which may change."""
    with suppress(OSError):
        if all(os.get_terminal_size(sys.stdout.fileno())):
            for name in ("COLUMNS", "LINES"):
                environ.pop(name, None)
