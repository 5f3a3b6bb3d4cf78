"""Dense points as text: binned in numpy to braille, quadrant blocks or ASCII.

A cell holds a lattice of dots, two across and four down, which are about square. A range's lower
end falls on the first dot of the lattice and its upper end on the last one (the rule by which
plotext places its curves and ticks), so that a picture made here fits into a frame made there.
Arrays of dots and cells have row 0 at the top; data has y pointing up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..terminal.glyphs import Glyphs
from .palette import Palette
from .strips import Characters, compose, plain

Range = tuple[float, float]
Dots = NDArray[np.bool_]

BRAILLE_BITS = ((1, 8), (2, 16), (4, 32), (64, 128))  # Unicode's numbering of a cell's dots
QUADRANT_BITS = ((1, 2), (4, 8))
BRAILLE = np.array([" ", *(chr(0x2800 + code) for code in range(1, 256))])
QUADRANTS = np.array(list(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"))
_QUARTERS = (1 | 2, 8 | 16, 4 | 64, 32 | 128)  # the dots in each quadrant, as these are numbered
_ASCII_DOTS = " .::**###"  # by the number of dots in the cell
_DOTS: dict[Glyphs, Characters] = {  # the character of each set of a cell's dots
    "braille": BRAILLE,
    "blocks": QUADRANTS[
        [sum(bool(code & q) << n for n, q in enumerate(_QUARTERS)) for code in range(256)]
    ],
    "ascii": np.array([_ASCII_DOTS[code.bit_count()] for code in range(256)]),
}
_ASCII_SHADES = np.array(list(" .:-=+*#%@"))
_SHADES = np.array(list(" ░▒▓█"))
_HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
_ARROWS = "→↗↑↖←↙↓↘"  # by eighths of a turn from the right, as angles go
_TRUE_ARROWS = "⇒⇗⇑⇖⇐⇙⇓⇘"
_FOUR_ARROWS = {"blocks": "→→↑←←←↓→", "ascii": ">>^<<<v>"}  # these fonts have no others


@dataclass(frozen=True)
class Layer:
    """Dots of one kind: `dots` of shape `(4·height, 2·width)`."""

    dots: Dots
    role: str


@dataclass(frozen=True)
class Mark:
    """One character over the picture, at a cell counted from the upper left corner."""

    x: int
    y: int
    character: str
    role: str


def bin_points(points: ArrayLike, x_range: Range, y_range: Range, width: int, height: int) -> Dots:
    """The dots hit by `points` `(n, 2)`, as `(4·height, 2·width)`.

    Non-finite points and points outside the ranges are left out.
    """
    return density(points, x_range, y_range, width, height, (4, 2)) > 0


def density(
    points: ArrayLike,
    x_range: Range,
    y_range: Range,
    width: int,
    height: int,
    sub: tuple[int, int] = (2, 1),
) -> NDArray[np.int64]:
    """How many of `points` `(n, 2)` fall on each of `sub` (down, across) places a cell.

    Shape `(sub[0]·height, sub[1]·width)`; what `bin_points` leaves out is left out.
    """
    rows, columns = sub[0] * height, sub[1] * width
    if rows <= 0 or columns <= 0:
        return np.zeros((max(rows, 0), max(columns, 0)), dtype=np.int64)
    across, down, inside = _places(points, x_range, y_range, columns, rows)
    flat = down[inside] * columns + across[inside]
    return np.bincount(flat, minlength=rows * columns).reshape(rows, columns).astype(np.int64)


def bin_paths(paths: ArrayLike, x_range: Range, y_range: Range, width: int, height: int) -> Dots:
    """The dots hit by the straight lines along `paths` `(n, steps, 2)`, as `bin_points`."""
    corners = np.asarray(paths, dtype=np.float64)
    if corners.size == 0 or corners.shape[1] < 2:
        return bin_points(corners.reshape(-1, 2), x_range, y_range, width, height)
    spans = np.array([x_range[1] - x_range[0], y_range[1] - y_range[0]])
    with np.errstate(all="ignore"):
        dots_apart = np.abs(np.diff(corners, axis=1)) / spans * (2 * width, 4 * height)
        # A line that crosses the picture needs no more than one point a dot; one from far
        # outside may come out dotted.
        longest = np.max(dots_apart, initial=1.0, where=np.isfinite(dots_apart))
        count = int(min(longest, 2 * width + 4 * height)) + 2
        shares = np.linspace(0.0, 1.0, count)[:, None]
        between = corners[:, :-1, None] * (1 - shares) + corners[:, 1:, None] * shares
    return bin_points(between.reshape(-1, 2), x_range, y_range, width, height)


def circle(center: ArrayLike, radius: float, count: int = 400) -> NDArray[np.float64]:
    """Points `(count, 2)` on a circle; `bin_points` makes its outline of them."""
    angles = np.linspace(0.0, 2 * np.pi, count, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(center, dtype=np.float64) + radius * ring


def cells_of(
    points: ArrayLike, x_range: Range, y_range: Range, width: int, height: int
) -> list[tuple[int, int] | None]:
    """The cell `(x, y)` in which each of `points` `(n, 2)` falls; None where it falls outside."""
    if width <= 0 or height <= 0:
        return [None] * len(np.asarray(points).reshape(-1, 2))
    across, down, inside = _places(points, x_range, y_range, 2 * width, 4 * height)
    return [
        (int(x) // 2, int(y) // 4) if ok else None
        for x, y, ok in zip(across, down, inside, strict=True)
    ]


def outline(layer: Layer, character: str) -> list[Mark]:
    """A mark at every cell that a layer has dots in."""
    rows, columns = layer.dots.shape
    hit = layer.dots.reshape(rows // 4, 4, columns // 2, 2).any(axis=(1, 3))
    return [Mark(int(x), int(y), character, layer.role) for y, x in np.argwhere(hit)]


def equal_ranges(
    center: tuple[float, float], half_extent: float, width: int, height: int
) -> tuple[Range, Range]:
    """Ranges of one scale on both axes that hold `center ± half_extent` on both.

    A dot of the lattice then stands for the same length across and up.
    """
    across, up = max(1, 2 * width - 1), max(1, 4 * height - 1)
    dot = 2 * half_extent / min(across, up)
    x, y = center
    return (
        (x - dot * across / 2, x + dot * across / 2),
        (y - dot * up / 2, y + dot * up / 2),
    )


def braille(
    layers: Sequence[Layer],
    marks: Iterable[Mark],
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs = "braille",
) -> list[Strip]:
    """Layers over one another, and marks over them all, as `height` lines of `width` cells.

    A cell has one colour, and shows the dots of the first-listed layer that has any there and of
    no other: dots of another layer in that colour would say what is not so.
    """
    if width <= 0 or height <= 0:
        return [Strip.blank(max(0, width))] * max(0, height)
    roles = list(dict.fromkeys(layer.role for layer in layers))
    shown = np.zeros((height, width), dtype=np.uint8)
    keys = np.zeros((height, width), dtype=np.int64)
    for layer in reversed(layers):
        codes = codes_of(layer.dots, BRAILLE_BITS)
        hit = codes > 0
        shown[hit] = codes[hit]
        keys[hit] = roles.index(layer.role) + 1
    characters = _DOTS[glyphs][shown]
    for mark in marks:
        if 0 <= mark.x < width and 0 <= mark.y < height:
            if mark.role not in roles:
                roles.append(mark.role)
            characters[mark.y, mark.x] = plain(mark.character, glyphs)[:1] or " "
            keys[mark.y, mark.x] = roles.index(mark.role) + 1
    styles = [palette.style("axis"), *(palette.style(role) for role in roles)]
    return compose(characters, keys, styles)


def shade(
    counts: NDArray[np.int64] | NDArray[np.float64],
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs = "braille",
) -> list[Strip]:
    """A density `(2·height, width)` as `height` lines of `width` cells.

    Half blocks in the palette's few shades (few, so that neighbours share one and a line stays
    short), or one character a cell where the palette has none, and in ASCII. Shades go with the
    square root of the density, which keeps thin places visible.
    """
    if width <= 0 or height <= 0:
        return [Strip.blank(max(0, width))] * max(0, height)
    finite = np.nan_to_num(np.asarray(counts, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    values = np.maximum(finite, 0.0).reshape(height, 2, width)
    characters = _ASCII_SHADES if glyphs == "ascii" else _SHADES
    by_character = glyphs == "ascii" or not palette.ramp
    if by_character:
        values = values.max(axis=1, keepdims=True)
    top = float(values.max())
    shades = len(characters) - 1 if by_character else len(palette.ramp)
    share = np.sqrt(values / top) if top > 0 else values * 0.0
    levels = np.ceil(share * shades).astype(np.int64)
    if by_character:
        return compose(
            characters[levels[:, 0]], np.zeros((height, width), np.int64), [palette.style("truth")]
        )
    return [
        _half_blocks(upper, lower, palette.ramp)
        for upper, lower in zip(levels[:, 0].tolist(), levels[:, 1].tolist(), strict=True)
    ]


def _half_blocks(upper: list[int], lower: list[int], ramp: Sequence[Color]) -> Strip:
    """One line of half blocks; 0 is no shade, which is the terminal's own ground.

    A pair of colours, ink and ground, draws any mix of two shades: ink above, below, both or
    neither. So a run goes on as long as its two shades last, and where a third comes in only the
    one no longer needed is replaced; every colour named costs some twenty bytes on the wire.
    """
    ink, ground = 0, 0
    cells: list[str] = []
    segments: list[Segment] = []

    def close() -> None:
        if cells:
            style = Style(
                color=ramp[ink - 1] if ink else None, bgcolor=ramp[ground - 1] if ground else None
            )
            segments.append(Segment("".join(cells), style))
            cells.clear()

    for top, bottom in zip(upper, lower, strict=True):
        wanted = {top, bottom}
        if not wanted <= {ink, ground} or (0 in wanted and ground != 0):
            close()
            # No shade can only be the ground; what can stay where it is stays.
            if 0 in wanted:
                ground = 0
                ink = max(wanted) or ink
            elif len(wanted) == 2 and ground in wanted:
                (ink,) = wanted - {ground}
            elif len(wanted) == 2 and ink in wanted:
                (ground,) = wanted - {ink}
            elif len(wanted) == 2:
                ink, ground = top, bottom
            else:
                ink = top
        cells.append(_HALVES[top == ink and top != ground, bottom == ink and bottom != ground])
    close()
    return Strip(segments, len(upper))


def grid_places(
    x_range: Range, y_range: Range, width: int, height: int, spacing: tuple[int, int] = (2, 1)
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Cells on a regular grid, every `spacing` (across, down) cells, and where they lie.

    Returns `(xs, ys, points)`: the cells' columns `(l,)` and rows `(k,)`, and the data point
    `(k, l, 2)` at the middle of each: what `arrows` takes, and where to evaluate its vectors.
    """
    xs = np.arange(spacing[0] // 2, max(0, width), spacing[0])
    ys = np.arange(spacing[1] // 2, max(0, height), spacing[1])
    across = x_range[0] + (2 * xs + 0.5) / max(1, 2 * width - 1) * (x_range[1] - x_range[0])
    up = y_range[1] - (4 * ys + 1.5) / max(1, 4 * height - 1) * (y_range[1] - y_range[0])
    return xs, ys, np.stack(np.meshgrid(across, up), axis=-1)


def arrows(
    vectors: NDArray[np.float64],
    xs: NDArray[np.int64],
    ys: NDArray[np.int64],
    role: str,
    glyphs: Glyphs = "braille",
) -> list[Mark]:
    """Marks that point along `vectors` `(k, l, 2)` (y up) at the cells `xs` `(l,)`, `ys` `(k,)`.

    Those of the truth are doubled where the font has such. A vector that is zero or not finite has
    no arrow.
    """
    heads = _FOUR_ARROWS.get(glyphs) or (_TRUE_ARROWS if role == "truth" else _ARROWS)
    length = np.hypot(vectors[..., 0], vectors[..., 1])
    angles = np.arctan2(vectors[..., 1], vectors[..., 0])
    eighths = np.round(np.nan_to_num(angles) / (np.pi / 4)).astype(np.int64) % 8
    shown = np.isfinite(length) & (length > 0)
    return [
        Mark(int(xs[column]), int(ys[row]), heads[eighths[row, column]], role)
        for row, column in np.argwhere(shown)
    ]


def _places(
    points: ArrayLike, x_range: Range, y_range: Range, columns: int, rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Dots]:
    """Column and row (0 at the top) of each point on a lattice, and whether it lies on it."""
    data = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    with np.errstate(all="ignore"):
        across = (data[:, 0] - x_range[0]) / (x_range[1] - x_range[0])
        up = (data[:, 1] - y_range[0]) / (y_range[1] - y_range[0])
        inside = (across >= 0) & (across <= 1) & (up >= 0) & (up <= 1)  # False for nan
    across, up = np.where(inside, across, 0.0), np.where(inside, up, 0.0)
    column = np.floor(0.5 + (columns - 1) * across).astype(np.int64)
    row = np.floor(0.5 + (rows - 1) * up).astype(np.int64)
    return column, rows - 1 - row, inside


def codes_of(dots: Dots, bits: Sequence[Sequence[int]]) -> NDArray[np.uint8]:
    """The sum of the `bits` (down, across) of the dots that each cell has; `(height, width)`."""
    down, across = len(bits), len(bits[0])
    codes = np.zeros((dots.shape[0] // down, dots.shape[1] // across), dtype=np.uint8)
    for y, row in enumerate(bits):
        for x, bit in enumerate(row):
            codes |= dots[y::down, x::across] * np.uint8(bit)
    return codes
