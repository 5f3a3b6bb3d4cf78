"""Make the pictures of the README from the real app, after real training.

    python screenshots/make.py [NAME ...]

Runs the lab without a terminal, presses its keys, and draws the screen cell by cell: text in
DejaVu Sans Mono (from the system), braille, blocks and box lines as shapes, so that nothing
depends on what a font makes of them. Pictures of sweeps are made by `export`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.color import Color
from rich.style import Style
from textual.pilot import Pilot

from tui_diffusion.core.analysis.report import training_report
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.writer import save_run
from tui_diffusion.core.training.trainer import Progress, Trainer
from tui_diffusion.lab.app import Lab
from tui_diffusion.lab.clock import Clock
from tui_diffusion.lab.runs.compare.screen import CompareScreen
from tui_diffusion.lab.runs.compare.subjects import Candidate
from tui_diffusion.lab.session.session import Session

FOLDER = Path(__file__).parent
GROUND, INK = (18, 18, 18), (224, 224, 224)
_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
_LINES = {  # which of left, right, up, down a box character joins
    "─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu", "├": "rud", "┤": "lud",
    "┬": "lrd", "┴": "lru", "┼": "lrud", "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu",
}  # fmt: skip

Rgb = tuple[int, int, int]
Cell = tuple[int, int]


def rgb(colour: Color | None, default: Rgb) -> Rgb:
    """A cell's colour as numbers."""
    if colour is None or colour.is_default:
        return default
    return tuple(colour.get_truecolor())  # type: ignore[return-value]


def draw(app: Lab, cell: Cell = (10, 20)) -> Image.Image:
    """The screen as it is now, each character on so many pixels."""
    width, height = app.size
    image = Image.new("RGB", (width * cell[0], height * cell[1]), GROUND)
    pen = ImageDraw.Draw(image)
    fonts = [
        ImageFont.truetype(name, round(0.81 * cell[1]))
        for name in ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")
    ]
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        x = 0
        for text, style, _ in strip:
            for character in text:
                _cell(pen, fonts, cell, x, y, character, style or Style.null())
                x += 1
    return image


def _cell(
    pen: ImageDraw.ImageDraw,
    fonts: list[ImageFont.FreeTypeFont],
    cell: Cell,
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
    w, h = cell
    left, top = x * w, y * h
    pen.rectangle((left, top, left + w - 1, top + h - 1), fill=ground)
    code = ord(character)
    if 0x2800 <= code < 0x2900:
        for bit, (dx, dy) in enumerate(_DOTS):
            if code - 0x2800 >> bit & 1:
                at = (left + 1 + dx * w // 2, top + 1 + dy * h // 4)
                pen.ellipse((*at, at[0] + w // 2 - 2, at[1] + h // 4 - 2), fill=ink)
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


async def shown(app: Lab, pilot: Pilot[int]) -> None:
    """Wait for the points and the diagnosis of the latest weights."""

    def latest() -> bool:
        trajectory, training = app.main.denoising.trajectory, app.model.workspace.training
        if trajectory is None or training is None or trajectory.request.step != training.step:
            return False
        return not app.model.sampling.busy and not app.model.diagnoses.busy

    await ready(app, pilot, latest)


async def trained(app: Lab, pilot: Pilot[int]) -> None:
    """Wait for torch, train to the end, and wait for the trajectory of the final weights."""
    await ready(app, pilot, lambda: app.main.denoising.trajectory is not None)
    await pilot.press("t")
    await ready(app, pilot, lambda: not app.model.session.state.active)
    await shown(app, pilot)


async def view(app: Lab, pilot: Pilot[int], name: str) -> None:
    """Press `v` until this view shows."""
    while app.main.denoising.view != name:
        await pilot.press("v")


Scene = Callable[[Lab, Pilot[int]], Awaitable[list[Image.Image]]]


async def four(app: Lab, pilot: Pilot[int]) -> list[Image.Image]:
    """Half-way between noise and the four modes."""
    await trained(app, pilot)
    await pilot.press("home", *["right"] * 12)
    await pilot.pause(0.5)
    return [draw(app)]


async def field_and_errors(app: Lab, pilot: Pilot[int]) -> list[Image.Image]:
    """The network's score against the exact one, and where the error of its sample comes from."""
    await trained(app, pilot)
    await pilot.press("home", *["right"] * 11, "o", "o")
    await view(app, pilot, "score field")
    await shown(app, pilot)
    await pilot.pause(2)
    return [draw(app)]


async def guided(app: Lab, pilot: Pilot[int]) -> list[Image.Image]:
    """One network by itself, and guided by a weaker one."""
    await ready(app, pilot, lambda: app.main.denoising.trajectory is not None)
    sources = []
    for weight in ("1", "3"):
        trainer = Trainer(
            app.model.workspace.experiment.with_settings({"sampling.guidance": weight})
        )
        for _ in trainer.run(interval=1.0):
            pass
        run = save_run(store() / f"guided-{weight}", trainer, "finished", training_report(trainer))
        sources.append(Candidate(run.name, run))
    screen = CompareScreen(sources)
    app.push_screen(screen)
    await ready(app, pilot, lambda: len(screen.trajectories) == 2)
    await pilot.press("plus", "plus", "plus")
    await pilot.pause(1)
    return [draw(app)]


class Unhurried(Trainer):
    """Rests at first, every hundred steps, so that the sample of each of these networks is seen."""

    def run(
        self, *, every: int | None = None, interval: float | None = None
    ) -> Generator[Progress, None, None]:
        for progress in super().run(every=100):
            yield progress
            time.sleep(0.6 if progress.step < 2000 else 0)


async def learning(app: Lab, pilot: Pilot[int]) -> list[Image.Image]:
    """The clean points while the network learns, then every level from noise to clean."""
    app.model.session = Session(app._notify, Unhurried)
    app.updates.trajectories = Clock(10, 1)  # as many of them as there can be
    await ready(app, pilot, lambda: app.main.denoising.trajectory is not None)
    await pilot.press("home", "t")
    await pilot.press("end")
    frames: list[Image.Image] = []
    seen = -1
    while app.model.session.state.active or not frames:
        await pilot.pause(0.05)
        trajectory = app.main.denoising.trajectory
        request = None if trajectory is None else trajectory.request
        if request is not None and request.source == "network" and request.step > 1.3 * seen:
            seen = request.step
            frames.append(draw(app, SMALL))
    await shown(app, pilot)
    frames += [draw(app, SMALL)] * 4  # equal frames become one that stays as long
    await pilot.press("home")
    for _ in range(app.main.denoising.levels + 1):
        await pilot.pause(0.2)
        frames.append(draw(app, SMALL))
        await pilot.press("right")
    return frames


SMALL = (8, 16)


@dataclass(frozen=True)
class Shot:
    """An experiment, the terminal, and what is done there."""

    experiment: str
    size: tuple[int, int]
    scene: Scene


WIDE = (120, 40)
SHOTS = {
    "denoising.gif": Shot("edm-spirals", WIDE, learning),
    "lab.png": Shot("ddpm-multimodal", WIDE, four),
    "score-and-errors.png": Shot("ddpm-multimodal", WIDE, field_and_errors),
    "guidance.png": Shot("edm-autoguidance", WIDE, guided),
}


SWEEPS = {
    "naive-std.png": (
        "naive-1d --vary method.name=naive,naive-exact --seeds 20",
        "in_mode_std_ratio",
    ),
    "rate-and-width.png": (
        "ddpm-1d --vary training.lr=1e-4..1e-1:log6 --vary network.width=8,16,32,64 --seeds 5",
        "excess",
    ),
}
"""Sweeps with the measure that is drawn of each: 160 trainings, some minutes on two cores."""


def sweep(name: str) -> None:
    """Make the picture of a sweep, by the commands that a user types."""
    command, measure = SWEEPS[name]
    file = FOLDER / name
    picture = ["export", "latest", str(file), "--view", measure, "--size", "960x540", "--force"]
    for arguments in (["sweep", *command.split()], picture):
        subprocess.run([sys.executable, "-m", "tui_diffusion", *arguments], check=True)


async def make(name: str) -> None:
    """Make one picture of the lab."""
    shot = SHOTS[name]
    app = Lab(get_preset(shot.experiment).experiment)
    async with app.run_test(size=shot.size) as pilot:
        frames = await shot.scene(app, pilot)
    app.close_workers()
    file = FOLDER / name
    if len(frames) == 1:
        frames[0].quantize(128, Image.Quantize.MAXCOVERAGE).save(file, optimize=True)
    else:
        _animate(frames, file)
    print(f"{file} {file.stat().st_size // 1024} KiB")


def _animate(frames: list[Image.Image], file: Path) -> None:
    """One palette for all frames, so that only what moves is written again."""
    palette = frames[len(frames) // 2].quantize(96, Image.Quantize.MAXCOVERAGE)
    small = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [300] * (len(small) - 1) + [2500]
    small[0].save(
        file, save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True
    )


if __name__ == "__main__":
    for wanted in sys.argv[1:] or (*SHOTS, *SWEEPS):
        with tempfile.TemporaryDirectory() as home:
            os.environ.update(DIFFUSION_TUI_HOME=home, DIFFUSION_TUI_CONFIG=f"{home}/settings.toml")
            if wanted in SWEEPS:
                sweep(wanted)
            else:
                asyncio.run(make(wanted))
