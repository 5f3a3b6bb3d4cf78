"""Figures: any input gives lines of the size asked for; known values land where they belong."""

import math

import numpy as np
import plotext
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_diffusion.lab.drawing.axes import nice_ticks, plot_tick_text
from tui_diffusion.lab.drawing.figure import Curve, PlotFigure, Rule, band
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.drawing.plot import draw_plot, plot_frame

PALETTE = Palette.default()
ANY_FLOAT = st.one_of(
    st.floats(width=64), st.sampled_from([0.0, 1.0, -1.0, 1e300, -1.7e308, 5e-324, math.nan])
)
NUMBERS = st.lists(ANY_FLOAT, max_size=12)
CURVES = st.builds(
    Curve,
    NUMBERS,
    NUMBERS,
    st.sampled_from(["truth", "network", "unheard of"]),
    st.sampled_from(["braille", "dashed", "dot", "cross", "blocks"]),
    st.sampled_from([None, "exact", "漢字 σ\x1b[31m", "a very long label " * 4]),
    st.booleans(),
)
FIGURES = st.builds(
    PlotFigure,
    st.lists(CURVES, max_size=3).map(tuple),
    x_range=st.none() | st.tuples(ANY_FLOAT, ANY_FLOAT),
    y_range=st.none() | st.tuples(ANY_FLOAT, ANY_FLOAT),
    x_label=st.text(max_size=12),
    y_label=st.text(max_size=12),
    x_ticks=st.none() | st.lists(st.tuples(ANY_FLOAT, st.text(max_size=12)), max_size=3),
    y_ticks=st.none() | st.lists(st.tuples(ANY_FLOAT, st.text(max_size=12)), max_size=3),
    v_lines=st.lists(st.builds(Rule, ANY_FLOAT, st.just("goal")), max_size=2).map(tuple),
    h_lines=st.lists(st.builds(Rule, ANY_FLOAT, st.just("floor")), max_size=2).map(tuple),
    log_y=st.booleans(),
)


def text(lines):
    return [line.text for line in lines]


def plot_of(lines, region):
    """The rows of the plot inside its axes."""
    return [line.text[region.x : region.right] for line in lines[region.y : region.bottom]]


def role_cells(lines, role):
    colour = PALETTE.style(role).color
    return {
        (x, y)
        for y, line in enumerate(lines)
        for x, (character, style) in enumerate(
            (character, segment.style) for segment in line for character in segment.text
        )
        if character != " " and style.color == colour
    }


@given(
    FIGURES, st.integers(0, 50), st.integers(0, 20), st.sampled_from(["braille", "blocks", "ascii"])
)
@settings(max_examples=100, deadline=None)
def test_no_figure_raises_and_every_line_fits(figure, width, height, glyphs):
    lines = draw_plot(figure, width, height, PALETTE, glyphs)
    assert [line.cell_length for line in lines] == [width] * height
    assert [len(line.text) for line in lines] == [width] * height
    joined = "".join(text(lines))
    assert glyphs != "ascii" or joined.isascii()
    if glyphs == "blocks" and not any(ord(c) > 255 for c in figure.x_label + figure.y_label):
        assert not any(0x2800 <= ord(c) < 0x2900 for c in joined)
    if width < 12 or height < 5:
        assert not joined.strip()


def test_an_empty_figure_is_its_axes():
    lines = text(draw_plot(PlotFigure(), 40, 12, PALETTE))
    _, region = plot_frame((0, 1), (0, 1), 40, 12, PALETTE)
    assert not "".join(plot_of(draw_plot(PlotFigure(), 40, 12, PALETTE), region)).strip()
    assert lines[region.bottom].strip()[0] == "└"
    assert lines[region.bottom + 1].split()[0] == "0"
    assert lines[region.bottom + 1].split()[-1] == "1"


def test_a_curve_lands_where_its_values_say():
    figure = PlotFigure(
        (Curve([0.0, 1.0], [0.0, 0.0], "truth"), Curve([0.0], [1.0], "network", "dot")),
        x_range=(0, 1),
        y_range=(0, 1),
    )
    lines = draw_plot(figure, 40, 12, PALETTE)
    _, region = plot_frame((0, 1), (0, 1), 40, 12, PALETTE)
    rows = plot_of(lines, region)
    assert rows[-1] == "⣀" * region.width
    assert rows[0] == "•" + " " * (region.width - 1)
    assert not "".join(rows[1:-1]).strip()
    assert role_cells(lines, "truth") == {(x, region.bottom - 1) for x in range(region.x, 40)}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_a_gap(value):
    xs = [k / 100 for k in range(101)]
    ys = [0.5 if k < 40 or k > 60 else value for k in range(101)]
    lines = draw_plot(PlotFigure((Curve(xs, ys, "truth"),), (0, 1), (0, 1)), 60, 12, PALETTE)
    _, region = plot_frame((0, 1), (0, 1), 60, 12, PALETTE)
    columns = {x - region.x for x, _ in role_cells(lines, "truth")}
    gap = {round(k / 100 * (region.width - 1)) for k in range(42, 59)}
    assert not columns & gap
    assert {0, region.width - 1} <= columns


def test_a_curve_that_leaves_the_plot_is_cut_at_its_edge():
    steep = PlotFigure((Curve([0.0, 1.0], [-1e300, 1e300], "truth"),), (0, 1), (0, 1))
    lines = draw_plot(steep, 41, 13, PALETTE)
    _, region = plot_frame((0, 1), (0, 1), 41, 13, PALETTE)
    cells = role_cells(lines, "truth")
    assert {y for _, y in cells} == set(range(region.y, region.bottom))
    middle = region.x + (region.width - 1) / 2
    assert all(abs(x - middle) <= 1 for x, _ in cells)


def test_a_constant_and_a_single_point_are_in_the_middle():
    for curve in (
        Curve([0.0, 1.0, 2.0], [7.0] * 3, "truth"),
        Curve([3.0], [-4.0], "truth", "dot"),
        Curve([3.0], [-4.0], "truth"),
    ):
        lines = draw_plot(PlotFigure((curve,)), 40, 13, PALETTE)
        rows = {y for _, y in role_cells(lines, "truth")}
        assert rows == {1 + 10 // 2 - 1} or rows == {1 + 10 // 2}


def test_a_log_axis_spaces_decades_evenly_and_drops_what_is_not_positive():
    ys = [1e-3, 1e-2, 1e-1, 1.0, 0.0, -5.0]
    curve = Curve([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], ys, "truth", "dot")
    figure = PlotFigure((curve,), y_range=(1e-3, 1.0), log_y=True)
    lines = draw_plot(figure, 50, 3 + 13, PALETTE)
    rows = sorted(y for _, y in role_cells(lines, "truth"))
    assert rows == [1, 5, 9, 13]
    labels = [line.text[:5].strip() for line in lines]
    assert [labels[y] for y in rows] == ["1", "0.1", "0.01", "0.001"]


def test_bars_are_as_high_as_their_values():
    bars = Curve([0.5, 1.5, 2.5, 3.5], [0.0, 1.0, 0.5, 0.25], "bars", fill=True)
    lines = draw_plot(PlotFigure((bars,), (0, 4), (0, 1)), 6 + 40, 3 + 16, PALETTE)
    cells = role_cells(lines, "bars")
    heights = [sum(x == column for x, _ in cells) for column in range(6, 46)]
    assert heights[:9] == [0] * 9
    assert heights[12:18] == [16] * 6
    assert all(8 <= height <= 9 for height in heights[22:28])
    assert all(4 <= height <= 5 for height in heights[32:38])


def test_a_curve_over_bars_leaves_no_hole():
    bars = Curve([0.0, 1.0], [1.0, 1.0], "bars", fill=True)
    line = Curve([0.0, 1.0], [0.5, 0.5], "truth")
    lines = draw_plot(PlotFigure((line, bars), (0, 1), (0, 1)), 46, 19, PALETTE)
    ground = PALETTE.style("bars").color
    over = [
        segment.style.bgcolor
        for row in lines
        for segment in row
        if segment.style.color == PALETTE.style("truth").color
    ]
    assert over and set(over) == {ground}


def test_a_band_covers_all_between_its_ends():
    xs = np.linspace(0, 1, 80)
    curve = band(xs, np.full(80, 0.25), np.full(80, 0.75), "raw")
    lines = draw_plot(PlotFigure((curve,), (0, 1), (0, 1)), 46, 3 + 16, PALETTE)
    rows = [line.text[6:] for line in lines[1:17]]
    assert rows[8] == "⣿" * 40
    assert not rows[2].strip() and not rows[13].strip()


@pytest.mark.parametrize("broken_on_top", [True, False])
def test_of_two_lines_at_one_place_the_later_one_is_seen(broken_on_top):
    whole = Curve([0.0, 1.0], [0.5, 0.5], "raw")
    broken = Curve([0.0, 1.0], [0.5, 0.5], "floor", "dashed")
    curves = (whole, broken) if broken_on_top else (broken, whole)
    lines = draw_plot(PlotFigure(curves=curves, y_range=(0.0, 1.0)), 60, 12, PALETTE)
    floor, raw = (len(role_cells(lines, role)) for role in ("floor", "raw"))
    assert raw > 10
    assert (floor > 10) == broken_on_top


def test_the_legend_names_what_fits():
    curves = (
        Curve([0.0], [0.0], "truth", label="exact"),
        Curve([0.0], [0.0], "bars", label="samples", fill=True),
    )
    header = draw_plot(PlotFigure(curves, y_label="density"), 60, 12, PALETTE)[0].text
    assert header.split() == ["density", "──", "exact", "▇▇", "samples"]
    assert header.endswith("samples")
    narrow = draw_plot(PlotFigure(curves, y_label="density"), 26, 12, PALETTE)[0].text
    assert "exact" in narrow and "samples" not in narrow
    ascii_header = draw_plot(PlotFigure(curves), 60, 12, PALETTE, "ascii")[0].text
    assert ascii_header.split() == ["**", "exact", "##", "samples"]


def test_lines_differ_in_ascii_too():
    curves = tuple(Curve([0.0, 1.0], [k, k], "truth") for k in (0.0, 1.0))
    figure = PlotFigure(curves, (0, 1), (0, 1))
    rows = plot_of(
        draw_plot(figure, 46, 19, PALETTE, "ascii"), plot_frame((0, 1), (0, 1), 46, 19, PALETTE)[1]
    )
    assert set(rows[0]) == {"+"} and set(rows[-1]) == {"*"}


def test_the_axes_stay_put_as_the_numbers_change():
    places = {
        plot_frame((0, 1), (0, high), 60, 20, PALETTE)[1] for high in (0.5, 1.0, 9.0, 80.0, 3000.0)
    }
    assert len(places) == 1


def test_nothing_is_left_of_the_figure_before():
    first = PlotFigure((Curve([0.0, 1.0], [0.0, 1.0], "truth", label="exact"),), log_y=True)
    second = PlotFigure((Curve([0.0, 1.0], [1.0, 0.0], "network"),))
    alone = draw_plot(second, 50, 15, PALETTE)
    draw_plot(first, 70, 20, PALETTE)
    assert draw_plot(second, 50, 15, PALETTE) == alone


def test_plotext_is_the_one_this_file_was_written_for():
    assert plotext.__version__.startswith("5.3")


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(2, 12))
@settings(max_examples=200, deadline=None)
def test_nice_ticks_are_round_few_and_within(low, span, count):
    high = low + span
    if high - low < 1e-6 * max(abs(low), abs(high)):
        return
    ticks = nice_ticks(low, high, count)
    assert min(2, count) <= len(ticks) <= max(5, count)
    slack = 1e-6 * (high - low)
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    steps = np.diff(ticks)
    if len(steps):
        assert steps == pytest.approx(np.full(len(steps), steps[0]), rel=1e-3)
        mantissa = f"{steps[0]:.0e}"[0]
        assert mantissa in "125"


def test_tick_texts_are_short():
    assert nice_ticks(0, 1, 6) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    expected = {
        0.30000000000000004: "0.3",
        2000.0: "2k",
        1500.0: "1.5k",
        10000.0: "10k",
        3e6: "3M",
        0.001: "0.001",
        1e-4: "1e-4",
        -0.05: "-0.05",
        1e300: "1e300",
        0.0: "0",
        250.0: "250",
    }
    assert {value: plot_tick_text(value) for value in expected} == expected
