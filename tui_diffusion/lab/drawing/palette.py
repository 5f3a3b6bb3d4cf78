"""The colours of a picture: what a series means, not how it looks, is named by its drawer.

A drawing names roles ("truth", "network", "floor" …); a `Palette` says which style each role has
under the theme in use. The default hues are those of Okabe and Ito, which stay apart for every
common kind of colour blindness; `from_theme` takes the theme's own hues where they stay apart too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color, ColorParseError

from ..terminal.capabilities import Colours

LEVELS = 6
"""Shades of a density, the empty one not counted."""

_SKY, _ORANGE, _GREEN = Color.parse("#56B4E9"), Color.parse("#E69F00"), Color.parse("#009E73")
_VERMILLION, _PURPLE = Color.parse("#D55E00"), Color.parse("#CC79A7")

_HUES = (
    ("truth", ("primary", "secondary"), _SKY),
    ("network", ("warning", "accent"), _ORANGE),
    ("ideal", ("success",), _GREEN),
    ("alert", ("error",), _VERMILLION),
    ("second", ("accent", "secondary"), _PURPLE),
)
"""Role, the theme's names to try for it, and the hue that stands where none of them serves."""

_SAME_AS = {
    "exact": "truth",
    "samples": "network",
    "smooth": "network",
    "floor": "ideal",
    "goal": "ideal",
    "mark": "alert",
}
"""Roles that share a hue on purpose: the same thing is the same colour in every picture."""

_DARK_16 = {
    "truth": 14, "network": 11, "ideal": 10, "alert": 9, "second": 13, "axis": 7, "text": 15,
    "grid": 8, "bars": 3, "raw": 8, "path": 8, "ideal path": 8, "start": 7,
}  # fmt: skip
_LIGHT_16 = {
    "truth": 4, "network": 1, "ideal": 2, "alert": 5, "second": 6, "axis": 0, "text": 0,
    "grid": 7, "bars": 7, "raw": 8, "path": 8, "ideal path": 8, "start": 8,
}  # fmt: skip
"""The number of each role's colour among a terminal's own sixteen, whose looks it chooses."""

_ROLES = (*_DARK_16, *_SAME_AS)

_NONE = {
    "truth": "bold", "mark": "bold", "alert": "bold", "axis": "dim", "grid": "dim", "bars": "dim",
    "raw": "dim", "path": "dim", "ideal path": "dim",
}  # fmt: skip
"""Without any colour the series differ in weight here, and in marker where they are drawn."""

_CONTRAST = 4.5  # WCAG's least contrast of a text, as thin as dots are
_APART = 90.0  # least distance of two series' colours, in red, green and blue of 0..255


@dataclass(frozen=True, eq=False)
class Palette:
    """The style of every role, and the shades of a density from faintest to strongest.

    Without shades (`ramp` is empty) a density is drawn in characters that fill a cell more and
    more; `colourless` says that series are told apart by their markers alone. Palettes are told
    apart by identity, so that pictures can be kept for one.
    """

    styles: Mapping[str, Style]
    ramp: tuple[RichColor, ...]
    colourless: bool = False

    def style(self, role: str) -> Style:
        """The style of `role`; an unknown role looks like the axes."""
        return self.styles.get(role, self.styles.get("axis", Style.null()))

    @classmethod
    def default(cls, *, dark: bool = True) -> Palette:
        """Okabe and Ito's hues on a dark or a light ground."""
        return cls.from_theme({"background": "#121212" if dark else "#F5F5F5"})

    @classmethod
    def from_theme(cls, variables: Mapping[str, str], colours: Colours = "truecolour") -> Palette:
        """The palette of a theme, given its CSS variables (`App.theme_variables`).

        Every series and every text stands out from the background by a contrast of at least 4.5,
        and a series from the other series: a theme's hue too near to one already taken gives way
        to the default one. A theme whose variable ``plot-contrast`` asks for more has nothing
        fainter than that.
        """
        ground = _parsed(variables, "surface") or _parsed(variables, "background")
        ground = ground or Color.parse("#121212")
        if colours == "none":
            return cls({role: Style.parse(_NONE.get(role, "")) for role in _ROLES}, (), True)
        if colours == "16":
            numbers = _DARK_16 if ground.brightness < 0.5 else _LIGHT_16
            numbers = numbers | {role: numbers[hue] for role, hue in _SAME_AS.items()}
            return cls(
                {role: Style(color=RichColor.from_ansi(n)) for role, n in numbers.items()}, ()
            )
        least = max(_CONTRAST, float(variables.get("plot-contrast", _CONTRAST)))
        # Text stands on the bars above and below the panels as well.
        others = (_parsed(variables, name) for name in ("background", "surface", "panel"))
        grounds = (ground, *(other for other in others if other is not None))
        ink = _parsed(variables, "foreground") or ground.get_contrast_text(1.0)
        hues: dict[str, Color] = {}
        for role, names, default in _HUES:
            found = [_parsed(variables, name) for name in names]
            readable = [
                _readable(hue, (ground,), least) for hue in (*found, default) if hue is not None
            ]
            hues[role] = next(
                (hue for hue in readable if all(_distance(hue, h) > _APART for h in hues.values())),
                readable[-1],
            )
        hues = {role: _thrifty(hue, ground, least) for role, hue in hues.items()}
        hues |= {role: hues[hue] for role, hue in _SAME_AS.items()}
        hues |= {
            "axis": ground.blend(ink, 0.55),
            "text": ground.blend(ink, 0.85),
            "grid": ground.blend(ink, 0.25),
            # A bar is a large area, so it is muted: the curve over it must stand out from it.
            "bars": ground.blend(hues["network"], 0.38),
            "raw": ground.blend(hues["network"], 0.45),
            "path": ground.blend(hues["network"], 0.6),
            "ideal path": ground.blend(hues["ideal"], 0.6),
            "start": ground.blend(ink, 0.7),
        }
        hues |= {
            role: _readable(hues[role], grounds, least)
            for role in (hues if least > _CONTRAST else ("axis", "text", "start"))
        }
        styles = {role: Style(color=hue.rich_color) for role, hue in hues.items()}
        shades = [ground.blend(hues["truth"], (k + 1) / (LEVELS - 1)) for k in range(LEVELS - 1)]
        shades.append(hues["truth"].blend(ink, 0.6))
        return cls(styles, tuple(shade.rich_color for shade in shades))


def _parsed(variables: Mapping[str, str], name: str) -> Color | None:
    try:
        colour = Color.parse(variables[name])
    except (KeyError, ColorParseError):
        return None
    # A theme may name one of the terminal's own sixteen colours, whose looks nobody knows.
    return None if colour.ansi is not None or colour.a < 1 else colour


CUBE = (0, 95, 135, 175, 215, 255)
"""The steps of red, green and blue in a terminal's 256 colours."""


def _thrifty(hue: Color, ground: Color, least: float) -> Color:
    """The nearest of a terminal's 256 colours, which takes half the bytes to name.

    Where that is too faint the hue stays as it is.
    """
    red, green, blue = (min((abs(step - part), step) for step in CUBE)[1] for part in hue.rgb)
    near = Color(red, green, blue)
    return near if contrast(near, ground) >= least else hue


def _distance(one: Color, other: Color) -> float:
    return math.dist(one.rgb, other.rgb)


def _luminance(colour: Color) -> float:
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    """WCAG contrast of two colours, 1 (the same) to 21 (black on white)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _stands_out(hue: Color, grounds: Sequence[Color], least: float) -> bool:
    return all(contrast(hue, ground) >= least for ground in grounds)


def _readable(hue: Color, grounds: Sequence[Color], least: float) -> Color:
    """`hue`, moved towards black or white until it can be read on each of the grounds."""
    end = grounds[0].get_contrast_text(1.0)
    shades = (hue.blend(end, step / 10) for step in range(11))
    return next((shade for shade in shades if _stands_out(shade, grounds, least)), end)
