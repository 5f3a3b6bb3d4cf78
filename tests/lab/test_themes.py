"""What is written can be read, under every theme and with sixteen colours too (WCAG's formula)."""

import pytest
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tui_diffusion.interface.themes import HIGH_CONTRAST
from tui_diffusion.lab.drawing.palette import _ROLES, Palette
from tui_diffusion.lab.output.colour_filters import reducer

from ..lab_driver import lab

THEMES = [t for t in (*BUILTIN_THEMES.values(), HIGH_CONTRAST) if "ansi" not in t.name]
named = pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)


def contrast(one, other):
    """(L + 0.05) / (l + 0.05) with the relative luminances of two colours 0..255."""

    def luminance(colour):
        parts = [c / 255 for c in colour]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def variables(theme):
    return {**theme.to_color_system().generate(), **theme.variables}


def looks(colour: RichColor):
    return colour.get_truecolor(DEFAULT_TERMINAL_THEME)


def grounds(theme):
    return [Color.parse(variables(theme)[name]) for name in ("background", "surface", "panel")]


def test_the_formula():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@named
def test_text_can_be_read(theme):
    palette = Palette.from_theme(variables(theme))
    for role in ("axis", "text", "start"):
        for ground in grounds(theme):
            assert contrast(looks(palette.style(role).color), ground.rgb) >= 4.45, (role, ground)
    for role in ("truth", "network", "ideal", "alert", "second"):
        assert contrast(looks(palette.style(role).color), grounds(theme)[1].rgb) >= 4.45, role


@named
def test_text_can_be_read_in_sixteen_colours(theme):
    palette = Palette.from_theme(variables(theme), "16")
    reduced = reducer("16", variables(theme))
    for role in ("axis", "text"):
        for ground in grounds(theme)[:2]:
            style = palette.style(role) + Style(bgcolor=ground.rich_color)
            (out,) = reduced.apply([Segment("x", style)], ground)
            assert contrast(looks(out.style.color), looks(out.style.bgcolor)) >= 4.5, role


def test_in_high_contrast_nothing_is_faint():
    palette = Palette.from_theme(variables(HIGH_CONTRAST))
    for role in _ROLES:
        for ground in grounds(HIGH_CONTRAST):
            assert contrast(looks(palette.style(role).color), ground.rgb) >= 6.95, role
    for name in ("foreground", "primary", "accent", "error", "text-muted", "text-disabled"):
        colour = Color.parse(variables(HIGH_CONTRAST)[name])
        assert contrast(colour.rgb, grounds(HIGH_CONTRAST)[2].rgb) >= 7, name


async def test_the_lab_has_it():
    async with lab() as driver:
        driver.app.theme = "high-contrast"
        await driver.pilot.pause()
        for role in ("truth", "network"):
            colour = driver.app.palette.style(role).color
            assert contrast(looks(colour), (0, 0, 0)) >= 7
        assert driver.panel.palette is driver.app.palette


async def test_in_high_contrast_every_line_stands_out_and_the_focus_differs() -> None:
    async with lab() as driver:
        driver.app.theme = "high-contrast"
        await driver.press("tab")
        seen = {
            w: w.styles.border_top[1] for w in driver.app.screen.query("Panel, #form, #experiments")
        }
        for widget, colour in seen.items():
            ground = widget.background_colors[1]
            assert contrast((ground + colour).rgb, ground.rgb) >= 7, widget
        focused = [w for w in seen if w.has_focus_within]
        assert len(focused) == 1 and [seen[w] for w in seen].count(seen[focused[0]]) == 1
