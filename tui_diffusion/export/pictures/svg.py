"""Scalable pictures: a pen that writes SVG."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from io import BytesIO
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from ...core.arrays import Floats
from ...core.progress import ProgressCallback
from ..groups import Groups
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
from .stamps import outline, path, radius_of
from .theme import PictureTheme, rgb

_MOST_POINTS = 2000
"""Maximum number of points in a panel; more would take megabytes and look the same."""

_TURNS = 16
"""Number of turns in which the points of groups are drawn."""

_ANCHORS = {"l": "start", "m": "middle", "r": "end"}


def svg(
    figure: Figure,
    size: tuple[int, int],
    theme: PictureTheme,
    progress: ProgressCallback = lambda done, total: None,
) -> str:
    """Return a figure as the text of an SVG file."""
    pen = SvgPen(size, unit_of(size, len(figure.panels)), theme)
    compose(figure, pen, progress=progress)
    width, height = size
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif">'
    )
    title = f"<title>{escape(figure.title)}</title>"
    ground = [] if theme.clear else [f'<rect width="100%" height="100%" fill="{theme.ground}"/>']
    return "\n".join([head, title, *ground, *pen.parts, "</svg>\n"])


class SvgPen:
    """A pen that writes SVG elements."""

    def __init__(self, size: tuple[int, int], unit: float, theme: PictureTheme) -> None:
        self.size, self.unit, self.theme = size, unit, theme
        self.parts: list[str] = []

    def text(
        self, x: float, y: float, words: str, role: str, size: float, anchor: str, up: bool = False
    ) -> None:
        """Draw text."""
        if not words:
            return
        if anchor[1] == "m":
            y += 0.35 * size * self.unit
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if up else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{self.theme[role]}" '
            f'font-size="{size * self.unit:.1f}" text-anchor="{_ANCHORS[anchor[0]]}"{turn}>'
            f"{escape(words)}</text>"
        )

    def length(self, words: str, size: float) -> float:
        """Estimate the width of a text, in pixels, generously: the viewer chooses the font."""
        return 1.15 * float(font(size * self.unit).getlength(words))

    def sample(self, kind: Sample, role: str, box: Box) -> None:
        """Draw the legend sample of a layer."""
        hue = self.theme.shade if role == "shade" else self.theme[role]
        left, middle, right = box.left, box.top + box.height / 2, box.right
        match kind:
            case "block":
                self.parts.append(
                    f'<rect x="{left}" y="{box.top + box.height / 4:.1f}" width="{box.width}" '
                    f'height="{box.height / 2:.1f}" fill="{hue}" fill-opacity="0.82"/>'
                )
            case "cross" | "square" | "triangle" | "plus" | "diamond":
                radius = 4 * self.unit
                data = outline(kind, (left + right) / 2, middle, radius)
                self.parts.append(path(kind, data, hue, radius, 1.0))
            case "dot" | "ring":
                fill = f'fill="{hue}"' if kind == "dot" else f'fill="none" stroke="{hue}"'
                radius = (3.2 if kind == "dot" else 5) * self.unit
                self.parts.append(
                    f'<circle cx="{(left + right) / 2:.1f}" cy="{middle:.1f}" r="{radius:.1f}" '
                    f"{fill}/>"
                )
            case _:
                line = np.array([[float(left), middle], [float(right), middle]])
                lines = arrow(line[0], line[1], 4 * self.unit) if kind == "arrow" else [line]
                dashed = kind == "dashes"
                self.parts.append(_path(lines, hue, 2 * self.unit, dashed=self._dash(dashed)))

    def _dash(self, dashed: bool) -> str:
        return f"{6 * self.unit:.1f} {3.5 * self.unit:.1f}" if dashed else ""

    def panel(self, panel: PicturePanel, box: Box, grid: tuple[list[float], list[float]]) -> None:
        """Draw the layers of a panel over its grid lines."""
        inside = _Plot(self, panel, box)
        self.parts.append(
            f'<svg x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}">'
        )
        if not self.theme.clear:
            self.parts.append(f'<rect width="100%" height="100%" fill="{self.theme.panel}"/>')
        for layer in panel.layers:
            if isinstance(layer, Shade):
                self.parts.append(inside.shade_image(layer))
        self.parts.append(inside.grid(*grid))
        for layer in panel.layers:
            self.parts += inside.layer(layer)
        self.parts.append("</svg>")


def _path(
    lines: Iterable[Floats], hue: str, width: float, opacity: float = 1.0, dashed: str = ""
) -> str:
    """Return lines (m, 2) in pixels as one path."""
    path = "".join(
        "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in part.tolist())
        for line in lines
        for part in raster.parts(line)
    )
    dash = f' stroke-dasharray="{dashed}"' if dashed else ""
    return (
        f'<path d="{path}" stroke="{hue}" stroke-width="{width:.2f}" stroke-opacity="{opacity:g}" '
        f'stroke-linejoin="round" stroke-linecap="butt" fill="none"{dash}/>'
    )


class _Plot(PlotArea):
    """The inside of a panel during drawing."""

    def __init__(self, pen: SvgPen, panel: PicturePanel, box: Box) -> None:
        super().__init__(panel, box, pen.unit)
        self.pen, self.theme = pen, pen.theme

    def pixels(self, positions: Floats) -> Floats:
        """Convert coordinates (…, 2) to pixels, clipped: some readers reject large numbers."""
        return np.clip(super().pixels(positions), -1e5, 1e5)

    def grid(self, across: list[float], up: list[float]) -> str:
        """Return thin lines at the ticks."""
        (x0, x1), (y0, y1) = self.panel.xs, self.panel.ys
        lines = [np.array([[x, y0], [x, y1]]) for x in across]
        lines += [np.array([[x0, y], [x1, y]]) for y in up]
        return _path(map(self.pixels, lines), self.theme["line"], 1, 0.6)

    def shade_image(self, layer: Shade) -> str:
        """Return a density as an image of one colour with varying opacity."""
        p, plain = self.shade(layer), layer.role == "shade"
        alpha = ((np.sqrt(p) if plain else p) * 0.92 * 255).astype(np.uint8)
        ink = self.theme.shade if plain else self.theme[layer.role]
        hue = np.broadcast_to(np.array(rgb(ink), np.uint8), (*alpha.shape, 3))
        out = BytesIO()
        Image.fromarray(np.concatenate([hue, alpha[..., None]], 2), "RGBA").save(out, "PNG")
        data = b64encode(out.getvalue()).decode("ascii")
        return (
            f'<image width="{self.width}" height="{self.height}" '
            f'href="data:image/png;base64,{data}"/>'
        )

    def layer(self, layer: Layer) -> list[str]:
        """Return the elements of a layer."""
        hue = self.theme.roles.get(layer.role, "")
        unit = self.unit
        match layer:
            case Dots(groups=Groups() as groups):
                return [*self._grouped(layer.points[:_MOST_POINTS], groups.of(slice(_MOST_POINTS)))]
            case Dots():
                points = self.pixels(layer.points[:_MOST_POINTS])
                path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points.tolist())
                return [
                    f'<path d="{path}" stroke="{hue}" stroke-width="{2.2 * unit:.2f}" '
                    'stroke-linecap="round" stroke-opacity="0.7"/>'
                ]
            case Contour():
                return [self._contour(layer, hue, unit)]
            case Rings():
                return [
                    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{6.5 * unit:.1f}" stroke="{hue}" '
                    f'stroke-width="{1.4 * unit:.1f}" fill="none"/>'
                    for x, y in self.pixels(layer.positions).tolist()
                ]
            case Curves():
                dash = self.pen._dash(layer.dashed)
                return [
                    _path(self.pixels(layer.lines), hue, layer.width * unit, layer.opacity, dash)
                ]
            case Bars():
                return [self._bars(layer, hue)]
            case Band():
                return [self._band(layer, hue)]
            case HeatMap():
                return [*self._heat_map(layer)]
            case Arrows():
                return [_path(self.arrows(layer), hue, 1.3 * unit)]
            case _:
                return []

    def _grouped(self, points: Floats, groups: Groups) -> Iterator[str]:
        """Yield points by group, in several turns, so that no group lies over all others."""
        radius = radius_of(self.unit, len(points))
        at = self.pixels(points)
        for turn in np.array_split(np.arange(len(points)), min(_TURNS, max(len(points), 1))):
            for k in groups.of(turn).present:
                group = groups.groups[k]
                of = at[turn][groups.index[turn] == k].tolist()
                data = "".join(outline(group.shape, x, y, radius) for x, y in of)
                yield path(group.shape, data, self.theme[group.role], radius, 0.8)

    def _heat_map(self, layer: HeatMap) -> Iterator[str]:
        for cell in heat_cells(self, layer):
            left, top, right, bottom = cell.box
            fill = f'fill="{self.theme.shade}" fill-opacity="{0.92 * cell.strength:.3f}"'
            fill = fill if np.isfinite(cell.strength) else 'fill="none"'
            frame = f' stroke="{self.theme[layer.role]}" stroke-width="{2 * self.unit:.2f}"'
            yield (
                f'<rect x="{left:.2f}" y="{top:.2f}" width="{right - left:.2f}" '
                f'height="{bottom - top:.2f}" {fill}{frame if cell.marked else ""}/>'
            )
            size, lines = text_lines(cell, self.unit)
            for x, y, words in lines:
                yield (
                    f'<text x="{x:.1f}" y="{y + 0.35 * size:.1f}" fill="{self.theme["text"]}" '
                    f'font-size="{size:.1f}" text-anchor="middle">{escape(words)}</text>'
                )

    def _contour(self, layer: Contour, hue: str, unit: float) -> str:
        panel = self.panel
        # Small spikes need cells finer than the panel's pixels for round contours.
        pixel = (panel.xs[1] - panel.xs[0]) / self.width
        narrow = layer.truth.narrowest < 4 * pixel
        fine = 1 if not narrow else 4 if layer.truth.modes <= 16 else 2
        size = (fine * self.width, fine * self.height)
        logs = raster.log_density(layer.truth, panel.xs, panel.ys, *size)
        lines = raster.contour_lines(logs, raster.contour_level(logs, layer.share)) / fine
        path = "".join(
            f"M{a:.4g} {b:.4g}L{c:.4g} {d:.4g}" for a, b, c, d in lines.reshape(-1, 4).tolist()
        )
        return (
            f'<path d="{path}" stroke="{hue}" stroke-width="{1.3 * unit:.2f}" '
            'stroke-linecap="round" fill="none"/>'
        )

    def _bars(self, layer: Bars, hue: str) -> str:
        lefts, rights, tops, bases = self.bars(layer)
        wide = rights - lefts
        wide -= np.where(wide > 3 * layer.wide, 1.0, 0.0)  # a gap, if it fits
        path = "".join(
            f"M{x:.2f} {base:.2f}V{top:.2f}h{w:.2f}V{base:.2f}"
            for x, top, base, w in np.stack([lefts, tops, bases, wide], -1).tolist()
            if np.isfinite(top) and top != base
        )
        return f'<path d="{path}" fill="{hue}" fill-opacity="0.8"/>'

    def _band(self, layer: Band, hue: str) -> str:
        lows, highs = self.band(layer)
        around = np.concatenate([highs, lows[::-1]])
        positions = " ".join(f"{x:.2f},{y:.2f}" for x, y in around.tolist())
        return f'<polygon points="{positions}" fill="{hue}" fill-opacity="0.45"/>'
