"""Dense points as text: binned in numpy to braille, quadrant blocks or ASCII.

A cell holds a lattice of nearly square dots, two across and four down. The lower end of a range
falls on the first dot of the lattice and the upper end on the last one. plotext places its curves
and ticks by the same rule, so these pictures fit into its frames. Arrays of dots and cells have row
0 at the top; data has y pointing up.
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

from ...core.arrays import Range
from ...interface.glyphs import Glyphs
from .palette import Palette
from .strips import Characters, one_cell_text, strips_of

DotGrid = NDArray[np.bool_]

BRAILLE_BITS = ((1, 8), (2, 16), (4, 32), (64, 128))  # Unicode's numbering of a cell's dots
QUADRANT_BITS = ((1, 2), (4, 8))
BRAILLE = np.array([" ", *(chr(0x2800 + code) for code in range(1, 256))])
QUADRANTS = np.array(list(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"))
_QUARTERS = (1 | 2, 8 | 16, 4 | 64, 32 | 128)  # the dots of each quadrant, in this numbering
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
_ARROWS = "→↗↑↖←↙↓↘"  # by eighths of a turn, counterclockwise from the right
_TRUE_ARROWS = "⇒⇗⇑⇖⇐⇙⇓⇘"
_FOUR_ARROWS = {"blocks": "→→↑←←←↓→", "ascii": ">>^<<<v>"}  # these fonts have no diagonal arrows


@dataclass(frozen=True)
class DotLayer:
    """Dots of one kind: `dots` of shape `(4·height, 2·width)`.

    With a `sign`, this character stands in every cell that has dots.
    """

    dots: DotGrid
    role: str
    sign: str = ""


@dataclass(frozen=True)
class Mark:
    """A character over the picture, at a cell counted from the upper left corner."""

    x: int
    y: int
    character: str
    role: str


def bin_points(
    points: ArrayLike, x_range: Range, y_range: Range, width: int, height: int
) -> DotGrid:
    """Return the dots that `points` `(n, 2)` hit, as `(4·height, 2·width)`.

    Non-finite points and points outside the ranges are ignored.
    """
    return count_points(points, x_range, y_range, width, height, (4, 2)) > 0


def count_points(
    points: ArrayLike,
    x_range: Range,
    y_range: Range,
    width: int,
    height: int,
    sub: tuple[int, int] = (2, 1),
) -> NDArray[np.int64]:
    """Count the `points` `(n, 2)` at each of `sub` (down, across) positions of a cell.

    The shape is `(sub[0]·height, sub[1]·width)`. The same points are ignored as in `bin_points`.
    """
    rows, columns = sub[0] * height, sub[1] * width
    if rows <= 0 or columns <= 0:
        return np.zeros((max(rows, 0), max(columns, 0)), dtype=np.int64)
    across, down, inside = lattice_positions(points, x_range, y_range, columns, rows)
    flat = down[inside] * columns + across[inside]
    return np.bincount(flat, minlength=rows * columns).reshape(rows, columns).astype(np.int64)


def bin_paths(paths: ArrayLike, x_range: Range, y_range: Range, width: int, height: int) -> DotGrid:
    """Return the dots of the straight lines along `paths` `(n, steps, 2)`, like `bin_points`."""
    corners = np.asarray(paths, dtype=np.float64)
    if corners.size == 0 or corners.shape[1] < 2:
        return bin_points(corners.reshape(-1, 2), x_range, y_range, width, height)
    spans = np.array([x_range[1] - x_range[0], y_range[1] - y_range[0]])
    with np.errstate(all="ignore"):
        dots_apart = np.abs(np.diff(corners, axis=1)) / spans * (2 * width, 4 * height)
        # One point for each dot suffices for a line across the picture. A line from far outside may
        # look dotted.
        longest = np.max(dots_apart, initial=1.0, where=np.isfinite(dots_apart))
        count = int(min(longest, 2 * width + 4 * height)) + 2
        shares = np.linspace(0.0, 1.0, count)[:, None]
        between = corners[:, :-1, None] * (1 - shares) + corners[:, 1:, None] * shares
    return bin_points(between.reshape(-1, 2), x_range, y_range, width, height)


def circle(center: ArrayLike, radius: float, count: int = 400) -> NDArray[np.float64]:
    """Return points `(count, 2)` on a circle, close enough for `bin_points` to draw its outline."""
    angles = np.linspace(0.0, 2 * np.pi, count, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(center, dtype=np.float64) + radius * ring


def point_cells(
    points: ArrayLike, x_range: Range, y_range: Range, width: int, height: int
) -> list[tuple[int, int] | None]:
    """Return the cell `(x, y)` of each of `points` `(n, 2)`, or None outside the picture."""
    if width <= 0 or height <= 0:
        return [None] * len(np.asarray(points).reshape(-1, 2))
    across, down, inside = lattice_positions(points, x_range, y_range, 2 * width, 4 * height)
    return [
        (int(x) // 2, int(y) // 4) if ok else None
        for x, y, ok in zip(across, down, inside, strict=True)
    ]


def outline(layer: DotLayer, character: str) -> list[Mark]:
    """Return a mark at every cell in which a layer has dots."""
    rows, columns = layer.dots.shape
    hit = layer.dots.reshape(rows // 4, 4, columns // 2, 2).any(axis=(1, 3))
    return [Mark(int(x), int(y), character, layer.role) for y, x in np.argwhere(hit)]


def equal_ranges(
    center: tuple[float, float], half_extent: float, width: int, height: int
) -> tuple[Range, Range]:
    """Return ranges with one scale on both axes that hold `center ± half_extent` on both.

    A dot of the lattice then has the same length across and up.
    """
    across, up = max(1, 2 * width - 1), max(1, 4 * height - 1)
    dot = 2 * half_extent / min(across, up)
    x, y = center
    return (
        (x - dot * across / 2, x + dot * across / 2),
        (y - dot * up / 2, y + dot * up / 2),
    )


def braille(
    layers: Sequence[DotLayer],
    marks: Iterable[Mark],
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs = "braille",
) -> list[Strip]:
    """Draw layers over one another, and marks over all, as `height` lines of `width` cells.

    A cell has one colour. It shows only the dots of the first listed layer with dots in it, because
    dots of another layer in that colour would be misleading.
    """
    if width <= 0 or height <= 0:
        return [Strip.blank(max(0, width))] * max(0, height)
    roles = list(dict.fromkeys(layer.role for layer in layers))
    characters = np.full((height, width), " ")
    keys = np.zeros((height, width), dtype=np.int64)
    for layer in reversed(layers):
        codes = codes_of(layer.dots, BRAILLE_BITS)
        hit = codes > 0
        sign = one_cell_text(layer.sign, glyphs)
        characters[hit] = sign or _DOTS[glyphs][codes[hit]]
        keys[hit] = roles.index(layer.role) + 1
    for mark in marks:
        if 0 <= mark.x < width and 0 <= mark.y < height:
            if mark.role not in roles:
                roles.append(mark.role)
            characters[mark.y, mark.x] = one_cell_text(mark.character, glyphs)[:1] or " "
            keys[mark.y, mark.x] = roles.index(mark.role) + 1
    styles = [palette.style("axis"), *(palette.style(role) for role in roles)]
    return strips_of(characters, keys, styles)


def shade(
    counts: NDArray[np.int64] | NDArray[np.float64],
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs = "braille",
) -> list[Strip]:
    """Draw a density `(2·height, width)` as `height` lines of `width` cells.

    A line consists of half blocks in the palette's shades, or of one character for each cell in
    ASCII or if the palette has no shades. The palette has few shades, so that neighbours share one
    and a line takes few bytes. Shades follow the square root of the density, which keeps low
    densities visible.
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
        return strips_of(
            characters[levels[:, 0]], np.zeros((height, width), np.int64), [palette.style("truth")]
        )
    return [
        _half_blocks(upper, lower, palette.ramp)
        for upper, lower in zip(levels[:, 0].tolist(), levels[:, 1].tolist(), strict=True)
    ]


def _half_blocks(upper: list[int], lower: list[int], ramp: Sequence[Color]) -> Strip:
    """Return one line of half blocks; shade 0 is the terminal's own background.

    With a pair of colours, a cell can show ink above, below, on both halves or on neither. A run
    therefore continues as long as it has two shades. A third shade replaces only the colour that is
    no longer needed, because every colour change takes about twenty bytes.
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
        pair = {top, bottom}
        if not pair <= {ink, ground} or (0 in pair and ground != 0):
            close()
            # Shade 0 can only be the background. Otherwise, keep the colours in place.
            if 0 in pair:
                ground = 0
                ink = max(pair) or ink
            elif len(pair) == 2 and ground in pair:
                (ink,) = pair - {ground}
            elif len(pair) == 2 and ink in pair:
                (ground,) = pair - {ink}
            elif len(pair) == 2:
                ink, ground = top, bottom
            else:
                ink = top
        cells.append(_HALVES[top == ink and top != ground, bottom == ink and bottom != ground])
    close()
    return Strip(segments, len(upper))


def grid_places(
    x_range: Range, y_range: Range, width: int, height: int, spacing: tuple[int, int] = (2, 1)
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the cells of a regular grid and their positions.

    `spacing` is the distance in cells (across, down). Returns `(xs, ys, points)`: the cells'
    columns `(l,)` and rows `(k,)`, and the data point `(k, l, 2)` at the centre of each cell.
    `arrows` takes the cells; its vectors are evaluated at the points.
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
    """Return marks that point along `vectors` at the cells of a grid.

    `vectors` `(k, l, 2)` has y up; `xs` `(l,)` and `ys` `(k,)` are the cells' columns and rows.
    Arrows of the truth have double shafts if the font has them. A vector that is zero or not finite
    has no arrow.
    """
    heads = _FOUR_ARROWS.get(glyphs) or (_TRUE_ARROWS if role == "truth" else _ARROWS)
    length = np.hypot(vectors[..., 0], vectors[..., 1])
    angles = np.arctan2(vectors[..., 1], vectors[..., 0])
    eighths = np.round(np.nan_to_num(angles) / (np.pi / 4)).astype(np.int64) % 8
    visible = np.isfinite(length) & (length > 0)
    return [
        Mark(int(xs[column]), int(ys[row]), heads[eighths[row, column]], role)
        for row, column in np.argwhere(visible)
    ]


def lattice_positions(
    points: ArrayLike, x_range: Range, y_range: Range, columns: int, rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], DotGrid]:
    """Return column and row (0 at the top) of each point on a lattice, and a mask of hits."""
    data = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    with np.errstate(all="ignore"):
        across = (data[:, 0] - x_range[0]) / (x_range[1] - x_range[0])
        up = (data[:, 1] - y_range[0]) / (y_range[1] - y_range[0])
        inside = (across >= 0) & (across <= 1) & (up >= 0) & (up <= 1)  # False for nan
    across, up = np.where(inside, across, 0.0), np.where(inside, up, 0.0)
    column = np.floor(0.5 + (columns - 1) * across).astype(np.int64)
    row = np.floor(0.5 + (rows - 1) * up).astype(np.int64)
    return column, rows - 1 - row, inside


def codes_of(dots: DotGrid, bits: Sequence[Sequence[int]]) -> NDArray[np.uint8]:
    """Return the sum of the `bits` (down, across) of the dots in each cell, `(height, width)`."""
    down, across = len(bits), len(bits[0])
    codes = np.zeros((dots.shape[0] // down, dots.shape[1] // across), dtype=np.uint8)
    for y, row in enumerate(bits):
        for x, bit in enumerate(row):
            codes |= dots[y::down, x::across] * np.uint8(bit)
    return codes
