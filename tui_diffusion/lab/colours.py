"""Every colour that is sent, brought down to what a terminal has: sixteen colours, or none.

Textual and rich come down to 256 colours by themselves. To sixteen they take the nearest of each,
and text may vanish in its ground; and under ``NO_COLOR`` Textual sends greys.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.color import Color
from textual.filter import LineFilter

from .palette import contrast
from .terminal import Colours

_STANDS_OUT = 1.6
"""Contrast with the screen from which a ground means something, as under a cursor."""
_LEGIBLE = 2.5
"""Least contrast of ink and ground where colours are sixteen."""


class _Reduced(LineFilter):
    """Changes styles and leaves the text."""

    def __init__(self, ground: Color) -> None:
        """``ground`` is the screen's background."""
        super().__init__()
        self.ground = ground

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, style and self.reduce(style), control)
            for text, style, control in segments
        ]

    def reduce(self, style: Style) -> Style:
        """The style that stands for this one."""
        raise NotImplementedError


class Colourless(_Reduced):
    """No colour at all: a ground that stands out becomes reverse video."""

    def reduce(self, style: Style) -> Style:
        return _colourless(style, self.ground)


class Sixteen(_Reduced):
    """The nearest of sixteen colours, and text never in the colour of its ground."""

    def reduce(self, style: Style) -> Style:
        return _sixteen(style)


def reducer(colours: Colours, variables: Mapping[str, str]) -> LineFilter | None:
    """What brings a theme, given its CSS variables, down to these colours, where anything must."""
    if colours not in ("16", "none"):
        return None
    ground = Color.parse(variables.get("background", "#121212"))
    return Sixteen(ground) if colours == "16" else Colourless(ground)


@lru_cache(maxsize=4096)
def _colourless(style: Style, ground: Color) -> Style:
    bare = style.without_color
    if style.bgcolor is None or style.bgcolor.is_default or style.reverse:
        return bare
    stands_out = contrast(_seen(style.bgcolor), ground) >= _STANDS_OUT
    return bare + Style(reverse=True) if stands_out else bare


@lru_cache(maxsize=4096)
def _sixteen(style: Style) -> Style:
    ink, ground = (colour and _nearest(colour) for colour in (style.color, style.bgcolor))
    if ink is not None and ground is not None and not (ink.is_default or ground.is_default):
        under = _seen(ground)
        brighter = _ansi(ink.number + 8) if ink.number is not None and ink.number < 8 else ink
        shades = (ink, brighter, _ansi(7), _ansi(0), _ansi(15))
        ink = next(
            (shade for shade in shades if contrast(_seen(shade), under) >= _LEGIBLE), _ansi(15)
        )
    return style.without_color + Style(color=ink, bgcolor=ground)


def _nearest(colour: RichColor) -> RichColor:
    return colour.downgrade(ColorSystem.STANDARD)


def _ansi(number: int) -> RichColor:
    return RichColor.from_ansi(number)


def _seen(colour: RichColor) -> Color:
    """About how a colour looks."""
    return Color(*colour.get_truecolor(DEFAULT_TERMINAL_THEME))
