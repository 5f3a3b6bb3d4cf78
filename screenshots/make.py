"""Make the pictures of the README from the real app, after real training.

    python screenshots/make.py [NAME ...]

Runs the lab without a terminal, presses its keys, and draws the screen cell by cell: text in
DejaVu Sans Mono (from the system), braille, blocks and box lines as shapes, so that nothing
depends on what a font makes of them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.color import Color
from rich.style import Style
from textual.pilot import Pilot

from tui_diffusion.core.presets import get_preset
from tui_diffusion.lab.app import Lab

FOLDER = Path(__file__).parent
CELL = (10, 20)
GROUND, INK = (18, 18, 18), (224, 224, 224)
_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
_LINES = {  # which of left, right, up, down a box character joins
    "─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu", "├": "rud", "┤": "lud",
    "┬": "lrd", "┴": "lru", "┼": "lrud", "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu",
}  # fmt: skip

Rgb = tuple[int, int, int]


def rgb(colour: Color | None, default: Rgb) -> Rgb:
    """A cell's colour as numbers."""
    if colour is None or colour.is_default:
        return default
    return tuple(colour.get_truecolor())  # type: ignore[return-value]


def draw(app: Lab) -> Image.Image:
    """The screen as it is now."""
    width, height = app.size
    image = Image.new("RGB", (width * CELL[0], height * CELL[1]), GROUND)
    pen = ImageDraw.Draw(image)
    fonts = [
        ImageFont.truetype(name, 16) for name in ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")
    ]
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        x = 0
        for text, style, _ in strip:
            for character in text:
                _cell(pen, fonts, x, y, character, style or Style.null())
                x += 1
    return image


def _cell(
    pen: ImageDraw.ImageDraw,
    fonts: list[ImageFont.FreeTypeFont],
    x: int,
    y: int,
    character: str,
    style: Style,
) -> None:
    ink, ground = rgb(style.color, INK), rgb(style.bgcolor, GROUND)
    if style.reverse:
        ink, ground = ground, ink
    if style.dim:
        ink = tuple((a + b) // 2 for a, b in zip(ink, ground, strict=True))  # type: ignore[assignment]
    w, h = CELL
    left, top = x * w, y * h
    pen.rectangle((left, top, left + w - 1, top + h - 1), fill=ground)
    code = ord(character)
    if 0x2800 <= code < 0x2900:
        for bit, (dx, dy) in enumerate(_DOTS):
            if code - 0x2800 >> bit & 1:
                at = (left + 1 + dx * 5, top + 1 + dy * 5)
                pen.ellipse((*at, at[0] + 3, at[1] + 3), fill=ink)
    elif 0x2581 <= code <= 0x2588:
        pen.rectangle((left, top + h - (code - 0x2580) * h // 8, left + w - 1, top + h - 1), ink)
    elif character == "▀":
        pen.rectangle((left, top, left + w - 1, top + h // 2 - 1), fill=ink)
    elif character in _LINES:
        middle = (left + w // 2, top + h // 2)
        ends = {
            "l": (left, middle[1]),
            "r": (left + w - 1, middle[1]),
            "u": (middle[0], top),
            "d": (middle[0], top + h - 1),
        }
        for side in _LINES[character]:
            pen.line((*middle, *ends[side]), fill=ink, width=1)
    elif character != " ":
        pen.text((left, top), character, font=fonts[bool(style.bold)], fill=ink)


async def ready(app: Lab, pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    """Wait until the lab is as it should be."""
    while not condition():
        await pilot.pause(0.1)
    await pilot.pause(0.3)


async def trained(app: Lab, pilot: Pilot[int]) -> None:
    """Wait for torch, train to the end, and wait for the film of the final weights."""
    await ready(app, pilot, lambda: app._denoising.film is not None)
    await pilot.press("t")
    await ready(app, pilot, lambda: not app.session.state.active)

    def shown() -> bool:
        film, training = app._denoising.film, app.bench.training
        return film is not None and training is not None and film.wish.step == training.step

    await ready(app, pilot, shown)


Scene = Callable[[Lab, Pilot[int]], Awaitable[list[Image.Image]]]


async def four(app: Lab, pilot: Pilot[int]) -> list[Image.Image]:
    """Half-way between noise and the four modes."""
    await trained(app, pilot)
    await pilot.press("home", *["right"] * 12)
    await pilot.pause(0.5)
    return [draw(app)]


async def narrow(app: Lab, pilot: Pilot[int]) -> list[Image.Image]:
    """One dimension at 80×24: the sample beside its close-up."""
    await trained(app, pilot)
    await pilot.press("3", "end", "left", "left")
    await pilot.pause(0.5)
    return [draw(app)]


async def exact(app: Lab, pilot: Pilot[int]) -> list[Image.Image]:
    """The exact pdf and cdf of a level."""
    await trained(app, pilot)
    await pilot.press("home", "right", "right", "right", "v", "v")
    await pilot.pause(0.5)
    return [draw(app)]


async def film(app: Lab, pilot: Pilot[int]) -> list[Image.Image]:
    """Every level, from noise to clean."""
    await trained(app, pilot)
    await pilot.press("home")
    frames = []
    for _ in range(app._denoising.levels + 1):
        await pilot.pause(0.2)
        frames.append(draw(app))
        await pilot.press("right")
    return frames


SCENES: dict[str, tuple[str, tuple[int, int], Scene]] = {
    "lab.png": ("ddpm-multimodal", (120, 40), four),
    "lab-80x24.png": ("ddpm-1d", (80, 24), narrow),
    "pdf-cdf.png": ("ddpm-1d-detailed", (120, 40), exact),
    "denoising.gif": ("ddpm-multimodal", (100, 30), film),
}
"""File, experiment, size of the terminal, and what is done before the picture is taken."""


async def make(name: str) -> None:
    """Make one picture."""
    experiment, size, scene = SCENES[name]
    app = Lab(get_preset(experiment).experiment)
    async with app.run_test(size=size) as pilot:
        frames = await scene(app, pilot)
    app.close_workers()
    file = FOLDER / name
    if len(frames) == 1:
        frames[0].quantize(64).save(file, optimize=True)
    else:
        small = [frame.quantize(32, dither=Image.Dither.NONE) for frame in frames]
        durations = [300] * (len(small) - 1) + [1500]
        small[0].save(file, save_all=True, append_images=small[1:], duration=durations, loop=0)
    print(f"{file} {file.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or SCENES:
        asyncio.run(make(wanted))
