"""The lab's own themes, in addition to those of Textual."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES, Theme

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#5FD7FF",
    secondary="#AFFFFF",
    accent="#FFAFFF",
    warning="#FFD75F",
    success="#5FFF87",
    error="#FF9F87",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#121212",
    variables={
        "text-muted": "#FFFFFF",
        "text-disabled": "#D7D7D7",
        "footer-background": "#000000",
        "plot-contrast": "7",
    },
)
"""White and light hues on black; every contrast is at least 7 (WCAG AAA)."""

THEMES = (HIGH_CONTRAST,)


def theme_names() -> list[str]:
    """Return the names of all available themes, in alphabetical order."""
    return sorted({*BUILTIN_THEMES, *(theme.name for theme in THEMES)})
