"""Losses beside their floors, over the steps."""

import numpy as np

from tui_diffusion.core.analysis.loss_curve import floor_line, over_floor

FLOORS = ((0, 2.0), (3, 4.0), (9, 8.0))


def test_a_loss_is_divided_by_the_floor_of_its_step():
    assert over_floor(np.full(5, 8.0), FLOORS).tolist() == [4, 4, 4, 2, 2]
    assert over_floor(np.full(2, 8.0), ()).tolist() == [8, 8]


def test_the_line_of_the_floor_breaks_at_each_change_and_ends_with_the_steps():
    xs, ys = floor_line(FLOORS, 5)
    assert xs.tolist() == [0, 3, 3, 3, 5, 5]
    assert ys[[0, 1, 3, 4]].tolist() == [2, 2, 4, 4]
    assert np.isnan(ys[[2, 5]]).all()
    assert len(floor_line((), 5)[0]) == 0
