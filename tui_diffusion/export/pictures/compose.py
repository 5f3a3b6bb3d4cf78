"""The layout of a picture, the same for pixels and for SVG.

A `Pen` draws text, straight lines and a panel's layers; this module computes their content and
position.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...core.progress import ProgressCallback
from .figure import Figure, PicturePanel, Sample
from .ticks import marks

LEAST_TEXT = 9.0
"""Size of the smallest text, in pixels."""

_TICK = 11.0
"""Design size of the smallest text, large enough to stay legible."""

_WIDE = 1.35
"""Ratio of width to height of a plot whose axes have different scales."""


@dataclass(frozen=True)
class Box:
    """A rectangle, in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The column after the last."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The row after the last."""
        return self.top + self.height


class Pen(Protocol):
    """A device that draws a picture of ``size``; ``unit`` scales text and lines (1 at 1280×800)."""

    size: tuple[int, int]
    unit: float

    def text(
        self, x: float, y: float, words: str, role: str, size: float, anchor: str, up: bool = False
    ) -> None:
        """Draw text. ``anchor`` is Pillow's; with ``up`` the text reads from bottom to top."""

    def length(self, words: str, size: float) -> float:
        """Return the width of a text, in pixels."""

    def sample(self, kind: Sample, role: str, box: Box) -> None:
        """Draw the legend sample of a layer."""

    def panel(self, panel: PicturePanel, box: Box, grid: tuple[list[float], list[float]]) -> None:
        """Draw the layers of a panel over its grid lines."""


def unit_of(size: tuple[int, int], panels: int = 1) -> float:
    """Return the text scale for a picture of this size, large enough to stay legible."""
    share = math.sqrt(size[0] * size[1] / (1280 * 800))
    return max(LEAST_TEXT / _TICK, share * (1.0 if panels <= 4 else 0.85))


"""Callback with the work done and the total; an exception that it raises ends the drawing."""


def compose(
    figure: Figure,
    pen: Pen,
    columns: int = 0,
    foot: int = 0,
    progress: ProgressCallback = lambda done, total: None,
) -> Box:
    """Draw a figure and return the box at its lower end, ``foot`` pixels high, that stays free.

    ``columns`` is the number of columns of panels; 0 selects the number that fills the picture
    best. ``progress`` is called after every panel.
    """
    px = _scale(pen)
    pad = px(16)
    top = _header(figure, pen, pad)
    low = pen.size[1] - px(10) - foot
    if figure.facts:
        low -= px(20)
        _facts(figure, pen, pad, low + px(13))
    area = Box(pad, top, pen.size[0] - 2 * pad, low - top)
    _panels(figure.panels, pen, area, columns, progress)
    return Box(pad, pen.size[1] - foot, area.width, foot)


def _scale(pen: Pen) -> _Scale:
    return _Scale(pen.unit)


@dataclass(frozen=True)
class _Scale:
    unit: float

    def __call__(self, size: float) -> int:
        """Convert a design length to pixels."""
        return max(1, round(size * self.unit))


# --- title, legend, numbers ----------------------------------------------------------------------


def fitted(pen: Pen, words: str, size: float, room: float) -> str:
    """Return the text, cut at its end if it is wider than ``room``."""
    while words and pen.length(words, size) > room:
        words = words[:-2].rstrip() + "…" if len(words) > 2 else ""
    return words


def _header(figure: Figure, pen: Pen, pad: int) -> int:
    """Draw title, note and legend; return the row below them."""
    px, right = _scale(pen), pen.size[0] - pad
    y = px(30)
    noted = pen.length(figure.longest or figure.note, 14)
    beside = pen.length(figure.title, 20) + noted + px(20) <= right - pad
    pen.text(pad, y, fitted(pen, figure.title, 20, right - pad), "text", 20, "ls")
    if figure.note and not beside:
        y += px(20)
    note = fitted(pen, figure.note, 14, right - pad)
    pen.text(right if beside else pad, y, note, "dim", 14, "rs" if beside else "ls")
    x, free = float(pad), figure.entries
    if free:
        y += px(21)
    for kind, role, label in free:
        wide = px(24) + pen.length(label, 13)
        if x > pad and x + wide > right:
            x, y = float(pad), y + px(18)
        pen.sample(kind, role, Box(round(x), y - px(11), px(18), px(13)))
        pen.text(x + px(24), y, fitted(pen, label, 13, right - x - px(24)), "text", 13, "ls")
        x += wide + px(18)
    return y + px(12)


def _facts(figure: Figure, pen: Pen, left: int, y: int) -> None:
    """Draw as many numbers beside their exact values as fit."""
    px, x = _scale(pen), float(left)
    for name, seen, exact in figure.facts:
        words = [(name, "dim"), (seen, "text"), ("exact", "dim"), (exact, "truth")]
        wide = sum(pen.length(text, 12) + px(6) for text, _ in words)
        if x + wide > pen.size[0] - left:
            return
        for text, role in words:
            pen.text(x, y, text, role, 12, "ls")
            x += pen.length(text, 12) + px(6)
        x += px(14)


# --- panels --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Room:
    """The space that a panel needs around its plot, in pixels."""

    left: int
    above: int
    below: int
    gap: int

    @classmethod
    def of(cls, unit: float, panels: Sequence[PicturePanel]) -> Room:
        """Measure the space for titles, ticks and axis labels."""
        px = _Scale(unit)
        titled = any(panel.title or panel.notes for panel in panels)
        y_label, x_label = (any(getattr(p, f"{a}_label") for p in panels) for a in "yx")
        left = px(40) + (px(15) if y_label else 0)
        return cls(left, px(20) if titled else 0, px(17) + (px(16) if x_label else 0), px(12))

    def side(self, width: int, height: int, count: int, columns: int, square: bool) -> float:
        """Return the height of each of ``count`` plots in an area with this many columns."""
        rows = -(-count // columns)
        across = (width - (columns - 1) * self.gap) / columns - self.left
        down = (height - (rows - 1) * self.gap) / rows - self.above - self.below
        return max(min(across if square else across / _WIDE, down), 1.0)

    def columns(self, width: int, height: int, count: int, square: bool) -> int:
        """Return the number of columns that makes the plots largest."""
        return max(range(1, count + 1), key=lambda c: self.side(width, height, count, c, square))


def panels_for(size: tuple[int, int], most: int, model: PicturePanel) -> int:
    """Return how many panels like ``model`` fill a picture best and stay legible, up to ``most``.

    The score combines the area of the plots and their number.
    """
    unit = unit_of(size, most)
    room = Room.of(unit, [model])
    width, height = size[0] - round(32 * unit), size[1] - round(90 * unit)

    def worth(count: int) -> float:
        columns = room.columns(width, height, count, model.square)
        side = room.side(width, height, count, columns, model.square)
        legible = min(side / (100 * unit), 1.0) ** 4
        return float(count**1.5 * side**2 * legible)

    return max(range(1, most + 1), key=worth)


def _panels(
    panels: Sequence[PicturePanel], pen: Pen, area: Box, columns: int, progress: ProgressCallback
) -> None:
    if not panels:
        return
    room, square = Room.of(pen.unit, panels), all(panel.square for panel in panels)
    columns = columns or room.columns(area.width, area.height, len(panels), square)
    rows = -(-len(panels) // columns)
    across = (area.width - (columns - 1) * room.gap) // columns - room.left
    down = (area.height - (rows - 1) * room.gap) // rows - room.above - room.below
    wide, tall = max(across, 8), max(down, 8)
    if square:
        wide = tall = min(wide, tall)
    elif len(panels) > 1 or wide > 2.4 * tall:
        wide = min(wide, round(2.4 * tall))
        tall = min(tall, round(1.5 * wide))
    cell = (room.left + wide + room.gap, room.above + tall + room.below + room.gap)
    left = area.left + max(0, area.width - (columns * cell[0] - room.gap)) // 2
    top = area.top + max(0, area.height - (rows * cell[1] - room.gap)) // 2
    for k, panel in enumerate(panels):
        row, column = divmod(k, columns)
        box = Box(left + column * cell[0] + room.left, top + row * cell[1] + room.above, wide, tall)
        lowest = k + columns >= len(panels)
        _panel(panel, pen, box, room, first=column == 0, lowest=lowest)
        progress(k + 1, len(panels))


def _panel(
    panel: PicturePanel, pen: Pen, box: Box, room: Room, *, first: bool, lowest: bool
) -> None:
    px = _scale(pen)
    if panel.square and box.width != box.height:
        side = min(box.width, box.height)
        box = Box(box.left + (box.width - side) // 2, box.top, side, side)
    across = marks(panel, max(4, round(box.width / px(56))), across=True)
    up = marks(panel, max(4, round(box.height / px(48))), across=False)
    grid = (
        [] if panel.names else [at for at, _ in across],
        [] if panel.y_names else [at for at, _ in up],
    )
    pen.panel(panel, box, grid)
    _titles(panel, pen, box)
    free = float(box.left - px(14))
    for at, words in across:
        half = pen.length(words, _TICK) / 2
        x = box.left + (at - panel.xs[0]) / (panel.xs[1] - panel.xs[0]) * box.width
        if x - half >= free and x + half <= box.right + px(10):
            pen.text(x, box.bottom + px(14), words, "dim", _TICK, "ms")
            free = x + half + px(6)
    for at, words in up:
        y = box.bottom - (at - panel.ys[0]) / (panel.ys[1] - panel.ys[0]) * box.height
        if pen.length(words, _TICK) <= px(40):
            pen.text(box.left - px(5), y, words, "dim", _TICK, "rm")
    if panel.x_label and lowest:
        middle = box.left + box.width / 2
        pen.text(middle, box.bottom + px(30), panel.x_label, "text", 12, "ms")
    if panel.y_label and first:
        # The note stands beside the ticks if these are fixed; elsewhere it need not move with them.
        widest = max((pen.length(words, _TICK) for _, words in up), default=0.0)
        beside = box.left - px(11) - widest if panel.square else 0.0
        x, y = max(beside, box.left - room.left + px(12)), box.top + box.height / 2
        pen.text(x, y, panel.y_label, "text", 12, "ms", True)


def _titles(panel: PicturePanel, pen: Pen, box: Box) -> None:
    """Draw a plot's title at its left end and, if there is room, a note at its right end."""
    y = box.top - _scale(pen)(7)
    title = fitted(pen, panel.title, 13, box.width)
    pen.text(box.left, y, title, "text", 13, "ls")
    free = box.width - pen.length(title, 13) - _scale(pen)(10)
    note = next((note for note in panel.notes if pen.length(note, 11) <= free), "")
    pen.text(box.right, y, note, "dim", 11, "rs")
