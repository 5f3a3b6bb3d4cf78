"""A sweep as a map and as a curve in the terminal: what they show, at any size, in any colours."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sweeps import results_of
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.drawing.plot import draw_plot
from tui_diffusion.lab.sweeps.grid import Grid
from tui_diffusion.lab.sweeps.words import cell_line, progress_line
from tui_diffusion.lab.views.sweep_curve import sweep_curve
from tui_diffusion.lab.views.sweep_losses import seed_losses
from tui_diffusion.lab.views.sweep_map import MapLayout, SweepView, brief, sweep_map

COLOURED = Palette.default()
MONO = Palette.from_theme({}, "none")
WIDTHS, RATES = ("4", "8", "16"), ("0.001", "0.01")
AXES = (f"network.width={','.join(WIDTHS)}", f"training.lr={','.join(RATES)}")


def seen(found, cursor=0, marked=()):
    grid, ranking = Grid(found.sweep), found.ranking("energy_distance")
    return SweepView(found, grid, "energy_distance", ranking, cursor, marked)


def around(value):
    return [value * factor for factor in (0.8, 0.9, 1.0, 1.1, 1.2)]


OF_A_MAP = results_of(
    *AXES,
    values=[
        around(0.5), around(0.12), around(3.0), [np.inf, np.inf, 7.0, 8.0, 9.0], [None] * 5,
        [np.inf] * 5,
    ],
)  # fmt: skip
"""Cells by width, then rate: the second is the best."""


def text(lines):
    return "\n".join(line.text for line in lines)


def cell_of(lines, view, index, size):
    """The text of a cell, cut out of a map."""
    layout = MapLayout.of(view, *size)
    column, row = view.grid.places[index]
    x = layout.left + layout.columns.index(column) * layout.width
    first = 1 + (len(layout.rows) - 1 - layout.rows.index(row)) * layout.height
    return [line.text[x : x + layout.width] for line in lines[first : first + layout.height]]


def test_a_map_shows_medians_best_cells_and_what_diverged():
    view, size = seen(OF_A_MAP, cursor=1, marked=(0,)), (78, 12)
    lines = sweep_map(view, *size, COLOURED, "braille")
    assert len(lines) == 12 and {line.cell_length for line in lines} == {78}
    cells = [" ".join(cell_of(lines, view, index, size)).split() for index in range(6)]
    assert cells[0] == ["•0.5"]
    assert "[" in cells[1] and "0.12*" in cells[1]
    assert cells[2] == ["3"] and cells[3] == ["8", "×2"]
    assert cells[4] == ["·", "0/5"] and cells[5] == ["×5"]
    assert view.best == (1,) and text(lines).count("*") == 2  # the cell and the legend
    assert "training.lr" in lines[0].text and "network.width" in text(lines)
    assert [name in text(lines) for name in (*WIDTHS, *RATES)] == [True] * 5


def test_cells_that_the_seeds_do_not_tell_from_the_best_are_marked_alike():
    near = [0.11, 0.12, 0.10, 0.13, 0.12]
    found = results_of(*AXES, values=[around(0.12), near, *[around(9)] * 4])
    view = seen(found)
    assert view.best == (0, 1)
    cells = [cell_of(sweep_map(view, 78, 8, COLOURED, "braille"), view, i, (78, 8)) for i in (0, 1)]
    assert all("*" in " ".join(cell) for cell in cells)
    found = results_of(*AXES, values=[[0.1] * 4 + [None], *[around(9)] * 5])
    assert 0 not in seen(found).best  # one of its trainings is missing


@pytest.mark.parametrize("glyphs", ["braille", "blocks", "ascii"])
@pytest.mark.parametrize("palette", [COLOURED, Palette.from_theme({}, "16"), MONO])
def test_maps_and_curves_are_drawn_at_any_size_in_any_colours(glyphs, palette):
    curve = results_of(AXES[0], values=[around(0.5), [None] * 5, [np.inf, 1.0, 2.0, 3.0, 4.0]])
    alone = results_of(values=[around(1.0)])
    for found, draw in ((OF_A_MAP, sweep_map), (curve, sweep_curve), (alone, sweep_curve)):
        for width, height in ((2, 2), (12, 5), (17, 7), (40, 9), (120, 30)):
            lines = draw(seen(found, len(found.cells) - 1), width, height, palette, glyphs)
            assert len(lines) == height and all(line.cell_length == width for line in lines)
            if glyphs == "ascii":
                assert text(lines).isascii()
            if palette is MONO:
                styles = [s.style for line in lines for s in line if s.style]
                assert not [s for s in styles if s.color or s.bgcolor]


def test_without_colours_the_weight_of_a_cell_is_in_its_characters():
    view, size = seen(OF_A_MAP), (78, 8)
    for glyphs, heavy in (("braille", "█"), ("ascii", "#")):
        lines = sweep_map(view, *size, MONO, glyphs)
        worst, best = ("".join(cell_of(lines, view, i, size)) for i in (3, 1))
        assert heavy in worst and heavy not in best and "8 " in worst and "0.12*" in best


def test_a_click_finds_the_cell_under_it():
    for size in ((78, 8), (60, 20), (30, 6)):
        view = seen(OF_A_MAP, 3)
        layout, lines = MapLayout.of(view, *size), sweep_map(view, *size, COLOURED, "braille")
        hit = {layout.cell(view, x, y) for y in range(size[1]) for x in range(size[0])}
        assert hit - {None} <= {*range(6)} and 3 in hit
        for y, line in enumerate(lines):
            if "[" in line.text:
                assert layout.cell(view, line.text.index("[") + 1, y) == 3


def test_a_move_of_the_cursor_changes_two_cells_of_a_map():
    before, after = (sweep_map(seen(OF_A_MAP, c), 78, 8, COLOURED, "braille") for c in (0, 2))
    changed = sum(a != b for x, y in zip(before, after, strict=True)
                  for a, b in zip(x.text, y.text, strict=True))  # fmt: skip
    assert changed == 4 * MapLayout.of(seen(OF_A_MAP), 78, 8).height


def test_a_curve_shows_seeds_error_bars_and_the_best():
    found = results_of(AXES[0], values=[around(0.5), around(0.12), around(3.0)])
    lines = sweep_curve(seen(found, 2), 80, 16, COLOURED, "ascii")
    picture = text(lines)
    for label in ("seeds", "least and greatest", "median", "best"):
        assert label in lines[0].text
    assert "[16]" in lines[-1].text and " 4 " in lines[-1].text and "network.width" in picture
    assert "x" in text(lines[1:-2])  # the best has a cross


def test_the_losses_of_all_seeds_lie_over_each_other():
    losses = [np.full(50, value, np.float32) for value in (1.0, 2.0, 3.0)]
    figure = seed_losses(losses, [0, 1, 2], 1, 60)
    others, shown = figure.curves
    assert (shown.label, others.label) == ("seed 1", "other seeds")
    assert set(shown.ys) == {2.0} and {y for y in others.ys if y == y} == {1.0, 3.0}
    assert others.marker != shown.marker and others.role != shown.role
    assert len(draw_plot(figure, 40, 8, MONO, "ascii")) == 8
    assert seed_losses([], [], 0, 60).curves == ()


def test_the_lines_say_what_a_cell_is_and_how_far_the_sweep():
    words = ["".join(part for part, _ in cell_line(seen(OF_A_MAP, cursor))) for cursor in range(6)]
    assert words[1] == " width=4 lr=0.01  energy distance 0.120 (0.0960 to 0.144), real 0.250  best"
    assert "2/5 diverged" in words[3] and "not done yet" in words[4]
    assert "".join(part for part, _ in progress_line(OF_A_MAP, None)) == (
        " interrupted: p goes on  25/30 trainings"
    )
    assert progress_line(None, None) == []


def test_numbers_of_a_map_are_brief():
    values = (0.17, 85.4, 100.0, 1432.0, 1.4e5, 2.9e-5, 0.0, -0.0123, 9.96)
    expected = ["0.17", "85", "100", "1400", "1.4e5", "2.9e-5", "0", "-0.012", "10"]
    assert [brief(value) for value in values] == expected
