"""The names of a trajectory's views, in the order of the key ``v``; available without torch."""

from __future__ import annotations

from ...export.views import VIEWS_1D, VIEWS_2D, views_of
from ..breakpoints import TABS

__all__ = ["TABS", "VIEWS_1D", "VIEWS_2D", "view_after", "views_of", "zoomed"]


def view_after(view: str, dim: int) -> str:
    """Return the next view of such points; the first follows the last."""
    views = views_of(dim)
    return views[(views.index(view) + 1) % len(views)]


def zoomed(zoom: int, change: int) -> int:
    """Return the zoom after ``change`` steps of √2, limited to 1/4 to 128 times the size."""
    return min(max(zoom + change, -4), 14)


PICTURES = {
    "histogram": "Points as a histogram, over the same stretch at every level. The line is the "
    "exact density of the noised data: good samples fill it.",
    "scatter": "Points in the plane, to one scale at every level. The ring holds 95 % of the exact "
    "distribution; a circle marks each mode and fills when points are there. Beside them, the "
    "exact density.",
    "close-up": "The same, near by: in 1D about the exact density of this level, in 2D every point "
    "as seen from its nearest mode. Too narrow or too wide a sample shows here.",
    "pdf and cdf": "The exact density and its integral at this level; the dashed line is the share "
    "of points below each value. Both lines agree where the sample is right.",
    "density": "How many points fall on each place, beside the exact density of the noised data; "
    "brighter is more. The two look alike where the sample is right.",
    "paths": "The ways of some points from noise to here, and beside them those that the ideal "
    "denoiser takes from the same start. Where they part, the network errs.",
    "denoiser": "What the denoiser takes the clean value to be, and its score, as functions of x. "
    "Where points are rare the network is free to be wrong.",
    "score field": "The direction in which the density grows: the network's, and the exact one "
    "beside it. Sampling follows these arrows.",
    "clean estimate": "What the denoiser takes each point's clean data to be (x0_hat), and beside "
    "it the best possible guess. At high noise even that is a blur of the modes.",
    "mean and std": "Mean and standard deviation of the points over the levels, with the exact "
    "ones dashed; the upright line is the level shown.",
    "loss": "Every step's loss as an envelope, and smoothed. It cannot fall below the floor: even "
    "the ideal denoiser does not know which noise was drawn.",
    "excess": "How far the network's loss is above the floor at every level, which is what it has "
    "still to learn there. A flat loss with an excess near 0 has converged.",
    "error": "The sample's error, split by putting the exact start, the ideal denoiser and endless "
    "steps in the place of the real ones. The longest bar shows what to fix first.",
    "schedule": "What is left of the data (alpha_bar) and how much noise there is (sigma) at every "
    "level; and how large an error of 1 in eps_hat made there grows. Tall ends forgive nothing.",
}
"""The meaning of each picture, in two sentences."""
