"""The character sets of pictures, from fine to coarse."""

from __future__ import annotations

from typing import Literal, get_args

Glyphs = Literal["braille", "blocks", "ascii"]
GLYPHS: tuple[Glyphs, ...] = get_args(Glyphs)
