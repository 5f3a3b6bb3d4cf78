"""Pictures of pixels: a pen over a Pillow image."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...core.arrays import Floats
from ...core.mixtures import GaussianMixture
from ...core.progress import ProgressCallback
from ..groups import SHAPES, Groups
from . import raster
from .compose import Box, compose, unit_of
from .figure import (
    Arrows,
    Band,
    Bars,
    Contour,
    Curves,
    Dots,
    Figure,
    HeatMap,
    Layer,
    PicturePanel,
    Rings,
    Sample,
    Shade,
)
from .plot_area import PlotArea, arrow, font, heat_cells, text_lines
from .stamps import radius_of, stamp
from .theme import PictureTheme, rgb


def paint(
    figure: Figure,
    size: tuple[int, int],
    theme: PictureTheme,
    progress: ProgressCallback = lambda done, total: None,
) -> Image.Image:
    """Paint a figure as an image: RGB, or RGBA if its background is transparent."""

    def on(theme: PictureTheme) -> Image.Image:
        sheet = Sheet(size, unit_of(size, len(figure.panels)), theme)
        compose(figure, sheet, progress=progress)
        return sheet.image

    if not theme.clear:
        return on(theme)
    # A colour c with opacity a gives a·c over black and a·c + 1 − a over white.
    black, white = (np.asarray(on(theme.on(hue)), np.float32) for hue in ("#000000", "#ffffff"))
    alpha = np.clip(255 - (white - black).max(2, keepdims=True), 0, 255)
    colour = np.clip(255 * black / np.maximum(alpha, 1), 0, 255)
    return Image.fromarray(np.concatenate([colour, alpha], 2).round().astype(np.uint8), "RGBA")


class Sheet:
    """An image to draw on; ``unit`` scales its text and lines."""

    def __init__(self, size: tuple[int, int], unit: float, theme: PictureTheme) -> None:
        self.size, self.unit, self.theme = size, unit, theme
        self.image = Image.new("RGB", size, theme.ground)
        self.ink = ImageDraw.Draw(self.image)

    def px(self, size: float) -> int:
        """Convert a design length to pixels."""
        return max(1, round(size * self.unit))

    def text(
        self, x: float, y: float, words: str, role: str, size: float, anchor: str, up: bool = False
    ) -> None:
        """Draw text."""
        if not words:
            return
        face, hue = font(size * self.unit), self.theme[role]
        if not up:
            self.ink.text((x, y), words, hue, face, anchor)
            return
        long, tall = int(face.getlength(words)) + 4, self.px(1.5 * size)
        mask = Image.new("L", (long, 2 * tall), 0)
        ImageDraw.Draw(mask).text((long / 2, tall), words, 255, face, "ms")
        turned = mask.transpose(Image.Transpose.ROTATE_90)
        self.image.paste(hue, (round(x - tall), round(y - long / 2)), turned)

    def length(self, words: str, size: float) -> float:
        """Return the width of a text, in pixels."""
        return _length(words, size * self.unit)

    def cover(self, cover: NDArray[np.uint8], role: str, left: int = 0, top: int = 0) -> None:
        """Blend the colour of a role over a part of the image."""
        _over(self.image, cover, self.theme[role], left, top)

    def sample(self, kind: Sample, role: str, box: Box) -> None:
        """Draw the legend sample of a layer."""
        middle = (box.height - 1) / 2
        hue = self.theme.shade if role == "shade" else self.theme[role]
        if kind == "block":
            # A pale density would be invisible on its own background.
            rows = slice(box.height // 4, box.height - box.height // 4)
            cover = np.zeros((box.height, box.width), np.uint8)
            cover[rows] = 210
        elif kind in SHAPES and kind != "dot":
            cover = np.zeros((box.height, box.width), np.uint8)
            mark = raster.covered(stamp(kind, self.px(4)))[: box.height, : box.width]
            top, left = ((n - m) // 2 for n, m in zip(cover.shape, mark.shape, strict=True))
            cover[top : top + len(mark), left : left + mark.shape[1]] = mark
        elif kind in ("dot", "ring"):
            centre, radius = (box.width - 1) / 2, self.px(3.2 if kind == "dot" else 5)
            thick = 2 * radius if kind == "dot" else 1.4 * max(self.unit, 0.8)
            radius = 0 if kind == "dot" else radius
            cover = raster.ring(box.width, box.height, centre, middle, radius, thick)
        else:
            line = np.array([[0.0, middle], [box.width, middle]])
            lines = [line]
            if kind == "dashes":
                lines = raster.dashes(line, 5 * self.unit, 3 * self.unit)
            if kind == "arrow":
                lines = [*arrow(line[0] + [1, 0], line[1] - [2, 0], 4 * self.unit)]
            cover = raster.strokes(lines, box.width, box.height, 2 * self.unit)
        _over(self.image, cover, hue, box.left, box.top)

    def panel(self, panel: PicturePanel, box: Box, grid: tuple[list[float], list[float]]) -> None:
        """Draw the layers of a panel over its grid lines."""
        _Plot(self, panel, box).draw(grid)


def _over(image: Image.Image, cover: NDArray[np.uint8], hue: str, left: int, top: int) -> None:
    # Most of a curve's or ring's picture is empty, so only the rows with coverage are blended.
    rows = np.flatnonzero(cover.any(1))
    if len(rows):
        part = np.ascontiguousarray(cover[rows[0] : rows[-1] + 1])
        image.paste(rgb(hue), (left, top + int(rows[0])), Image.fromarray(part, "L"))


class _Plot(PlotArea):
    """The inside of a panel during drawing."""

    def __init__(self, sheet: Sheet, panel: PicturePanel, box: Box) -> None:
        super().__init__(panel, box, sheet.unit)
        self.sheet, self.theme = sheet, sheet.theme
        self.image = Image.new("RGB", (box.width, box.height), self.theme.panel)
        self._exact: dict[GaussianMixture, NDArray[np.float32]] = {}

    def _density(self, truth: GaussianMixture) -> NDArray[np.float32]:
        """Return a mixture's density at every pixel; its background and its contour share it."""
        if truth not in self._exact:
            panel, size = self.panel, (self.width, self.height)
            self._exact[truth] = raster.pixel_density(truth, panel.xs, panel.ys, *size)
        return self._exact[truth]

    def draw(self, grid: tuple[list[float], list[float]]) -> None:
        """Draw every layer and paste the result onto the sheet."""
        layers = self.panel.layers
        for layer in layers:
            if isinstance(layer, Shade):
                self._paint_shade(layer)
        ink = ImageDraw.Draw(self.image, "RGBA")
        hue = (*rgb(self.theme["line"]), 140)
        for x in grid[0]:
            at = int(self.pixels(np.array([[x, self.panel.ys[0]]]))[0, 0])
            ink.line((at, 0, at, self.height), hue)
        for y in grid[1]:
            at = int(self.pixels(np.array([[self.panel.xs[0], y]]))[0, 1])
            ink.line((0, at, self.width, at), hue)
        for layer in layers:
            self._layer(layer)
        self.sheet.image.paste(self.image, (self.box.left, self.box.top))

    def _cover(self, cover: NDArray[np.uint8], role: str, opacity: float = 1.0) -> None:
        if opacity < 1:
            cover = (cover * np.float32(opacity)).astype(np.uint8)
        _over(self.image, cover, self.theme[role], 0, 0)

    def _layer(self, layer: Layer) -> None:
        size = (self.width, self.height)
        match layer:
            case Dots():
                self._dots(layer)
            case Contour():
                self._contour(layer)
            case Rings():
                self._rings(layer)
            case Curves():
                lines = [*self.pixels(layer.lines)]
                if layer.dashed:
                    on, off = 7 * self.unit, 4 * self.unit
                    lines = [dash for line in lines for dash in raster.dashes(line, on, off)]
                thick = layer.width * self.unit
                self._cover(raster.strokes(lines, *size, thick), layer.role, layer.opacity)
            case Bars():
                self._bars(layer)
            case Band():
                self._band(layer)
            case HeatMap():
                self._heat_map(layer)
            case Arrows():
                strokes = raster.strokes(self.arrows(layer), *size, 1.3 * self.unit)
                self._cover(strokes, layer.role)
            case _:
                pass

    def _paint_shade(self, layer: Shade) -> None:
        if isinstance(layer.of, GaussianMixture):
            p = self._density(layer.of)
        else:
            p = self.shade(layer)
        if layer.role != "shade":  # over what is there
            self._cover(raster.covered(p), layer.role)
            return
        strength = np.sqrt(p)
        strength *= 255
        shade = Image.fromarray(strength.astype(np.uint8), "L")
        shade.putpalette(_ramp(self.theme.panel, self.theme.shade))
        self.image = shade.convert("RGB")

    def _heat_map(self, layer: HeatMap) -> None:
        ink = ImageDraw.Draw(self.image)
        ramp = _ramp(self.theme.panel, self.theme.shade)
        for cell in heat_cells(self, layer):
            if np.isfinite(cell.strength):
                at = 3 * round(255 * cell.strength)
                ink.rectangle(cell.box, (ramp[at], ramp[at + 1], ramp[at + 2]))
            if cell.marked:
                ink.rectangle(cell.box, None, self.theme[layer.role], self.sheet.px(2))
            size, lines = text_lines(cell, self.unit)
            for x, y, words in lines:
                ink.text((x, y), words, self.theme["text"], font(size), "mm")

    def _contour(self, layer: Contour) -> None:
        panel = self.panel
        p = self._density(layer.truth)
        pixel = (panel.xs[1] - panel.xs[0]) / self.width
        thick = 1.3 * self.unit
        steepest = 3.5 / max(layer.truth.narrowest / pixel, 0.6)
        line = raster.contour_coverage(p, raster.contour_density(p, layer.share), steepest, thick)
        self._cover(line, layer.role, 0.9)

    def _grouped(self, points: Floats, groups: Groups) -> None:
        """Draw points by group; where groups overlap, in the mean of their colours."""
        panel, size = self.panel, (self.width, self.height)
        radius = radius_of(self.sheet.unit, len(points))
        total = np.zeros((self.height, self.width), np.float32)
        mixed = np.zeros((self.height, self.width, 3), np.float32)
        for k in groups.present:
            group = groups.groups[k]
            of = points[groups.index == k]
            count = raster.stamped(of, panel.xs, panel.ys, *size, stamp(group.shape, radius))
            total += count
            mixed += count[..., None] * np.array(rgb(self.theme[group.role]), np.float32)
        covered = raster.covered(0.9 * (1 - np.exp(-2.5 * total)))
        hues = (mixed / np.maximum(total, 1e-9)[..., None]).round().astype(np.uint8)
        self.image.paste(Image.fromarray(hues, "RGB"), (0, 0), Image.fromarray(covered, "L"))

    def _dots(self, layer: Dots) -> None:
        panel, points = self.panel, layer.points
        if layer.groups is not None:
            self._grouped(points, layer.groups)
            return
        radius = max(1.0 * self.sheet.unit, 0.8)
        count = raster.splat(points, panel.xs, panel.ys, self.width, self.height, radius)
        opacity = np.float32(np.clip(0.85 - 0.12 * np.log10(max(len(points), 1) / 3000), 0.25, 0.9))
        self._cover(raster.covered(opacity * (1 - np.exp(-1.6 * count))), layer.role)
        if float(count.max()) > 2:  # dense regions glow
            self._cover(raster.covered(0.75 * (1 - np.exp(-np.maximum(count - 2, 0) / 12))), "glow")

    def _rings(self, layer: Rings) -> None:
        radius, thick = 6.5 * self.unit, 1.4 * self.unit
        reach = int(radius + thick + 2)
        for x, y in self.pixels(layer.positions).tolist():
            if not (-reach < x < self.width + reach and -reach < y < self.height + reach):
                continue
            left, top = int(x) - reach, int(y) - reach
            side = 2 * reach + 1
            cover = raster.ring(side, side, x - left - 0.5, y - top - 0.5, radius, thick)
            _over(self.image, cover, self.theme[layer.role], left, top)

    def _bars(self, layer: Bars) -> None:
        low, high = self.panel.ys
        lefts, rights, tops, bases = self.bars(layer)
        cover = np.zeros((self.height, self.width), np.uint8)
        first, last = max(0, round(lefts[0])), min(self.width, round(rights[-1]))
        if low == 0 and layer.wide == 1 and last - first >= len(layer.heights):
            tops, bases = (
                np.clip(np.nan_to_num(ends) / (high - low), 0, 1.5) * self.height
                for ends in (layer.heights, layer.floor)
            )
            bars, below = (raster.bars(ends, last - first, self.height) for ends in (tops, bases))
            cover[:, first:last] = bars - below
        else:
            for left, right, top, base in zip(lefts, rights, tops, bases, strict=True):
                if np.isfinite(top):
                    ends = np.clip(sorted((top, base)), 0, self.height).round().astype(int)
                    cover[ends[0] : ends[1], max(0, round(left)) : max(0, round(right))] = 255
        self._cover(cover, layer.role, 0.8)

    def _band(self, layer: Band) -> None:
        mask = Image.new("L", (self.width, self.height), 0)
        ink = ImageDraw.Draw(mask)
        lows, highs = self.band(layer)
        for (x, low), (_, high) in zip(lows.tolist(), highs.tolist(), strict=True):
            ink.line((x, min(low, 1e5), x, max(high, -1e5)), 255, max(1, round(self.unit)))
        self._cover(np.asarray(mask), layer.role, 0.45)


@lru_cache(maxsize=8)
def _ramp(ground: str, hue: str) -> bytes:
    """Return a colour ramp from a background to a hue."""
    low, high = (np.array(rgb(text), float) for text in (ground, hue))
    share = np.linspace(0, 1, 256)[:, None] * 0.92
    return bytes((low + share * (high - low)).round().astype(np.uint8).ravel().tolist())


@lru_cache(maxsize=512)
def _length(words: str, size: float) -> float:
    return float(font(size).getlength(words))
