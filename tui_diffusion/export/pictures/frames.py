"""A frame of a denoising as a Pillow image."""

from __future__ import annotations

from PIL import Image

from ...core.trajectory_view import MARKED_MODES
from ..scene import Animation, Scene
from . import raster
from .compose import Box, compose, unit_of
from .figure import Figure, PicturePanel
from .panels import line_panel, near_panel, points_panel
from .sheet import Sheet
from .theme import DARK, PictureTheme
from .views import facts

_NUMBERS = ("sigma 0.00000", "beta 0.00000   alpha_bar 0.000000")
"""Longest texts about a level's noise: for constant alpha, and for decaying alpha."""

_PAIR_FROM = 480
"""Width in pixels from which a close-up fits beside the view of all points."""


def draw_frame(
    animation: Animation, position: float, width: int, height: int, theme: PictureTheme = DARK
) -> Image.Image:
    """Draw the denoising at a position between level 0 and N."""
    scene = animation.scene(position)
    panels = _panels(animation, scene, wide=width >= max(1.15 * height, _PAIR_FROM))
    figure = Figure(
        animation.exhibit.title,
        panels,
        note=f"{scene.name}   {scene.words}",
        longest=f"level {animation.levels}/{animation.levels}   {_NUMBERS[scene.decays]}",
        facts=facts(scene),
    )
    sheet = Sheet((width, height), unit_of((width, height)), theme)
    foot = compose(figure, sheet, len(panels), sheet.px(28))
    _ruler(sheet, scene, foot)
    return sheet.image


def _panels(animation: Animation, scene: Scene, *, wide: bool) -> tuple[PicturePanel, ...]:
    if animation.dim == 1:
        whole = line_panel(animation, scene, "all levels")
        return (whole, line_panel(animation, scene, "close-up", near=True)) if wide else (whole,)
    if wide and scene.truth.modes <= MARKED_MODES:
        return points_panel(animation, scene, "all points"), near_panel(animation, scene)
    return (points_panel(animation, scene, "all points"),)


def _ruler(sheet: Sheet, scene: Scene, box: Box) -> None:
    """Draw the ruler ``noise ●──┼──┼── clean``, with a stroke for every level."""
    middle, theme = box.top + box.height // 2 - sheet.px(4), sheet.theme
    before = sheet.length("noise", 12) + sheet.px(12)
    after = sheet.length("clean", 12) + sheet.px(12)
    sheet.text(box.left, middle, "noise", "dim", 12, "lm")
    sheet.text(box.right, middle, "clean", "dim", 12, "rm")
    left, right = box.left + before, box.right - after
    at = left + (right - left) * scene.position / scene.levels
    thick = sheet.px(2)
    sheet.ink.line((left, middle, right, middle), theme["line"], thick)
    sheet.ink.line((left, middle, at, middle), theme["truth"], thick)
    if (right - left) / scene.levels >= sheet.px(4):
        for level in range(scene.levels + 1):
            x = left + (right - left) * level / scene.levels
            reached = level <= scene.position + 1e-9
            tall = sheet.px(3)
            hue = theme["truth" if reached else "line"]
            sheet.ink.line((x, middle - tall, x, middle + tall), hue, 1)
    radius = sheet.px(6)
    reach = radius + 2
    side = 2 * reach + 1
    dot = raster.ring(side, side, reach + at - int(at), reach, 0, 2 * radius)
    sheet.cover(dot, "text", int(at) - reach, middle - reach)
