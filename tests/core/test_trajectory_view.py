"""What every picture of a trajectory shows: its extent, the close-up and the averaged pdf."""

import numpy as np
import torch

from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.schedules import cosine
from tui_diffusion.core.trajectory_view import (
    averaged_pdf,
    close_up,
    exact_at,
    interval_centres,
    path_to,
    window_over,
)

TWO = GaussianMixture([[-1.0], [2.0]], 0.1)


def test_a_window_holds_3_2_std_of_every_component_at_every_level():
    schedule = cosine(8)
    truths = [exact_at(TWO, schedule, k) for k in range(9)]
    centre, half = window_over(truths)
    lowest = min(float((t.means - 3.2 * t.stds[:, None]).min()) for t in truths)
    highest = max(float((t.means + 3.2 * t.stds[:, None]).max()) for t in truths)
    assert abs(float(centre[0]) - half - lowest) < 1e-9
    assert abs(float(centre[0]) + half - highest) < 1e-9


def test_the_exact_distribution_between_two_levels_has_the_mean_of_their_noise():
    schedule = cosine(8)
    here, after = (exact_at(TWO, schedule, k) for k in (3, 4))
    middle = exact_at(TWO, schedule, 3.5)
    assert torch.allclose(middle.means, (here.means + after.means) / 2, atol=1e-9)


def test_a_close_up_ignores_points_that_are_not_finite_and_follows_the_others():
    middle, std = float(TWO.mean()[0]), float(TWO.std()[0])
    points = np.array([[np.nan], [np.inf], [middle]])
    assert np.allclose(close_up(points, TWO), (middle - 4.5 * std, middle + 4.5 * std), atol=1e-9)
    for far, reach in ((8.0, 1.1 * 8.0), (1000.0, 4 * 4.5 * std)):
        low, high = close_up(np.full((50, 1), middle + far), TWO)
        assert abs(high - middle - reach) < 1e-6
        assert abs(middle - low - reach) < 1e-6


def test_an_averaged_pdf_misses_no_narrow_peak():
    narrow = GaussianMixture([[0.0137]], 1e-7)
    pdf = averaged_pdf(narrow, (-1.0, 1.0), 100)
    assert abs(float(pdf.sum()) * 0.02 - 1) < 1e-9
    at = interval_centres((-1.0, 1.0), 100)
    assert abs(float(at[int(pdf.argmax())]) - 0.0137) < 0.01


def test_a_path_ends_at_the_position():
    x = np.arange(5.0)[:, None, None]
    assert path_to(x, 2.5).ravel().tolist() == [0, 1, 2, 2.5]
    assert path_to(x, 4.0)[-1].item() == 4
