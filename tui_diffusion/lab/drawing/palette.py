"""The colours of pictures by role: drawing code names the meaning of a series, not its look.

Drawing code names roles ("truth", "network", "floor" …), and a `Palette` holds the style of each
role in the current theme. The default hues are those of Okabe and Ito, which are distinct for all
common kinds of colour blindness. `from_theme` uses the theme's own hues if they are distinct.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color, ColorParseError

from ...interface.capabilities import Colours

SHADES = 6
"""Number of shades of a density, without the empty one."""

_SKY, _ORANGE, _GREEN = Color.parse("#56B4E9"), Color.parse("#E69F00"), Color.parse("#009E73")
_VERMILLION, _PURPLE = Color.parse("#D55E00"), Color.parse("#CC79A7")

_HUES = (
    ("truth", ("primary", "secondary"), _SKY),
    ("network", ("warning", "accent"), _ORANGE),
    ("ideal", ("success",), _GREEN),
    ("alert", ("error",), _VERMILLION),
    ("second", ("accent", "secondary"), _PURPLE),
)
"""Role, variables of the theme to try, and the default hue."""

_SAME_AS = {
    "exact": "truth",
    "samples": "network",
    "smooth": "network",
    "floor": "ideal",
    "goal": "ideal",
    "mark": "alert",
}
"""Roles that share a hue on purpose, because they show the same quantity."""

_DARK_CLASSES = ("#E69F00", "#AF87FF", "#00AF87", "#FFFF87", "#FF875F", "#D7D7D7")
_LIGHT_CLASSES = ("#AF5F00", "#8700D7", "#00875F", "#000000", "#D7005F", "#5F0000")
"""Hues of the classes on a dark and a light ground, told apart by most people with colour
blindness, and none near the truth's. They are not the theme's: these are too few."""

_DARK_16 = {
    "truth": 14, "network": 11, "ideal": 10, "alert": 9, "second": 13, "axis": 7, "text": 15,
    "grid": 8, "bars": 3, "raw": 8, "path": 8, "ideal path": 8, "start": 7,
    "class 0": 11, "class 1": 13, "class 2": 10, "class 3": 15, "class 4": 9, "class 5": 5,
}  # fmt: skip
_LIGHT_16 = {
    "truth": 4, "network": 1, "ideal": 2, "alert": 5, "second": 6, "axis": 0, "text": 0,
    "grid": 7, "bars": 7, "raw": 8, "path": 8, "ideal path": 8, "start": 8,
    "class 0": 3, "class 1": 5, "class 2": 2, "class 3": 0, "class 4": 1, "class 5": 6,
}  # fmt: skip
"""The number of each role's colour among the terminal's sixteen, whose looks the user chooses."""

_FAINT = {f"faint class {k}": f"class {k}" for k in range(len(_DARK_CLASSES))}
"""Classes at other levels than the one shown; of sixteen colours none is a fainter one."""

_ROLES = (*_DARK_16, *_SAME_AS, *_FAINT)

_NONE = {
    "truth": "bold", "mark": "bold", "alert": "bold", "axis": "dim", "grid": "dim", "bars": "dim",
    "raw": "dim", "path": "dim", "ideal path": "dim", **dict.fromkeys(_FAINT, "dim"),
}  # fmt: skip
"""Without colours, series differ by weight here, and by marker in the drawing."""

_CONTRAST = 4.5  # WCAG's minimum contrast for text, which is as thin as dots
_APART = 90.0  # minimum distance of two series' colours, in RGB units of 0..255


@dataclass(frozen=True, eq=False)
class Palette:
    """The style of every role, and the shades of a density from faintest to strongest.

    Without shades (empty `ramp`), a density is drawn in characters of increasing weight.
    `colourless` means that series differ by their markers alone. Palettes compare by identity, so
    that caches can use them as keys.
    """

    styles: Mapping[str, Style]
    ramp: tuple[RichColor, ...]
    colourless: bool = False

    def style(self, role: str) -> Style:
        """Return the style of `role`; an unknown role gets the style of the axes."""
        if role.startswith("faint ") and role not in self.styles:
            role = role.removeprefix("faint ")
        return self.styles.get(role, self.styles.get("axis", Style.null()))

    @classmethod
    def default(cls, *, dark: bool = True) -> Palette:
        """Return the palette of Okabe and Ito for a dark or a light background."""
        return cls.from_theme({"background": "#121212" if dark else "#F5F5F5"})

    @classmethod
    def from_theme(cls, variables: Mapping[str, str], colours: Colours = "truecolour") -> Palette:
        """Return the palette of a theme, given its CSS variables (`App.theme_variables`).

        Every series and every text has a contrast of at least 4.5 to the background, and the series
        are distinct: a hue of the theme that is too close to another one is replaced by the
        default. The theme variable ``plot-contrast`` sets a higher minimum contrast.
        """
        ground = _parsed(variables, "surface") or _parsed(variables, "background")
        ground = ground or Color.parse("#121212")
        if colours == "none":
            return cls({role: Style.parse(_NONE.get(role, "")) for role in _ROLES}, (), True)
        if colours == "16":
            numbers = _DARK_16 if ground.brightness < 0.5 else _LIGHT_16
            numbers = numbers | {role: numbers[hue] for role, hue in (_SAME_AS | _FAINT).items()}
            return cls(
                {role: Style(color=RichColor.from_ansi(n)) for role, n in numbers.items()}, ()
            )
        least = max(_CONTRAST, float(variables.get("plot-contrast", _CONTRAST)))
        # Text also stands on the bars above and below the panels.
        others = (_parsed(variables, name) for name in ("background", "surface", "panel"))
        grounds = (ground, *(other for other in others if other is not None))
        ink = _parsed(variables, "foreground") or ground.get_contrast_text(1.0)
        hues: dict[str, Color] = {}
        for role, names, default in _HUES:
            themed = [_parsed(variables, name) for name in names]
            readable = [
                _readable(hue, (ground,), least) for hue in (*themed, default) if hue is not None
            ]
            hues[role] = next(
                (hue for hue in readable if all(_distance(hue, h) > _APART for h in hues.values())),
                readable[-1],
            )
        hues = {role: _thrifty(hue, ground, least) for role, hue in hues.items()}
        hues |= {role: hues[hue] for role, hue in _SAME_AS.items()}
        classes = _DARK_CLASSES if ground.brightness < 0.5 else _LIGHT_CLASSES
        for name, (faint, role) in zip(classes, _FAINT.items(), strict=True):
            hue = _readable(Color.parse(name), (ground,), least)
            hues[role] = _thrifty(hue, ground, least)
            hues[faint] = ground.blend(hue, 0.5)
        hues |= {
            "axis": ground.blend(ink, 0.55),
            "text": ground.blend(ink, 0.85),
            "grid": ground.blend(ink, 0.25),
            # A bar is a large area, so its colour is muted: a curve over it must stand out.
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
        shades = [ground.blend(hues["truth"], (k + 1) / (SHADES - 1)) for k in range(SHADES - 1)]
        shades.append(hues["truth"].blend(ink, 0.6))
        return cls(styles, tuple(shade.rich_color for shade in shades))


def _parsed(variables: Mapping[str, str], name: str) -> Color | None:
    try:
        colour = Color.parse(variables[name])
    except (KeyError, ColorParseError):
        return None
    # A theme may use one of the terminal's sixteen colours, whose actual look is unknown.
    return None if colour.ansi is not None or colour.a < 1 else colour


CUBE = (0, 95, 135, 175, 215, 255)
"""Levels of red, green and blue in a terminal's 256 colours."""


def _thrifty(hue: Color, ground: Color, least: float) -> Color:
    """Return the nearest of 256 colours, or the hue itself if that is too faint.

    Naming one of the 256 takes half the bytes.
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
    """Return the WCAG contrast of two colours, from 1 (equal) to 21 (black on white)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _stands_out(hue: Color, grounds: Sequence[Color], least: float) -> bool:
    return all(contrast(hue, ground) >= least for ground in grounds)


def _readable(hue: Color, grounds: Sequence[Color], least: float) -> Color:
    """Return `hue`, moved towards black or white until it is legible on every background."""
    end = grounds[0].get_contrast_text(1.0)
    shades = (hue.blend(end, step / 10) for step in range(11))
    return next((shade for shade in shades if _stands_out(shade, grounds, least)), end)
