"""Reduction of all colours to those of the terminal: 256, sixteen, or none.

Textual and rich also do this, but among 256 colours they turn dark grey into navy, among sixteen
they turn orange into red and may make text invisible, and under ``NO_COLOR`` they send greys.
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

from ...interface.capabilities import Colours
from ..drawing.palette import contrast

_STANDS_OUT = 1.6
"""Contrast with the screen from which a background is significant, as under a cursor."""
_LEGIBLE = 2.5
"""Minimum contrast of ink and background with sixteen colours."""


class _Reduced(LineFilter):
    """A filter that changes styles and keeps the text."""

    def __init__(self, ground: Color) -> None:
        """Create the filter; ``ground`` is the screen's background."""
        super().__init__()
        self.ground = ground

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, style and self.reduce(style), control)
            for text, style, control in segments
        ]

    def reduce(self, style: Style) -> Style:
        """Return the replacement of a style."""
        raise NotImplementedError


class NoColour(_Reduced):
    """A filter that removes colours; a significant background becomes reverse video."""

    def reduce(self, style: Style) -> Style:
        return _colourless(style, self.ground)


class PaletteFilter(_Reduced):
    """A filter to the nearest of 256 colours."""

    def reduce(self, style: Style) -> Style:
        return _many(style)


class SixteenColours(_Reduced):
    """A filter to the nearest of sixteen colours that keeps text distinct from its background."""

    def reduce(self, style: Style) -> Style:
        return _sixteen(style, self.ground)


def reducer(colours: Colours, variables: Mapping[str, str]) -> LineFilter | None:
    """Return the filter from a theme, given its CSS variables, to these colours, or None."""
    kinds = {"256": PaletteFilter, "16": SixteenColours, "none": NoColour}
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
    """Return the nearest of the 256 colours, without the first sixteen, which users redefine."""
    if colour.triplet is None:
        return colour
    red, green, blue = colour.triplet

    def distance(number: int) -> float:
        r, g, b = EIGHT_BIT_PALETTE[number]
        # Weights that approximate human perception (Riemersma's "redmean").
        mean = (red + r) / 512
        return (2 + mean) * (red - r) ** 2 + 4 * (green - g) ** 2 + (3 - mean) * (blue - b) ** 2

    return _ansi(min(range(16, 256), key=distance))


@lru_cache(maxsize=4096)
def _sixteen(style: Style, screen: Color) -> Style:
    ink, ground = (colour and _nearest(colour) for colour in (style.color, style.bgcolor))
    faint = style.bgcolor is not None and contrast(_seen(style.bgcolor), screen) < _STANDS_OUT
    if faint and style.bgcolor is not None and not style.bgcolor.is_default:
        # A dark grey or blue would be illegible, so the background becomes black or white.
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
"""Red, yellow, green, cyan, blue and magenta, each for a sixth of the hue circle."""
_GREYS = ((0.14, 0), (0.45, 8), (0.8, 7), (1.1, 15))
"""Greys with their upper limits of brightness."""


def _nearest(colour: RichColor) -> RichColor:
    """Return the nearest colour by hue; by distance, orange would be red."""
    if colour.triplet is None:
        return colour.downgrade(ColorSystem.STANDARD)
    hue, saturation, value = rgb_to_hsv(*colour.triplet.normalized)
    if saturation * value < 0.2:
        return _ansi(next(number for limit, number in _GREYS if value < limit))
    return _ansi(_BY_HUE[round(hue * 6) % 6] + (8 if value > 0.85 else 0))


def _ansi(number: int) -> RichColor:
    return RichColor.from_ansi(number)


def _seen(colour: RichColor) -> Color:
    """Return the approximate look of a colour."""
    return Color(*colour.get_truecolor(DEFAULT_TERMINAL_THEME))
