"""The colours of pictures by role: dark, light, or with a transparent background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

RGB = tuple[int, int, int]


def rgb(text: str) -> RGB:
    """Parse ``#rrggbb`` as three numbers from 0 to 255."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@dataclass(frozen=True)
class PictureTheme:
    """The colours of a picture: its ``ground``, the ``panel`` of a plot, and one for every role.

    ``shade`` is the colour of the greatest density. ``clear`` makes the backgrounds transparent.
    """

    ground: str
    panel: str
    shade: str
    roles: Mapping[str, str]
    clear: bool = False

    def __getitem__(self, role: str) -> str:
        return self.roles[role]

    def on(self, ground: str) -> PictureTheme:
        """Return the same colours on another background."""
        return replace(self, ground=ground, panel=ground)


DARK = PictureTheme(
    ground="#0d1117",
    panel="#10161f",
    shade="#3d8ec4",
    roles=MappingProxyType({
        "text": "#e6edf3", "dim": "#8b9bb0", "line": "#263040",
        "truth": "#56b4e9", "network": "#f5a524", "ideal": "#2fbf8f", "data": "#56b4e9",
        "second": "#c58af9", "mark": "#f0a6d0", "glow": "#fff1c9", "faint": "#8b9bb0",
        "class 0": "#f5a524", "class 1": "#af87ff", "class 2": "#00b38a",
        "class 3": "#ffff87", "class 4": "#ff875f", "class 5": "#d7d7d7",
    }),
)  # fmt: skip

LIGHT = PictureTheme(
    ground="#ffffff",
    panel="#f7f9fc",
    shade="#8fc3ec",
    roles=MappingProxyType({
        "text": "#1b2430", "dim": "#566374", "line": "#cfd8e3",
        "truth": "#0b62a8", "network": "#d4690a", "ideal": "#0f7d56", "data": "#0b62a8",
        "second": "#7c3aed", "mark": "#b0307f", "glow": "#6b2c00", "faint": "#9aa7b6",
        "class 0": "#c26a00", "class 1": "#8700d7", "class 2": "#008760",
        "class 3": "#000000", "class 4": "#d7005f", "class 5": "#5f0000",
    }),
)  # fmt: skip

SERIES_ROLES = ("network", "truth", "second", "ideal")
"""Roles of several trainings in one figure, in order."""

MAKERS = {"network": "network", "ideal denoiser": "ideal", "true data": "data"}
"""The role of points by their source."""


def theme_of(light: bool, transparent: bool) -> PictureTheme:
    """Return the theme for these options."""
    return replace(LIGHT if light else DARK, clear=transparent)
