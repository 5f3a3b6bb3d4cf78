"""The denoising as GIF, forwards and backwards, and as MP4."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...core.progress import ProgressCallback
from ..scene import Animation
from .frames import draw_frame
from .theme import PictureTheme

_COLOURS = 62
"""Number of colours of a GIF, which determines its size; two more keep equal frames distinct."""

_HOLD = (0.06, 0.16)
"""Shares of an MP4 that show the noise and the clean sample at rest."""


def gif_frames(seconds: float, fps: float) -> int:
    """Return the number of frames of a GIF: even, since the way back omits both ends."""
    return max(2, 2 * round(seconds * fps / 2))


def mp4_frames(seconds: float, fps: float) -> int:
    """Return the number of frames of an MP4."""
    return max(1, round(seconds * fps))


def gif_places(count: int, levels: int) -> NDArray[np.float64]:
    """Return the position of each frame of a GIF's first half: slower near both ends."""
    u = np.linspace(0, 1, count // 2 + 1)
    return np.asarray(levels * (u - 0.8 * np.sin(2 * np.pi * u) / (2 * np.pi)))


def mp4_places(count: int, levels: int) -> NDArray[np.float64]:
    """Return the position of each frame of an MP4: at rest, evenly through the levels, at rest."""
    u = (np.arange(count) + 0.5) / count
    return np.asarray(levels * np.clip((u - _HOLD[0]) / (1 - sum(_HOLD)), 0, 1))


def write_gif(
    animation: Animation,
    file: Path,
    size: tuple[int, int],
    theme: PictureTheme,
    fps: float,
    seconds: float,
    progress: ProgressCallback,
) -> None:
    """Write a GIF. Frame −k repeats frame k: the way back shows the same pictures."""
    count = gif_frames(seconds, fps)
    positions = gif_places(count, animation.levels)
    samples = [
        draw_frame(animation, animation.levels * share, *size, theme)
        for share in (0.0, 0.5, 0.8, 1.0)
    ]
    palette = _palette(samples, theme, animation.groups is not None)
    out: list[Image.Image] = []
    for position in positions:
        out.append(
            _indexed(draw_frame(animation, float(position), *size, theme), palette, len(out) % 2)
        )
        progress(len(out), len(positions) + 1)
    ends = np.round(np.arange(count + 1) * 100 * seconds / count).astype(int)
    durations = (10 * np.diff(ends)).tolist()  # in ms; a GIF counts hundredths of a second
    out[0].save(
        file,
        format="GIF",
        save_all=True,
        append_images=[*out[1:], *out[-2:0:-1]],
        duration=durations,
        loop=0,
        optimize=False,
        disposal=1,
    )
    progress(len(positions) + 1, len(positions) + 1)


def _palette(samples: list[Image.Image], theme: PictureTheme, grouped: bool) -> Image.Image:
    """Return one palette for all frames, so that only the points move.

    It always holds the theme's colours, even if few pixels have them; those of classes only if the
    points are ``grouped``.
    """
    roles = [role for role in theme.roles if grouped or not role.startswith("class ")]
    hues = list(dict.fromkeys(theme[role] for role in roles))
    width, height = samples[0].size
    strip = max(height // 20, 4)
    together = Image.new("RGB", (width, height * len(samples) + strip * len(hues)))
    for row, sample in enumerate(samples):
        together.paste(sample, (0, row * height))
    for row, hue in enumerate(hues):
        top = height * len(samples) + row * strip
        together.paste(hue, (0, top, width, top + strip))
    return together.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT)


def _indexed(picture: Image.Image, palette: Image.Image, parity: int) -> Image.Image:
    """Convert a frame to the palette's colours.

    Pillow merges equal consecutive frames, which would change their number. To prevent this, one
    pixel in a corner alternates between two colours that look the same.
    """
    indexed = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    colours = (palette.getpalette() or [])[: 3 * _COLOURS]
    ground = indexed.getpixel((0, 0))
    at = 3 * (ground if isinstance(ground, int) else 0)
    red, green, blue = colours[at : at + 3]
    near = [red, green, blue, red, green, min(blue + 1, 255)]
    indexed.putpalette(colours + [0] * (3 * _COLOURS - len(colours)) + near)
    indexed.putpixel((0, 0), _COLOURS + parity)
    return indexed


def write_mp4(
    animation: Animation,
    file: Path,
    size: tuple[int, int],
    theme: PictureTheme,
    fps: float,
    seconds: float,
    progress: ProgressCallback,
) -> None:
    """Write an MP4 with H.264, which every player supports."""
    import imageio_ffmpeg

    count = mp4_frames(seconds, fps)
    writer = imageio_ffmpeg.write_frames(
        str(file),
        size,
        fps=fps,
        codec="libx264",
        pix_fmt_out="yuv420p",
        macro_block_size=1,
        quality=None,
        bitrate=None,
        output_params=["-crf", "18", "-preset", "veryfast", "-movflags", "+faststart"],
    )
    writer.send(None)
    try:
        shown, drawn = -1.0, b""
        for done, position in enumerate(mp4_places(count, animation.levels).tolist(), 1):
            if position != shown:
                shown, drawn = position, draw_frame(animation, position, *size, theme).tobytes()
            writer.send(drawn)
            progress(done, count)
    finally:
        writer.close()
