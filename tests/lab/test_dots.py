"""Dots, shades and arrows: a known point in a known dot, and lines that fit whatever is drawn."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tui_diffusion.lab.drawing.ascii import to_console
from tui_diffusion.lab.drawing.dots import (
    DotLayer,
    Mark,
    arrows,
    bin_paths,
    bin_points,
    braille,
    circle,
    count_points,
    equal_ranges,
    grid_places,
    point_cells,
    shade,
)
from tui_diffusion.lab.drawing.downsampling import Series, envelope, smoothed
from tui_diffusion.lab.drawing.palette import Palette, contrast
from tui_diffusion.lab.drawing.strips import one_cell_text, place

from ..cases import for_each

PALETTE = Palette.default()
UNIT = (0.0, 1.0)
GLYPHS = ("braille", "blocks", "ascii")
ANY_FLOAT = st.floats(width=64)
SIZE = st.integers(0, 30)


def text(lines):
    return [line.text for line in lines]


def styles_at(line):
    return [segment.style for segment in line for _ in segment.text]


@for_each(
    "point, character, cell",
    [
        ((0.0, 0.0), "⡀", (0, 2)),  # y points up: the origin is at the bottom
        ((1.0, 1.0), "⠈", (3, 0)),
        ((0.0, 1.0), "⠁", (0, 0)),
        ((1.0, 0.0), "⢀", (3, 2)),
        ((2 / 7, 9 / 11), "⠄", (1, 0)),
    ],
)
def test_a_point_sets_the_dot_where_it_lies(point, character, cell):
    dots = bin_points([point], UNIT, UNIT, 4, 3)
    lines = text(braille([DotLayer(dots, "truth")], [], 4, 3, PALETTE))
    expected = [[" "] * 4 for _ in range(3)]
    expected[cell[1]][cell[0]] = character
    assert lines == ["".join(row) for row in expected]
    assert point_cells([point], UNIT, UNIT, 4, 3) == [cell]


@for_each("code", range(256))
def test_every_pattern_of_dots_has_its_character(code):
    dots = np.zeros((4, 2), dtype=bool)
    for bit, (row, column) in enumerate(
        [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]
    ):
        dots[row, column] = bool(code >> bit & 1)
    shown = text(braille([DotLayer(dots, "truth")], [], 1, 1, PALETTE))
    assert shown == [chr(0x2800 + code) if code else " "]


def test_quadrants():
    def shown(*dots):
        grid = np.zeros((4, 2), dtype=bool)
        for row, column in dots:
            grid[row, column] = True
        return text(braille([DotLayer(grid, "truth")], [], 1, 1, PALETTE, "blocks"))

    assert shown((1, 0)) == ["▘"]
    assert shown((0, 1)) == ["▝"]
    assert shown((2, 0)) == ["▖"]
    assert shown((3, 1)) == ["▗"]
    assert shown((0, 1), (2, 0)) == ["▞"]
    assert shown((0, 0), (0, 1), (3, 0), (3, 1)) == ["█"]


def test_what_is_not_finite_or_not_inside_is_left_out():
    points = [(np.nan, 0.5), (0.5, np.inf), (-np.inf, 0.5), (1.01, 0.5), (0.5, -0.01), (0.5, 0.5)]
    assert count_points(points, UNIT, UNIT, 8, 5).sum() == 1
    assert point_cells(points, UNIT, UNIT, 8, 5)[:5] == [None] * 5


@given(arrays(np.float64, (40, 2), elements=ANY_FLOAT), SIZE, SIZE)
@settings(max_examples=60, deadline=None)
def test_every_point_inside_is_counted_once(points, width, height):
    counts = count_points(points, (-2, 3), (-1, 4), width, height)
    x, y = points.T
    inside = (x >= -2) & (x <= 3) & (y >= -1) & (y <= 4)
    assert counts.shape == (2 * height, width)
    assert counts.sum() == (inside.sum() if width and height else 0)


@given(arrays(np.float64, (30, 2), elements=ANY_FLOAT), SIZE, SIZE, st.sampled_from(GLYPHS))
@settings(max_examples=60, deadline=None)
def test_lines_have_the_size_asked_for(points, width, height, glyphs):
    near = np.clip(np.nan_to_num(points), -1, 1)
    dots = [bin_points(near * scale, (-1, 1), (-1, 1), width, height) for scale in (1.0, 0.3)]
    layers = [DotLayer(dots[0], "truth"), DotLayer(dots[1], "network")]
    marks = [Mark(width // 2, height // 2, "✕", "mark"), Mark(99, -1, "+", "mark")]
    xs, ys, places = grid_places((-1, 1), (-1, 1), width, height)
    marks += arrows(places, xs, ys, "ideal", glyphs)
    counts = count_points(near, (-1, 1), (-1, 1), width, height)
    for lines in (
        braille(layers, marks, width, height, PALETTE, glyphs),
        shade(counts, width, height, PALETTE, glyphs),
    ):
        assert [line.cell_length for line in lines] == [width] * height
        assert [len(line.text) for line in lines] == [width] * height
        joined = "".join(text(lines))
        assert glyphs != "ascii" or joined.isascii()
        assert glyphs == "braille" or not any(0x2800 <= ord(c) < 0x2900 for c in joined)


def test_the_first_layer_owns_the_cells_it_touches():
    first, second = np.zeros((4, 4), dtype=bool), np.ones((4, 4), dtype=bool)
    first[0, 0] = True
    lines = braille([DotLayer(first, "truth"), DotLayer(second, "network")], [], 2, 1, PALETTE)
    assert text(lines) == ["⠁⣿"]
    assert styles_at(lines[0]) == [PALETTE.style("truth"), PALETTE.style("network")]


def test_a_mark_lies_over_all_layers():
    full = DotLayer(np.ones((4, 6), dtype=bool), "network")
    lines = braille([full], [Mark(1, 0, "+", "mark")], 3, 1, PALETTE)
    assert text(lines) == ["⣿+⣿"]
    assert styles_at(lines[0])[1] == PALETTE.style("mark")


def test_blanks_do_not_break_a_run():
    dots = np.zeros((4, 40), dtype=bool)
    dots[0, ::8] = True
    (line,) = braille([DotLayer(dots, "truth")], [], 20, 1, PALETTE)
    assert len(list(line)) == 1


def test_shades_rise_with_the_density_and_split_a_cell_in_two():
    counts = np.array([[0, 0, 5, 100], [0, 5, 5, 1]])
    (line,) = shade(counts, 4, 1, PALETTE)
    assert line.text == " ▄█▀"
    faint, strong = PALETTE.ramp[0], PALETTE.ramp[-1]
    last = styles_at(line)[3]
    assert (last.color, last.bgcolor) == (strong, faint)
    assert text(shade(counts, 4, 1, PALETTE, "ascii")) == [" --@"]


def test_a_grounded_cell_does_not_run_over():
    counts = np.array([[9, 0, 0], [1, 0, 0]])
    (line,) = shade(counts, 3, 1, PALETTE)
    assert [style.bgcolor is not None for style in styles_at(line)] == [True, False, False]


def test_arrows_point_along_their_vectors():
    turns = np.array([[[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]]])
    xs, ys = np.arange(8), np.array([0])
    for role, glyphs, heads in (
        ("network", "braille", "→↗↑↖←↙↓↘"),
        ("truth", "braille", "⇒⇗⇑⇖⇐⇙⇓⇘"),
        ("truth", "blocks", "→→↑←←←↓→"),
        ("truth", "ascii", ">>^<<<v>"),
    ):
        marks = arrows(turns.astype(float), xs, ys, role, glyphs)
        assert "".join(mark.character for mark in marks) == heads
        assert "".join(map(to_console, heads)) == heads or glyphs == "braille"
    none = np.array([[[0.0, 0.0], [np.nan, 1.0], [np.inf, 0.0]]])
    assert arrows(none, np.arange(3), ys, "truth") == []


def test_grid_places_lie_in_their_cells():
    xs, ys, points = grid_places((-3, 5), (2, 4), 30, 12)
    cells = point_cells(points.reshape(-1, 2), (-3, 5), (2, 4), 30, 12)
    assert cells == [(x, y) for y in ys for x in xs]


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(1e-3, 1e3), SIZE.filter(bool), SIZE)
@settings(max_examples=60, deadline=None)
def test_equal_ranges_hold_the_extent_at_one_scale(x, y, half, width, height):
    (left, right), (low, high) = equal_ranges((x, y), half, width, max(1, height))
    tiny = 1e-9 * (abs(x) + abs(y) + half)
    assert left <= x - half + tiny and right >= x + half - tiny
    assert low <= y - half + tiny and high >= y + half - tiny
    across, up = 2 * width - 1, 4 * max(1, height) - 1
    assert (right - left) / across == pytest.approx((high - low) / up)


def test_a_circle_is_round():
    x_range, y_range = equal_ranges((0, 0), 1.2, 40, 20)
    rows, columns = np.nonzero(bin_points(circle((0, 0), 1.0), x_range, y_range, 40, 20))
    assert np.ptp(columns) == pytest.approx(np.ptp(rows), abs=1)


def test_paths_are_unbroken():
    dots = bin_paths([[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]], UNIT, UNIT, 20, 6)
    assert dots[-1].all()
    assert dots[:, -1].all()
    assert dots.sum() == 40 + 24 - 1


def test_place_puts_one_picture_into_another():
    ones = braille([DotLayer(np.ones((12, 10), dtype=bool), "truth")], [], 5, 3, PALETTE)
    mark = braille([], [Mark(0, 0, "x", "mark"), Mark(1, 0, "y", "mark")], 2, 1, PALETTE)
    assert text(place(ones, mark, 1, 2)) == ["⣿⣿⣿⣿⣿", "⣿⣿⣿⣿⣿", "⣿xy⣿⣿"]
    over_the_edge = place(ones, mark, 4, 0)
    assert text(over_the_edge) == ["⣿⣿⣿⣿x", "⣿⣿⣿⣿⣿", "⣿⣿⣿⣿⣿"]
    assert len(place(ones, mark, 0, 7)) == 3


def test_plain_text_is_one_cell_a_character():
    assert one_cell_text("a漢\x1b[0m\n") == "a??[0m?"
    assert one_cell_text("σ → ─", "ascii") == "s > -"


@for_each("theme", BUILTIN_THEMES.values())
def test_every_theme_gives_series_that_can_be_read_and_told_apart(theme):
    variables = theme.to_color_system().generate()
    palette = Palette.from_theme(variables)
    hues = [palette.style(role).color for role in ("truth", "network", "ideal")]
    assert len(set(hues)) == 3
    ground = Color.parse(variables["surface"])
    assert ground.ansi is None
    for hue in hues:
        assert contrast(Color.from_rich_color(hue), ground) >= 4.4


@given(
    arrays(np.float64, st.integers(0, 60), elements=st.floats(width=32)),
    st.integers(0, 25),
    st.integers(1, 40),
)
@settings(max_examples=100, deadline=None)
def test_reductions_equal_brute_force(values, columns, window):
    xs, lows, highs = envelope(values, columns)
    middles, means = smoothed(values, columns, window)
    count = min(columns, values.size)
    assert xs.shape == lows.shape == highs.shape == means.shape == (count,)
    np.testing.assert_array_equal(xs, middles)
    edges = [k * values.size // max(1, count) for k in range(count + 1)]
    for k, (start, end) in enumerate(pairwise(edges)):
        finite = [v for v in values[start:end] if np.isfinite(v)]
        assert xs[k] == (start + end - 1) / 2
        expected = (min(finite), max(finite)) if finite else (np.nan, np.nan)
        np.testing.assert_array_equal((lows[k], highs[k]), expected)
        near = [v for i, v in enumerate(values) if -window / 2 < i - xs[k] <= window / 2]
        near = near or [values[int(np.ceil(xs[k] - window / 2 + 1e-9))]]
        finite = np.array([v for v in near if np.isfinite(v)])
        if finite.size:
            scale = np.abs(finite).max()
            assert means[k] == pytest.approx(finite.mean(), rel=1e-9, abs=1e-9 * scale)
        else:
            assert np.isnan(means[k])


@given(
    arrays(np.float64, st.integers(1, 90), elements=st.floats(width=32)),
    st.integers(1, 60),
    st.lists(st.integers(0, 90), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_a_growing_series_is_what_it_would_be_taken_at_once(values, blocks, sizes):
    grown = Series(values.size, blocks)
    for size in sorted(min(size, values.size) for size in sizes):
        grown.take(values[:size])
    grown.take(values)
    assert grown.blocks <= blocks
    for k in range(grown.blocks):
        part = values[k * grown.length : (k + 1) * grown.length]
        finite = part[np.isfinite(part)]
        assert grown.counts[k] == finite.size
        assert grown.lows[k] == min(finite, default=np.inf)
        assert grown.highs[k] == max(finite, default=-np.inf)
    if np.isfinite(values).all():
        reach = np.abs(values).sum()
        np.testing.assert_allclose(grown.sums.sum(), values.sum(), atol=1e-9 * reach)
    xs, lows, highs = envelope(grown, 7)
    assert np.all(np.diff(xs) > 0) and xs[0] >= 0 and xs[-1] <= values.size - 1
    if np.isfinite(values).any():
        assert np.nanmin(lows) == values[np.isfinite(values)].min()
        assert np.nanmax(highs) == values[np.isfinite(values)].max()
    _, means = smoothed(grown, 7, 2 * values.size)
    if np.isfinite(values).all():
        scale = np.abs(values).max()
        np.testing.assert_allclose(means, values.mean(), rtol=1e-9, atol=1e-9 * scale)


def test_what_has_been_drawn_of_a_growing_series_stays():
    values = np.random.default_rng(0).normal(size=10_000)
    early, late = (envelope(values[:n], 70, 10_000) for n in (3_000, 5_500))
    for before, after in zip(early, late, strict=True):
        np.testing.assert_array_equal(before[:-1], after[: len(before) - 1])
    assert 20 <= len(early[0]) <= 22 and 38 <= len(late[0]) <= 40


def test_a_spike_does_not_spoil_the_means_after_it():
    values = np.full(1000, 0.25)
    values[300] = 1e30
    _, means = smoothed(values, 100, 10)
    assert (means > 1e20).sum() in (1, 2)
    assert set(means[means < 1e20]) == {0.25}
