"""Curves as dots: where plotext would put them, split at gaps and cut off at the edges."""

import re

import numpy as np
import plotext

from tui_diffusion.lab.drawing.curves import scattered, stroke, visible_parts, with_gaps
from tui_diffusion.lab.drawing.dots import BRAILLE, BRAILLE_BITS, QUADRANT_BITS, QUADRANTS, codes_of

from ..cases import for_each

LATTICES = {
    "braille": (BRAILLE_BITS, BRAILLE),
    "hd": (QUADRANT_BITS, QUADRANTS),
    "x": (((1,),), np.array([" ", "x"])),
}


def by_plotext(xs, ys, marker, width, height, *, line):
    """The characters that plotext itself makes of a curve within the plot."""
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")
    plotext.xlim(0, 1)
    plotext.ylim(0, 1)
    plotext.xaxes(False, False)
    plotext.yaxes(False, False)
    plotext.xticks([])
    plotext.yticks([])
    (plotext.plot if line else plotext.scatter)(xs.tolist(), ys.tolist(), marker=marker)
    return re.sub(r"\x1b\[[0-9;]*m", "", plotext.build()).split("\n")[:height]


@for_each("marker", LATTICES)
@for_each("line", [True, False])
@for_each("seed", range(5))
def test_a_curve_falls_on_the_dots_where_plotext_puts_it(marker, line, seed):
    random = np.random.default_rng(seed)
    width, height = (int(n) for n in random.integers((4, 3), (90, 30)))
    xs, ys = random.random((2, int(random.integers(1, 60))))
    xs[0], ys[-1] = 0.0, 1.0
    bits, characters = LATTICES[marker]
    drawn = (stroke if line else scattered)(xs, ys, len(bits[0]) * width, len(bits) * height)
    rows = ["".join(row) for row in characters[codes_of(drawn, bits)]]
    assert rows == by_plotext(xs, ys, marker, width, height, line=line)


def test_a_gap_parts_a_line_and_leaves_its_points():
    nan = float("nan")
    dots = stroke(np.array([0.0, 0.5, nan, 1.0, nan]), np.array([0.0, 0.0, 0.0, 0.0, 1.0]), 9, 2)
    assert not dots[0].any()
    assert dots[1].tolist() == [True] * 5 + [False] * 3 + [True]


def test_a_line_is_cut_off_at_the_edges_and_one_beside_the_plot_is_not_there():
    dots = stroke(np.array([-9.0, 11.0]), np.array([0.5, 0.5]), 10, 3)
    assert dots[1].all() and dots.sum() == 10
    assert not stroke(np.array([-1.0, 2.0]), np.array([1.5, 1.5]), 10, 3).any()
    assert not stroke(np.array([-1.0, 0.2]), np.array([0.5, 2.0]), 10, 3).any()
    steep = stroke(np.array([0.0, 1.0]), np.array([-1e6, 1e6]), 11, 11)
    assert steep[:, 5].all() and steep.sum() == 11


def test_a_dashed_line_has_gaps_and_keeps_its_ends():
    xs, ys = with_gaps(np.array([0.25, 0.75]), np.array([0.5, 0.5]), 60)
    shown = np.isfinite(ys)
    assert 0 < shown.sum() < 30
    assert xs[shown].min() >= 0.25 and xs[shown].max() <= 0.75
    alone = with_gaps(np.array([0.5]), np.array([0.5]), 60)
    assert alone[0].tolist() == [0.5]


def test_runs_are_the_parts_within_the_plot():
    nan = float("nan")
    xs = np.array([-1.0, 0.5, 1.0, nan, 0.2, nan, 0.3, 0.4, 2.0])
    ys = np.array([0.5, 0.5, 0.25, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0])
    parts = [part.tolist() for part in visible_parts(xs, ys)]
    assert parts == [
        [[0.0, 0.5], [0.5, 0.5], [1.0, 0.25]],
        [[0.3, 0.0], [0.4, 0.0], [1.0, 0.0]],
        [[0.2, 0.1]],
    ]
    assert visible_parts(np.array([]), np.array([])) == []
    assert visible_parts(np.array([2.0]), np.array([0.5])) == []
