"""Arrows of braille dots: directions, lengths and heads."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.drawing.quivers import quiver, reference_length, spacing_of
from tui_diffusion.lab.sampling.measured_trajectory import measure_trajectory
from tui_diffusion.lab.sampling.request import SampleRequest
from tui_diffusion.lab.views.plane import draw_plane
from tui_diffusion.lab.views.view_state import ViewState

from ..changed import changed
from ..trainings import trained


def drawn(angle: float, length: float = 1.0, width: int = 60) -> np.ndarray:
    """The dots of one arrow, about the middle of its picture: (m, 2), y up."""
    across, down = spacing_of(width)
    vector = length * np.array([[[math.cos(angle), math.sin(angle)]] * 2] * 2)
    xs, ys = np.array([across, 2 * across]), np.array([down, 2 * down])
    vector[0, 1] = vector[1] = np.nan
    dots = quiver(vector, xs, ys, 1.0, (4 * across, 4 * down))
    rows, columns = np.nonzero(dots)
    return np.stack([columns - 2 * across - 0.5, 4 * down + 1.5 - rows], 1)


def test_an_arrow_points_where_its_vector_does():
    for width, most in ((60, 7), (30, 11)):
        patterns, errors = set(), []
        for turn in np.linspace(0, 2 * math.pi, 96, endpoint=False):
            dots = drawn(turn, width=width)
            patterns.add(dots.tobytes())
            # The head makes the front heavier; the shaft is the dots far from the middle.
            assert (dots @ [math.cos(turn), math.sin(turn)]).mean() > 0.2
            across = dots @ [-math.sin(turn), math.cos(turn)]
            assert np.abs(across).max() < 2.6, "all of it lies along the vector"
            tail = dots[(dots @ [math.cos(turn), math.sin(turn)]).argmin()]
            error = math.degrees(math.atan2(*-tail[::-1])) - math.degrees(turn)
            errors.append((error + 180) % 360 - 180)
        assert max(map(abs, errors)) < most, width
        assert len(patterns) >= (40 if width == 60 else 24), "today there were eight"


def test_the_length_of_an_arrow_is_in_proportion():
    sizes = [np.ptp(drawn(0.0, length)[:, 0]) for length in (0.0, 0.25, 0.5, 1.0, 5.0)]
    assert sizes[0] == 0 and sizes[3] == sizes[4] == 11
    assert abs(sizes[1] - 11 / 4) <= 1 and abs(sizes[2] - 11 / 2) <= 1
    field = np.stack([np.arange(1.0, 101.0), np.zeros(100)], 1)
    field[3] = np.inf
    assert 60 < reference_length(field) < 80
    assert not quiver(np.full((1, 1, 2), np.nan), np.array([2]), np.array([1]), 1.0, (6, 3)).any()
    assert not quiver(np.ones((1, 1, 2)), np.array([2]), np.array([1]), 0.0, (6, 3)).any()


@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
def test_the_error_of_the_score_vanishes_for_the_ideal_denoiser(glyphs):
    trainer = trained(changed("naive-2d", training__steps=20, sampling__points=20))
    pictures = {}
    for source, denoiser in (("network", trainer.denoiser), ("ideal", None)):
        of = SampleRequest(trainer.experiment, source, 0, 20, denoiser=denoiser)
        made = measure_trajectory(of)
        for view in ("score field", "score error"):
            state = ViewState(5.0, view, truth=False)
            lines = draw_plane(made, state, 60, 16, Palette.default(), glyphs)
            # The area inside the axes, below the legend.
            inside = "".join(line.text[8:] for line in lines[1:-2])
            pictures[source, view] = len(inside.replace(" ", ""))
    assert pictures["network", "score error"] > 10
    if glyphs == "ascii":
        assert pictures["ideal", "score error"] == 0
    assert pictures["ideal", "score field"] > 10
