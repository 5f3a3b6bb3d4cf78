"""Themes of the lab's own, beside those of Textual."""

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
"""White and light hues on black: nothing with a contrast under 7 to its ground (WCAG AAA)."""

STARK = """
.-stark Panel:blur, .-stark Pane, .-stark #experiments, .-stark #form {
    border: round $foreground 70%;
}
.-stark * { scrollbar-color: $foreground 70%; }
.-stark FormHelp { border-top: solid $foreground 70%; }
.-stark Lines > .lines--rule { color: $foreground 70%; }
"""
"""Its lines, which elsewhere are faint; a panel in focus has its own."""

THEMES = (HIGH_CONTRAST,)


def theme_names() -> list[str]:
    """Every theme that the lab can have, in alphabetical order."""
    return sorted({*BUILTIN_THEMES, *(theme.name for theme in THEMES)})
