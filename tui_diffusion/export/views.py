"""The views that a picture can show, each declared once; available without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A view of points: its name and, in two sentences, what it shows.

    ``line`` and ``plane`` name the functions of `export.pictures.views` that return its panels for
    points with one and two coordinates, '' if it has none. The lab draws the panels in the terminal
    unless it has a drawing of its own. The panels ``differ`` if they show different things, and not
    one thing for several denoisers. A view without ``level`` shows all levels.
    """

    name: str
    help: str
    line: str = ""
    plane: str = ""
    differ: bool = False
    level: bool = True


VIEWS = (
    View(
        "histogram",
        "Points as a histogram, over the same stretch at every level. The line is the "
        "exact density of the noised data: good samples fill it.",
        line="histogram_panels",
        differ=True,
    ),
    View(
        "scatter",
        "Points in the plane, to one scale at every level. The ring holds 95 % of the "
        "exact distribution; a circle marks each mode and fills when points are "
        "there. Beside them, the exact density.",
        plane="scatter_panels",
    ),
    View(
        "close-up",
        "The same, near by: in 1D about the exact density of this level, in 2D every "
        "point as seen from its nearest mode. Too narrow or too wide a sample shows "
        "here.",
        line="close_up_panels",
        plane="close_up_panels",
    ),
    View(
        "pdf and cdf",
        "The exact density and its integral at this level; the dashed line is the "
        "share of points below each value. Both lines agree where the sample is "
        "right.",
        line="pdf_cdf_panels",
        differ=True,
    ),
    View(
        "density",
        "How many points fall on each place, beside the exact density of the noised "
        "data; brighter is more. The two look alike where the sample is right.",
        plane="density_panels",
    ),
    View(
        "paths",
        "The ways of some points from noise to here, and beside them those that the "
        "ideal denoiser takes from the same start. Where they part, the network errs.",
        line="line_path_panels",
        plane="plane_path_panels",
    ),
    View(
        "denoiser",
        "What the denoiser takes the clean value to be, and its score, as functions "
        "of x. Where points are rare the network is free to be wrong.",
        line="denoiser_panels",
        differ=True,
    ),
    View(
        "score field",
        "The direction in which the density grows: the network's, and the exact one "
        "beside it. Sampling follows these arrows.",
        plane="score_panels",
    ),
    View(
        "clean estimate",
        "What the denoiser takes each point's clean data to be (x0_hat), and beside "
        "it the best possible guess. At high noise even that is a blur of the modes.",
        plane="estimate_panels",
    ),
    View(
        "mean and std",
        "Mean and standard deviation of the points over the levels, with the exact "
        "ones dashed; the upright line is the level shown.",
        line="moments_panels",
        plane="moments_panels",
        differ=True,
        level=False,
    ),
)
"""Every view of points, in the order of the lab's key ``v``."""

BY_NAME: Mapping[str, View] = {view.name: view for view in VIEWS}
VIEWS_1D = tuple(view.name for view in VIEWS if view.line)
VIEWS_2D = tuple(view.name for view in VIEWS if view.plane)

OF_TRAINING: Mapping[str, str] = {
    "loss": "Every step's loss as an envelope, and smoothed. It cannot fall below the "
    "floor: even the ideal denoiser does not know which noise was drawn.",
    "excess": "How far the network's loss is above the floor at every level, which is what "
    "it has still to learn there. A flat loss with an excess near 0 has "
    "converged.",
    "error": "The sample's error, split by putting the exact start, the ideal denoiser and "
    "endless steps in the place of the real ones. The longest bar is what to mend "
    "first.",
    "schedule": "What is left of the data (alpha_bar) and how much noise there is (sigma) at "
    "every level; and how large an error of 1 in eps_hat made there grows. Tall "
    "ends forgive nothing.",
}
"""What each view of a training and of its result shows."""

TRAINING_VIEWS = tuple(OF_TRAINING)

PICTURES: Mapping[str, str] = {**{view.name: view.help for view in VIEWS}, **OF_TRAINING}
"""The meaning of each picture, in two sentences."""

GRID = "grid"
"""The view of points at several levels, from noise to clean."""

TABLE_VIEWS = ("mean and std", *TRAINING_VIEWS)
"""Views whose numbers form a table."""

_OF_ALL_LEVELS = (GRID, *(view.name for view in VIEWS if not view.level), *TRAINING_VIEWS)


def views_of(dim: int) -> tuple[str, ...]:
    """Return the views of points with this many coordinates."""
    return VIEWS_1D if dim == 1 else VIEWS_2D


def pictures_of(dim: int) -> tuple[str, ...]:
    """Return all views that a picture of such points can show."""
    return (GRID, *views_of(dim), *TRAINING_VIEWS)


def named(text: str) -> str:
    """Return the canonical name of a view written as ``score-field`` or ``Score Field``."""
    words = text.strip().lower()
    every = (GRID, *VIEWS_1D, *VIEWS_2D, *TRAINING_VIEWS)
    return next((view for view in every if option_name(view) == option_name(words)), words)


def option_name(view: str) -> str:
    """Return a view's name as one word for the command line."""
    return view.replace(" ", "-").replace("_", "-")


def has_level(view: str) -> bool:
    """Return whether a view shows one level, and not all of them."""
    return view not in _OF_ALL_LEVELS
