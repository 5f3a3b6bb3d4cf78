"""Every colour that is sent, brought down to what a terminal has: 256 colours, sixteen, or none.

Textual and rich do so too, but among the 256 a dark grey becomes navy; among the sixteen orange is
red, and text may vanish in its ground; and under ``NO_COLOR`` they send greys.
"""

from __future__ import annotations

from collections.abc import Mapping
from colorsys import rgb_to_hsv
from functools import lru_cache

from rich._palettes import EIGHT_BIT_PALETTE
from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.color import Color
from textual.filter import LineFilter

from ..drawing.palette import contrast
from ..terminal.capabilities import Colours

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


class Many(_Reduced):
    """The nearest of 256 colours."""

    def reduce(self, style: Style) -> Style:
        return _many(style)


class Sixteen(_Reduced):
    """The nearest of sixteen colours, and text never in the colour of its ground."""

    def reduce(self, style: Style) -> Style:
        return _sixteen(style, self.ground)


def reducer(colours: Colours, variables: Mapping[str, str]) -> LineFilter | None:
    """What brings a theme, given its CSS variables, down to these colours, where anything must."""
    kinds = {"256": Many, "16": Sixteen, "none": Colourless}
    if colours not in kinds:
        return None
    return kinds[colours](Color.parse(variables.get("background", "#121212")))


@lru_cache(maxsize=4096)
def _colourless(style: Style, ground: Color) -> Style:
    bare = style.without_color
    if style.bgcolor is None or style.bgcolor.is_default or style.reverse:
        return bare
    stands_out = contrast(_seen(style.bgcolor), ground) >= _STANDS_OUT
    return bare + Style(reverse=True) if stands_out else bare


@lru_cache(maxsize=4096)
def _many(style: Style) -> Style:
    ink, ground = (colour and nearest_of_256(colour) for colour in (style.color, style.bgcolor))
    return style.without_color + Style(color=ink, bgcolor=ground)


@lru_cache(maxsize=4096)
def nearest_of_256(colour: RichColor) -> RichColor:
    """The one of the 256 that looks most like a colour; the first sixteen look as they please."""
    if colour.triplet is None:
        return colour
    red, green, blue = colour.triplet

    def distance(number: int) -> float:
        r, g, b = EIGHT_BIT_PALETTE[number]
        # The eye's own weights, nearly (Riemersma's "redmean").
        mean = (red + r) / 512
        return (2 + mean) * (red - r) ** 2 + 4 * (green - g) ** 2 + (3 - mean) * (blue - b) ** 2

    return _ansi(min(range(16, 256), key=distance))


@lru_cache(maxsize=4096)
def _sixteen(style: Style, screen: Color) -> Style:
    ink, ground = (colour and _nearest(colour) for colour in (style.color, style.bgcolor))
    faint = style.bgcolor is not None and contrast(_seen(style.bgcolor), screen) < _STANDS_OUT
    if faint and style.bgcolor is not None and not style.bgcolor.is_default:
        # Of a dark grey or blue nothing is left to read on; the screen is black, or white.
        ground = _ansi(0 if screen.brightness < 0.5 else 15)
    if ink is not None and ground is not None and not (ink.is_default or ground.is_default):
        under = _seen(ground)
        brighter = _ansi(ink.number + 8) if ink.number is not None and ink.number < 8 else ink
        shades = (ink, brighter, _ansi(7), _ansi(0), _ansi(15))
        ink = next(
            (shade for shade in shades if contrast(_seen(shade), under) >= _LEGIBLE), _ansi(15)
        )
    return style.without_color + Style(color=ink, bgcolor=ground)


_BY_HUE = (1, 3, 2, 6, 4, 5)
"""Red, yellow, green, cyan, blue and magenta, each for a sixth of the circle about it."""
_GREYS = ((0.14, 0), (0.45, 8), (0.8, 7), (1.1, 15))
"""Grey by brightness, up to which."""


def _nearest(colour: RichColor) -> RichColor:
    """By hue, and not by distance, in which orange is red."""
    if colour.triplet is None:
        return colour.downgrade(ColorSystem.STANDARD)
    hue, saturation, value = rgb_to_hsv(*colour.triplet.normalized)
    if saturation * value < 0.2:
        return _ansi(next(number for limit, number in _GREYS if value < limit))
    return _ansi(_BY_HUE[round(hue * 6) % 6] + (8 if value > 0.85 else 0))


def _ansi(number: int) -> RichColor:
    return RichColor.from_ansi(number)


def _seen(colour: RichColor) -> Color:
    """About how a colour looks."""
    return Color(*colour.get_truecolor(DEFAULT_TERMINAL_THEME))
