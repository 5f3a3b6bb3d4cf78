"""Pictures: always of the size asked for, and what is drawn is where it is."""

import numpy as np
import pytest
import torch

from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.lab.views.render import VIEWS_1D, VIEWS_2D, ViewState, views_of
from tui_diffusion.lab.views.side_by_side import beside

from ..cases import for_each
from .trajectories import GLYPHS, cells, exactly, film_of, shown, text, with_points

SIZES = [(16, 6), (41, 9), (80, 24), (120, 40), (200, 60)]


VIEWS = [("naive-1d", v) for v in VIEWS_1D] + [("naive-multimodal", v) for v in VIEWS_2D]


# --- any film, any size ----------------------------------------------------------------------


@for_each("name, view", VIEWS)
@for_each("glyphs, size", [(g, s) for g in GLYPHS for s in SIZES if g == "braille" or s < (90,)])
def test_a_picture_is_of_the_size_asked_for(name, view, size, glyphs):
    trajectory = film_of(name)
    states = (0, True), (trajectory.levels, True), (trajectory.levels // 2, False)
    for level, truth in states if size < (90,) else states[:1]:
        lines = shown(trajectory, ViewState(level, view, truth), *size, glyphs)
        assert exactly(lines, *size)
        if glyphs == "ascii":
            assert "".join(text(lines)).isascii()
        if size >= (40, 9):
            assert any(character.isdigit() for character in "".join(text(lines))), "an axis"


@for_each("name, view", VIEWS)
@for_each("size", [(0, 0), (1, 1), (15, 6), (16, 5), (12, 40), (200, 3)])
def test_where_nothing_fits_it_is_blank(name, view, size):
    lines = shown(film_of(name), ViewState(0, view), *size)
    assert exactly(lines, *size)
    assert "".join(text(lines)).strip() == ""


@for_each("zoom", [-4, -1, 1, 7, 14])
@for_each("name, view", VIEWS)
def test_every_zoom_draws(name, view, zoom):
    trajectory = film_of(name)
    for level, size in ((0, (40, 9)), (trajectory.levels, (80, 24))):
        assert exactly(shown(trajectory, ViewState(level, view, zoom=zoom), *size), *size)


@for_each("bad", [np.nan, np.inf, -3e38])
@for_each("share", ["one", "all"])
@for_each("name, view", VIEWS)
def test_points_that_are_not_finite_or_far_off_are_left_out(name, view, bad, share):
    trajectory = film_of(name)
    x = trajectory.x.copy()
    x[:, : 1 if share == "one" else None] = bad
    broken = with_points(trajectory, x)
    for level, zoom, size in ((0, 0, (80, 24)), (trajectory.levels, 3, (40, 9)), (0, 3, (16, 6))):
        assert exactly(shown(broken, ViewState(level, view, zoom=zoom), *size), *size)


@for_each("name, view", VIEWS)
def test_one_point_and_one_level(name, view):
    trajectory = film_of(name, points=1, schedule__levels="1")
    assert trajectory.levels == 1
    for level in (0, 1):
        for size in ((16, 6), (40, 9), (120, 30)):
            assert exactly(shown(trajectory, ViewState(level, view), *size), *size)


def test_views_in_the_order_of_their_key():
    assert views_of(1)[0] == "histogram"
    assert views_of(2)[0] == "scatter"
    assert {"histogram", "pdf and cdf", "mean and std"} <= set(VIEWS_1D)
    assert {"scatter", "density", "mean and std"} <= set(VIEWS_2D)


# --- the same stretch at every level ---------------------------------------------------------


@pytest.mark.parametrize("name", ["naive-1d", "ddpm-1d"])
def test_a_histogram_has_the_same_ticks_at_every_level(name):
    trajectory = film_of(name)
    below = {
        text(shown(trajectory, ViewState(level, "histogram"), 40, 16))[-1] for level in range(11)
    }
    assert len(below) == 1
    assert any(character.isdigit() for character in below.pop())
    pictures = {
        tuple(text(shown(trajectory, ViewState(level, "histogram"), 40, 16))) for level in range(7)
    }
    assert len(pictures) == 7, "and every level is another picture, until a bin holds all"


@pytest.mark.parametrize("view", ["scatter", "density"])
def test_a_plane_has_the_same_axes_at_every_level(view):
    trajectory = film_of("naive-multimodal")

    def labels(level):
        lines = text(shown(trajectory, ViewState(level, view, truth=False), 60, 24))
        return lines[-1], [line.partition("│")[0].partition("┤")[0][:5] for line in lines[1:-1]]

    assert all(labels(level) == labels(0) for level in range(21))


def test_the_exact_density_differs_between_levels():
    trajectory = film_of("naive-multimodal")
    # In the right half of the pair, where the points are not.
    halves = [
        tuple(
            tuple(line.crop(60, 120))
            for line in shown(trajectory, ViewState(level, "scatter"), 120, 30)
        )
        for level in range(0, 13, 3)
    ]
    assert len(set(halves)) == len(halves)


def test_the_exact_density_is_of_the_data_and_not_of_the_points():
    trajectory = film_of("naive-multimodal")
    moved = with_points(trajectory, trajectory.x + 1)
    for one, other in zip(
        shown(trajectory, ViewState(8, "scatter"), 120, 30),
        shown(moved, ViewState(8, "scatter"), 120, 30),
        strict=True,
    ):
        assert one.crop(60, 120).text == other.crop(60, 120).text


# --- what is where ---------------------------------------------------------------------------


def test_a_histogram_stands_where_the_points_are():
    trajectory = film_of("naive-1d")
    left = with_points(trajectory, np.full_like(trajectory.x, -1.0))
    right = with_points(trajectory, np.full_like(trajectory.x, 1.0))

    def columns(shown_film):
        lines = shown(shown_film, ViewState(0, "histogram", truth=False), 40, 20)
        return {x for x, _ in cells(lines[1:], "bars")}

    assert columns(left) and columns(right)
    assert max(columns(left)) < min(columns(right))


def test_the_exact_pdf_is_drawn_only_when_the_truth_is_wanted():
    trajectory = film_of("naive-1d")
    assert cells(shown(trajectory, ViewState(0, "histogram", True), 60, 20), "truth")
    assert not cells(shown(trajectory, ViewState(0, "histogram", False), 60, 20), "truth")


def test_pdf_and_cdf_say_what_integrating_gives():
    trajectory = film_of("ddpm-1d-detailed")
    for level in (0, 5, trajectory.levels):
        note = text(shown(trajectory, ViewState(level, "pdf and cdf"), 100, 20))[-1].split()
        truth = trajectory.truth(level)
        numbers = {name: float(note[note.index(name) + 1]) for name in ("integral", "mean", "std")}
        assert numbers["integral"] == pytest.approx(1.0, abs=1e-5)
        assert numbers["mean"] == pytest.approx(float(truth.mean()[0]), abs=1e-3)
        assert numbers["std"] == pytest.approx(float(truth.std()[0]), abs=1e-3)


MODES = [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)]


def marks(trajectory, size=(49, 24)):
    """What marks each mode, from the upper left to the lower right."""
    lines = shown(trajectory, ViewState(trajectory.levels, "scatter"), *size)
    # The legend is the first line; below it a circle is a mode.
    return [c for line in text(lines[1:]) for c in line if c in "○●"]


def test_a_mode_is_filled_only_where_points_are():
    trajectory = film_of("naive-multimodal")
    means = trajectory.mixture.means.numpy()
    assert len(means) == 4
    nowhere = with_points(trajectory, np.full_like(trajectory.x, 0.0))
    assert marks(nowhere) == ["○"] * 4
    everywhere = np.broadcast_to(np.tile(means, (75, 1)), trajectory.x.shape)
    assert marks(with_points(trajectory, everywhere)) == ["●"] * 4
    upper_left = min(means.tolist(), key=lambda mean: (-mean[1], mean[0]))
    one = with_points(trajectory, np.broadcast_to(np.float32(upper_left), trajectory.x.shape))
    filled = marks(one)
    assert filled.count("●") == 1
    assert sorted(filled) == sorted(["○"] * 3 + ["●"])


def test_no_mode_is_marked_in_a_close_up():
    lines = shown(film_of("naive-multimodal"), ViewState(20, "close-up"), 60, 24)
    assert not set("○●") & set("".join(text(lines[1:])))


def ring(trajectory, level, size, view="scatter"):
    """The ring's cells, below the legend."""
    lines = shown(trajectory, ViewState(level, view), *size)
    return {(x, y) for x, y in cells(lines, "truth") if y > 0}


def middle_and_size(places):
    xs, ys = [x for x, _ in places], [y for _, y in places]
    middle = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return middle, (max(xs) - min(xs) + 1, max(ys) - min(ys) + 1)


def test_the_ring_is_about_the_mode_and_as_wide_as_the_truth():
    trajectory = film_of("naive-2d")
    nowhere = with_points(trajectory, np.full_like(trajectory.x, np.nan))
    size = (49, 24)
    [centre] = [
        (x, y)
        for y, line in enumerate(text(shown(nowhere, ViewState(0, "scatter"), *size)))
        for x, character in enumerate(line)
        if character == "○" and y > 0
    ]
    widths = []
    for level in (0, 2):
        middle, (width, _) = middle_and_size(ring(nowhere, level, size))
        assert middle == pytest.approx(centre, abs=1)
        widths.append(width)
    stds = [float(trajectory.truth(level).stds[0]) for level in (0, 2)]
    assert widths[1] / widths[0] == pytest.approx(stds[1] / stds[0], abs=0.12)


def test_the_ring_is_round():
    trajectory = film_of("naive-2d")
    nowhere = with_points(trajectory, np.full_like(trajectory.x, np.nan))
    _, (width, height) = middle_and_size(ring(nowhere, 0, (98, 48), "close-up"))
    assert width > 30
    assert width == pytest.approx(2 * height, rel=0.08), "a cell is twice as high as wide"


def test_the_close_up_puts_every_mode_on_one_place():
    trajectory = film_of("naive-multimodal")
    means = trajectory.mixture.means.numpy()
    on_modes = with_points(trajectory, np.broadcast_to(np.tile(means, (75, 1)), trajectory.x.shape))
    lines = shown(on_modes, ViewState(20, "close-up", truth=False), 60, 24)
    role = {(x, y) for x, y in cells(lines, "start") if y > 0}
    assert len(role) == 1


def test_motion_on_the_screen_is_motion_in_the_data():
    trajectory = film_of("naive-multimodal")

    def position(x, y):
        points = np.broadcast_to(np.float32((x, y)), trajectory.x.shape)
        lines = shown(with_points(trajectory, points), ViewState(0, "scatter", truth=False), 60, 24)
        [(column, row)] = {(x, y) for x, y in cells(lines, "start") if y > 0}
        return column, row

    left, right, up, down = position(-1, 0), position(1, 0), position(0, 1), position(0, -1)
    assert left[1] == right[1]
    assert up[0] == down[0]
    assert left[0] < up[0] < right[0]
    assert up[1] < left[1] < down[1]
    assert right[0] - left[0] == pytest.approx(2 * (down[1] - up[1]), abs=3), "one scale"


def test_zooming_in_shows_less():
    trajectory = film_of("naive-2d")
    widths = []
    for zoom in (0, 1, 2):
        lines = shown(trajectory, ViewState(0, "close-up", zoom=zoom), 60, 24)
        around = [x for x, y in cells(lines, "truth") if y > 0]
        widths.append(max(around) - min(around) + 1)
    assert widths[0] < widths[1] < widths[2]


# --- composition -----------------------------------------------------------------------------


def test_beside_keeps_lines_together():
    one = shown(film_of("naive-1d"), ViewState(0, "mean and std"), 40, 9)
    assert exactly(beside(one, one), 80, 9)
    with pytest.raises(ValueError, match="zip"):
        beside(one, one[:-1])


@pytest.mark.parametrize(
    "name", ["edm-moons", "edm-spirals", "edm-checkerboard", "ddpm-multimodal"]
)
def test_the_ring_holds_its_share_of_the_truth(name):
    from tui_diffusion.core.assemble import sampling_schedule
    from tui_diffusion.core.trajectory_view import CONTOUR_SHARE
    from tui_diffusion.lab.sampling.references import truth_at
    from tui_diffusion.lab.views.exact import contour_log_density

    experiment = PRESETS[name].experiment
    for position in (0.0, 7.5, 15.0):
        truth = truth_at(experiment.data, sampling_schedule(experiment), position)
        sample = truth.sample(8000, torch.Generator().manual_seed(1), dtype=torch.float64)
        share = float((truth.log_prob(sample) >= contour_log_density(truth)).double().mean())
        assert abs(share - CONTOUR_SHARE) < 0.02, position
