"""Curves, histograms and axes as text.

`draw_plot` turns a `PlotFigure` into lines. plotext draws curves, rules and axes with their ticks;
the tags of its cells are replaced by styles of the palette.

plotext visits every dot of a line in Python, while a training waits. Dense curves, such as the band
of a raw loss (10 to 600 ms in plotext), are therefore drawn by numpy on the same dots, under the
other curves.

Bars are also drawn here, in eighths of a cell, under the curves: in plotext a cell belongs to one
series, so a curve across the bars would cut a hole into them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from ...core.arrays import Floats, Range
from ...core.axes import AS_IT_IS, Axis
from ...core.numbered_text import NumberedText, text_of
from ...interface.glyphs import Glyphs
from ..readings import named
from .axes import AxisScale, scale_of
from .curves import scattered, stroke, visible_parts, with_gaps
from .dots import BRAILLE, BRAILLE_BITS, QUADRANT_BITS, QUADRANTS, codes_of
from .figure import AxisTick, Curve, LegendEntry, Marker, PlotFigure
from .palette import Palette
from .plotext_raster import DotLine, rasterize, rasterize_axes
from .strips import one_cell_text, strips_of

SMALLEST_PLOT = (12, 5)
"""Minimum width and height of a plot, in cells."""


def draw_plot(
    figure: PlotFigure, width: int, height: int, palette: Palette, glyphs: Glyphs = "braille"
) -> list[Strip]:
    """Draw `figure` as `height` lines of `width` cells: a row of legend, the plot, and its axes.

    The result is blank below the `SMALLEST_PLOT` size. Raise nothing, however large, small or
    non-finite.
    """
    width, height = max(0, width), max(0, height)
    if width < SMALLEST_PLOT[0] or height < SMALLEST_PLOT[1]:
        return [Strip.blank(width)] * height
    sheet = _Sheet(_told_apart(figure) if palette.colourless else figure, width, height, glyphs)
    return _strips(sheet, palette)


def sketch(
    figure: PlotFigure, width: int, height: int, palette: Palette, glyphs: Glyphs = "braille"
) -> list[Strip]:
    """Draw `figure` in a few lines: without axes, and with a legend column at the right."""
    width, height = max(0, width), max(0, height)
    names = [
        (f" {sample[0]} {text_of(label)}", role)
        for sample, label, role in legend_of(figure, glyphs)
    ]
    room = width - max((len(text) for text, _ in names), default=0)
    if room < 8 or not height:
        return [Strip.blank(width)] * height
    bare = replace(figure, x_label="", y_label="", x_ticks=(), y_ticks=())
    around = (_LABEL_WIDTH + 1, _ROWS_AROUND)
    lines = draw_plot(bare, room + around[0], height + around[1], palette, glyphs)
    beside = [
        Strip([Segment(one_cell_text(text, glyphs), palette.style(role))]) for text, role in names
    ]
    beside += [Strip([])] * height
    return [
        Strip.join([line.crop(around[0], around[0] + room), name]).adjust_cell_length(width)
        for line, name in zip(lines[1 : height + 1], beside, strict=False)
    ]


_APART: tuple[Marker, ...] = ("braille", "blocks", "dot")


def _told_apart(figure: PlotFigure) -> PlotFigure:
    """Return `figure` with a different marker for every line, for palettes without hues."""
    used = 0
    curves = []
    for curve in figure.curves:
        if curve.marker == "braille" and not curve.fill:
            curve = replace(curve, marker=_APART[used % len(_APART)])
            used += 1
        curves.append(curve)
    return replace(figure, curves=tuple(curves))


def plot_frame(
    x_range: Range,
    y_range: Range,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs = "braille",
    *,
    x_label: str = "",
    y_label: str = "",
    legend: Sequence[LegendEntry] = (),
    axes: tuple[Axis, Axis] = (AS_IT_IS, AS_IT_IS),
) -> tuple[list[Strip], Region]:
    """Draw only the axes, as `draw_plot` does; return them with the area of the plot, in cells.

    `legend` is that of the later content. Below the `SMALLEST_PLOT` size the area
    is empty. The area depends on the ranges, because their tick labels need space.
    """
    width, height = max(0, width), max(0, height)
    if width < SMALLEST_PLOT[0] or height < SMALLEST_PLOT[1]:
        return [Strip.blank(width)] * height, Region(0, 0, 0, 0)
    figure = PlotFigure(
        x_range=x_range,
        y_range=y_range,
        x_label=x_label,
        y_label=y_label,
        x_axis=axes[0],
        y_axis=axes[1],
    )
    sheet = _Sheet(figure, width, height, glyphs, legend)
    return _strips(sheet, palette), sheet.inner


def inner_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of the plot within a frame of `width` by `height` with ordinary tick labels.

    `plot_frame` returns the exact size; this estimate is for choosing the ranges (`equal_ranges`).
    """
    return max(0, width - _LABEL_WIDTH - 1), max(0, height - _ROWS_AROUND)


_LABEL_WIDTH = 5
"""Cells reserved for tick labels, so that the axis keeps its position when the numbers change."""
_ROWS_AROUND = 3  # legend, axis, tick labels

_UNICODE_MARKERS = {"braille": "braille", "dashed": "braille", "blocks": "hd"}
_BLOCK_MARKERS = {"braille": "hd", "dashed": "hd", "blocks": "hd"}
_LATTICES = {"braille": (BRAILLE_BITS, BRAILLE), "hd": (QUADRANT_BITS, QUADRANTS)}
_POINTS = {"dot": "•", "cross": "×"}
_ASCII_POINTS = {"dot": "o", "cross": "x"}
_ASCII_LINES = "*+o%="
_SAMPLES = {"braille": "──", "dashed": "╌╌", "blocks": "▀▀", "dot": "••", "cross": "××"}
_EIGHTHS = np.array(list(" ▁▂▃▄▅▆▇█"))
_ASCII_EIGHTHS = np.array(list(" ...#####"))


class _Sheet:
    """A figure laid out: characters `(height, width)`, and roles of ink and background.

    `ink` and `ground` are indices into `roles`; role 0 is the axes, and background 0 is none. The
    role of a legend's label has its text, if that has numbers.
    """

    def __init__(
        self,
        figure: PlotFigure,
        width: int,
        height: int,
        glyphs: Glyphs,
        legend: Sequence[LegendEntry] = (),
    ) -> None:
        self.glyphs = glyphs
        self.roles: list[tuple[str, NumberedText]] = [("axis", "")]
        self._figure = figure
        curves = tuple(_arrays(curve) for curve in figure.curves)
        rules = [[rule.at for rule in lines] for lines in (figure.v_lines, figure.h_lines)]
        bars = [[0.0] for curve in figure.curves if curve.fill and not figure.log_y]
        self._x = scale_of(figure.x_range, [*(xs for xs, _ in curves), rules[0]])
        self._y = scale_of(
            figure.y_range,
            [*(ys for _, ys in curves), *bars, rules[1]],
            log=figure.log_y,
            pad=0.05,
        )
        x_ticks = _placed(figure.x_ticks, self._x, max(3, width // 8), glyphs, figure.x_axis)
        y_ticks = _placed(figure.y_ticks, self._y, max(3, height // 4), glyphs, figure.y_axis)
        margin = max([_LABEL_WIDTH, *(len(text) for _, text in y_ticks)])
        self.inner = Region(margin + 1, 1, width - margin - 1, height - _ROWS_AROUND)
        shares = [(self._x.unit(xs), self._y.unit(ys)) for xs, ys in curves]
        lines = [
            self._line(curve, *positions)
            for curve, positions in zip(figure.curves, shares, strict=True)
            if _by_plotext(curve)
        ]
        self._raster(x_ticks, [(at, text.rjust(margin)) for at, text in y_ticks], lines)
        self.ground = np.zeros_like(self.ink)
        drawn, ink = self.characters != " ", self.ink.copy()
        ours = [
            (order, curve)
            for order, curve in enumerate(figure.curves)
            if not curve.fill and not _by_plotext(curve)
        ]
        for order, curve in sorted(ours, key=lambda pair: not pair[1].dense):
            over = figure.curves if curve.dense else figure.curves[order:]
            roles = [self._role(line.role) for line in over if _by_plotext(line)]
            self._dots(curve, *shares[order], free=~(drawn & np.isin(ink, roles)))
        for curve, (xs, ys) in zip(figure.curves, curves, strict=True):
            if curve.fill:
                self._bars(self._x.unit(xs), self._y.unit(ys), self._role(curve.role), curve.sign)
        self._header(legend or legend_of(figure, glyphs))
        self._axis_label(_label(figure.x_label, "x", self._x.offset(figure.x_axis)))

    def _role(self, role: str, text: NumberedText = "") -> int:
        key = (role, "" if isinstance(text, str) else text)
        if key not in self.roles:
            self.roles.append(key)
        return self.roles.index(key)

    def _line(self, curve: Curve, xs: Floats, ys: Floats) -> DotLine:
        """Convert a curve to plotext's arguments."""
        marker = _marker(self._figure, curve, self.glyphs)
        return visible_parts(xs, ys), marker, self._role(curve.role)

    def _raster(
        self, x_ticks: Sequence[AxisTick], y_ticks: Sequence[AxisTick], lines: Sequence[DotLine]
    ) -> None:
        """Draw axes, ticks, rules and curves."""
        rules = []
        for marks, scale in ((self._figure.v_lines, self._x), (self._figure.h_lines, self._y)):
            positions = ((float(scale.unit(rule.at)), self._role(rule.role)) for rule in marks)
            rules.append(tuple((at, role) for at, role in positions if 0 <= at <= 1))
        # At least one tick is needed: the width of its text determines the position of the axis.
        labels = tuple(y_ticks) or ((0.0, " " * (self.inner.x - 1)),)
        draw = partial(rasterize, lines=lines) if lines else rasterize_axes
        width, height = self.inner.right, self.inner.bottom + 2
        characters, ink = draw(width, height, self.glyphs, tuple(x_ticks), labels, *rules)
        self.characters, self.ink = characters.copy(), ink.copy()

    def _dots(self, curve: Curve, xs: Floats, ys: Floats, free: NDArray[np.bool_]) -> None:
        """Draw points, dense lines and broken lines into free cells; a cell shows the last dots."""
        if curve.marker == "dashed":
            xs, ys = with_gaps(xs, ys, 2 * self.inner.width)
        marker, role = _marker(self._figure, curve, self.glyphs), self._role(curve.role)
        bits, characters = _LATTICES.get(marker, (((1,),), np.array([" ", marker])))
        columns, rows = len(bits[0]) * self.inner.width, len(bits) * self.inner.height
        draw_on = scattered if curve.marker in _POINTS else stroke
        codes = codes_of(draw_on(xs, ys, columns, rows), bits)
        area = (slice(self.inner.y, self.inner.bottom), slice(self.inner.x, self.inner.right))
        hit = (codes > 0) & (free[area] | (curve.marker in _POINTS))
        cells = self.characters[area]
        if curve.marker == "dashed":  # the dots join those of the other line, in its colour
            known = {character: code for code, character in enumerate(characters.tolist())}
            for y, x in np.argwhere((codes > 0) & ~hit).tolist():
                code = known.get(cells[y, x])
                cells[y, x] = cells[y, x] if code is None else characters[code | codes[y, x]]
        cells[hit] = characters[codes[hit]]
        self.ink[area][hit] = role

    def _bars(self, xs: Floats, ys: Floats, role: int, sign: str) -> None:
        """Draw bars under the existing content, one height per column, in eighths of a cell.

        Bars that are drawn first cover later ones, so that stacked bars are drawn from below. With
        a `sign`, they consist of whole cells with this character.
        """
        known = np.isfinite(xs) & np.isfinite(ys)
        xs, ys = xs[known], ys[known]
        if not xs.size:
            return
        columns, rows = self.inner.width, self.inner.height
        across = np.linspace(0.0, 1.0, columns)
        half = max(float(np.median(np.diff(xs))) if xs.size > 1 else 0.0, 1 / columns) / 2
        after = np.clip(np.searchsorted(xs, across), 1, max(1, xs.size - 1))
        nearest = np.where(
            np.abs(across - xs[after - 1]) <= np.abs(xs[np.minimum(after, xs.size - 1)] - across),
            after - 1,
            np.minimum(after, xs.size - 1),
        )
        within = np.abs(across - xs[nearest]) <= half + 1e-9
        zero = 0.0 if self._y.log else float(np.clip(self._y.unit(0.0), 0.0, 1.0))
        tops = np.clip(ys[nearest], 0.0, 1.0)
        # plotext maps a share of the axis to a dot, of which a cell has four. The bar ends at the
        # centre of that dot, so that a curve through its top follows its edge.
        ends = np.rint(((4 * rows - 1) * tops + 0.5) * 2).astype(np.int64)
        base = 0 if zero == 0 else round(((4 * rows - 1) * zero + 0.5) * 2)
        low = np.where(within & (ys[nearest] != zero), np.minimum(ends, base), 0)
        high = np.where(within & (ys[nearest] != zero), np.maximum(ends, base), 0)
        floor = 8 * np.arange(rows - 1, -1, -1)[:, None]
        covered = np.clip(high - floor, 0, 8) - np.clip(low - floor, 0, 8)
        # Characters exist only for the lower eighths of a cell, so a bar that hangs from 0 ends in
        # whole cells.
        hanging = (low > floor) & (low < floor + 8) & (covered > 0)
        covered = np.where(hanging, np.where(covered >= 4, 8, 0), covered)
        area = (
            slice(self.inner.y, self.inner.bottom),
            slice(self.inner.x, self.inner.right),
        )
        characters, ink, ground = self.characters[area], self.ink[area], self.ground[area]
        free = (characters == " ") & (covered >= (4 if sign else 1))
        shades = _ASCII_EIGHTHS if self.glyphs == "ascii" else _EIGHTHS
        characters[free] = one_cell_text(sign, self.glyphs) or shades[covered[free]]
        ink[free] = role
        if self.glyphs != "ascii" and not sign:
            crossed = ~np.isin(characters, (" ", "█")) & ~free & (covered >= 4) & (ground == 0)
            ground[crossed] = role

    def _header(self, legend: Sequence[LegendEntry]) -> None:
        """Draw the label of the y axis and, at the right, as much of the legend as fits.

        An entry without text stands close to the one before.
        """
        label = _label(self._figure.y_label, "y", self._y.offset(self._figure.y_axis))
        end = self._write(label, self.inner.x, 0, 0)
        if label:
            end += 2
        room = self.inner.right - end
        fitting: list[LegendEntry] = []
        for entry in legend:
            words = len(text_of(entry[1]))
            gap = (3 if words else 1) if fitting else 0
            used = gap + len(entry[0]) + (1 + words if words else 0)
            if used > room:
                if not words and fitting:  # more of the same
                    fitting[-1] = ("…", "", "text")
                break
            room -= used
            fitting.append(entry)
        x = end + room
        for number, (sample, text, role) in enumerate(fitting):
            x += (3 if text else 1) if number else 0
            x = self._write(sample, x, 0, self._role(role))
            if text:
                x = self._write(text_of(text), x + 1, 0, self._role("text", text))

    def _axis_label(self, label: str) -> None:
        """Draw the label of the x axis over the right end of the axis."""
        if label and len(label) + 6 < self.inner.width:
            self._write(f" {label} ", self.inner.right - len(label) - 3, self.inner.bottom, 0)

    def _write(self, text: str, x: int, y: int, role: int) -> int:
        """Write as much of `text` as fits; return the column after it."""
        characters = one_cell_text(text, self.glyphs)[: max(0, self.inner.right - x)]
        self.characters[y, x : x + len(characters)] = list(characters)
        self.ink[y, x : x + len(characters)] = role
        return x + len(characters)


def legend_of(figure: PlotFigure, glyphs: Glyphs) -> list[LegendEntry]:
    """Return sample, label and role of each labelled series, as the legend shows them."""
    entries = list(figure.legend)
    for curve in figure.curves:
        if curve.label:
            sample = "▇▇" if curve.fill else _SAMPLES[curve.marker]
            if glyphs == "ascii":
                sample = "##" if curve.fill else _marker(figure, curve, glyphs) * 2
            entries.append((sample, curve.label, curve.role))
    for rules, sample in ((figure.h_lines, "──"), (figure.v_lines, "│")):
        entries += [(sample, rule.label, rule.role) for rule in rules if rule.label]
    return entries


def _marker(figure: PlotFigure, curve: Curve, glyphs: Glyphs) -> str:
    """Return the character of a curve, or plotext's name of its set of characters."""
    if curve.marker in _POINTS:
        return (_ASCII_POINTS if glyphs == "ascii" else _POINTS)[curve.marker]
    if glyphs == "ascii":
        lines = [c for c in figure.curves if not c.fill and c.marker not in _POINTS]
        return _ASCII_LINES[lines.index(curve) % len(_ASCII_LINES)]
    return (_BLOCK_MARKERS if glyphs == "blocks" else _UNICODE_MARKERS)[curve.marker]


def _by_plotext(curve: Curve) -> bool:
    # A broken line is about twenty lines to plotext, each as costly as a whole one.
    return not (curve.fill or curve.dense or curve.marker in ("dashed", *_POINTS))


def _arrays(curve: Curve) -> tuple[Floats, Floats]:
    xs, ys = (np.asarray(a, dtype=np.float64).ravel() for a in (curve.xs, curve.ys))
    count = min(xs.size, ys.size)
    return xs[:count], ys[:count]


def _label(text: str, name: str, offset: float) -> str:
    """Return an axis label, with the offset of its ticks if that is not 0."""
    return f"{text or name} - {offset:.15g}" if offset else text


def _placed(
    given: Sequence[AxisTick] | None, scale: AxisScale, count: int, glyphs: Glyphs, axis: Axis
) -> list[AxisTick]:
    """Return ticks at shares of the axis, without those outside."""
    ticks = scale.ticks(count, axis) if given is None else given
    shares = [(float(scale.unit(value)), one_cell_text(text, glyphs)[:9]) for value, text in ticks]
    return [(share, text) for share, text in shares if 0 <= share <= 1]


def _strips(sheet: _Sheet, palette: Palette) -> list[Strip]:
    """Return the sheet as lines, with one style for each pair of ink and background in use."""
    styles = [named(palette.style(role), text) for role, text in sheet.roles]
    pairs, keys = np.unique(sheet.ink + len(styles) * sheet.ground, return_inverse=True)
    combined = []
    for pair in pairs:
        ground, ink = divmod(int(pair), len(styles))
        under = Style(bgcolor=styles[ground].color) if ground else Style.null()
        combined.append(styles[ink] + under)
    return strips_of(sheet.characters, keys.reshape(sheet.ink.shape), combined)
