"""Which characters a terminal can show."""

from __future__ import annotations

import codecs
import locale
from collections.abc import Mapping
from typing import Literal

Glyphs = Literal["braille", "blocks", "ascii"]


def choose_glyphs(environ: Mapping[str, str], *, ascii_only: bool) -> Glyphs:
    """Braille; quadrant blocks on the Linux console, whose font has no braille; or ASCII."""
    if ascii_only or environ.get("TERM") == "dumb":
        return "ascii"
    # Not getpreferredencoding: in the C locale that names Python's own UTF-8 mode.
    encoding = locale.getencoding()
    if codecs.lookup(encoding).name != "utf-8":
        return "ascii"
    return "blocks" if environ.get("TERM") == "linux" else "braille"
