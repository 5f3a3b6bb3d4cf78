"""A view without a drawing of its own for the terminal shows the panels of its picture."""

import numpy as np
import pytest

from tui_diffusion.export.pictures import views
from tui_diffusion.export.pictures.figure import (
    Arrows,
    Bars,
    Curves,
    Dots,
    PicturePanel,
    Rings,
    curve,
)
from tui_diffusion.export.views import BY_NAME, View
from tui_diffusion.lab.views.panels import panels
from tui_diffusion.lab.views.render import VIEWS_1D, VIEWS_2D, ViewState, picture

from .test_pictures import SIZES
from .trajectories import GLYPHS, PALETTE, film_of, text


def test_the_panels_of_every_view_fill_the_size_asked_for():
    for name, names in (("naive-1d", VIEWS_1D), ("naive-multimodal", VIEWS_2D)):
        trajectory = film_of(name, source="ideal")
        for k, view in enumerate(names):
            for size, truth in zip(SIZES[1:4], (False, True, True), strict=True):
                view_state = ViewState(k % 7 + 0.5, view, truth=truth)
                lines = panels(trajectory, view_state, *size, PALETTE, GLYPHS[k % 3])
                assert [line.cell_length for line in lines] == [size[0]] * size[1], (view, size)
                assert len({line.text for line in lines}) > 2, (view, size)


@pytest.fixture
def shown(monkeypatch):
    """What a new view shows whose panels, of x and y from 0 to 10, hold these layers."""

    def draw(*layers_of):
        made = tuple(PicturePanel((0, 10), (0, 10), layers, "p", (), "x") for layers in layers_of)
        monkeypatch.setitem(BY_NAME, "new", View("new", "A test.", plane="new"))
        monkeypatch.setattr(views, "new", lambda trajectory, scene: made, raising=False)
        trajectory = film_of("naive-multimodal", source="ideal")
        return text(picture(trajectory, ViewState(3, "new"), 100, 23, PALETTE, "braille"))

    return draw


def inside(lines):
    """The rows above the axis, and in them the columns right of it."""
    return [line.split("│")[-1].split("┤")[-1] for line in lines[1:-2]]


def middle(rows, characters):
    """Where these characters are on average, as shares of the way across and up."""
    hits = [(x, y) for y, row in enumerate(rows) for x, c in enumerate(row) if c in characters]
    across, down = np.mean(np.array(hits) + 0.5, axis=0)
    return across / len(rows[0]), 1 - down / len(rows)


def test_layers_stand_where_their_numbers_are(shown):
    braille = "".join(map(chr, range(0x2801, 0x2900)))
    at = np.array([[2.5, 7.5]])
    for layer, characters in (
        (Dots(at, "network"), braille),
        (Rings(at), "○"),
        (Arrows(at - [[0.5, 0]], np.array([[1.0, 0]]), "network"), "→"),
        (Curves(curve([1.5, 3.5], [7.5, 7.5]), "truth"), braille),
        (Bars(np.array([2.0, 3.0]), np.array([15.0]), "truth"), braille),
    ):
        rows = inside(shown((layer,)))
        x, y = middle(rows, characters)
        assert x == pytest.approx(0.25, abs=0.03), layer
        if not isinstance(layer, Bars):
            assert y == pytest.approx(0.75, abs=0.04), layer


def test_later_layers_cover_earlier_ones_and_panels_stand_side_by_side(shown):
    under = Dots(np.array([[5.0, 5.0]]), "network", "points")
    over = Rings(np.array([[5.0, 5.0]]), label="mode")
    lines = shown((under, over), (under,))
    assert "points" in lines[0][:50] and "mode" in lines[0][:50] and "points" in lines[0][50:]
    assert sum(line.count("○") for line in lines[1:]) == 1
    assert len({len(line) for line in lines}) == 1
