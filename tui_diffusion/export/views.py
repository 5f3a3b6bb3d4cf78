"""The views that a picture can show, each declared once; available without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A view of points, with its name and its meaning in two sentences.

    ``line`` and ``plane`` name the functions of `export.pictures.views` that return its panels for
    points with one and two coordinates, '' if it has none. The lab draws these panels in the
    terminal unless it has its own drawing of the view. The panels ``differ`` if they show different
    quantities, and not one quantity for several denoisers. A view without ``level`` shows all
    levels.
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
        "A close-up: in 1D of the exact density at this level, in 2D of every point "
        "relative to its nearest mode. It shows whether a sample is too narrow or too "
        "wide.",
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
        "The density of the points, beside the exact density of the noised data; "
        "brighter is denser. The two look alike where the sample is right.",
        plane="density_panels",
    ),
    View(
        "network density",
        "The density of what the network generates along its ODE, at this level, with the exact "
        "one. It has no chance in it: what differs is the network's fault, or the start's.",
        line="line_density_panels",
        plane="plane_density_panels",
    ),
    View(
        "log ratio",
        "Where the network's density is too high and where too low: the logarithm of its ratio to "
        "the exact one. Its mean over the data is −kl.",
        line="line_ratio_panels",
        plane="plane_ratio_panels",
        differ=True,
    ),
    View(
        "guided density",
        "The sample beside what guidance makes of the data: the density that the guided ODE of "
        "exact denoisers ends in, and the tilted one, p(x|c)^w p(x)^(1−w), that it is often taken "
        "to sample. The ring holds 95 % of the exact data.",
        line="line_guided_panels",
        plane="plane_guided_panels",
        differ=True,
    ),
    View(
        "paths",
        "The paths of some points from noise to this level, beside those of the ideal "
        "denoiser from the same start. Where they part, the network errs.",
        line="line_path_panels",
        plane="plane_path_panels",
    ),
    View(
        "denoiser",
        "The denoiser's prediction of the clean value, and its score, as functions "
        "of x. Where points are rare, an error of the network does little harm.",
        line="denoiser_panels",
        differ=True,
    ),
    View(
        "score field",
        "The direction in which the density grows, and how fast: the network's, and the exact one "
        "beside it. Sampling follows these arrows.",
        plane="score_panels",
    ),
    View(
        "score error",
        "The network's score minus the exact one, with lengths of its own scale. Arrows that all "
        "point one way shift the points; arrows towards a mode contract it.",
        line="line_error_panels",
        plane="score_error_panels",
    ),
    View(
        "clean estimate",
        "The denoiser's prediction of each point's clean data (x0_hat), beside the "
        "best possible one. At high noise, even that is a blur of the modes.",
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

SOLVED = ("network density", "log ratio", "guided density")
"""Views that solve an ODE at every point of a grid, which takes up to some seconds."""

BY_NAME: Mapping[str, View] = {view.name: view for view in VIEWS}
VIEWS_1D = tuple(view.name for view in VIEWS if view.line)
VIEWS_2D = tuple(view.name for view in VIEWS if view.plane)

OF_TRAINING: Mapping[str, str] = {
    "loss": "Every step's loss as an envelope, and smoothed. It cannot fall below the "
    "floor: even the ideal denoiser does not know which noise was drawn.",
    "excess": "The network's loss above the floor at every level, which is what it still has to "
    "learn there; beside it, the nats that each level adds to the bound on kl, the divergence of "
    "the network's density. A flat loss with an excess near 0 has converged.",
    "error": "The sample's error, split by replacing the start by the exact one, the network by "
    "the ideal denoiser, and the steps by infinitely many. The longest bar shows what to fix "
    "first.",
    "schedule": "The share of the data (alpha_bar) and the noise (sigma) at every level, and the "
    "growth of an error of 1 in eps_hat made there. Where the growth is large, the network must "
    "be accurate.",
    "evaluations": "The error of samplers against calls of the network, which is what sampling "
    "costs: solid the network's, broken the ideal denoiser's, whose slope is the sampler's order. "
    "The gap is the network's fault; the flat line is the score of true points.",
    "guidance": "The angle of the guidance at every level to what it should be, and its length: "
    "the exact guidance if the guide hides the label, the exact correction of the network if it is "
    "only weaker. At 90° guidance adds nothing good.",
}
"""The meaning of each view of a training and of its result."""

TRAINING_VIEWS = tuple(OF_TRAINING)

PICTURES: Mapping[str, str] = {**{view.name: view.help for view in VIEWS}, **OF_TRAINING}
"""The meaning of each picture, in two sentences."""

GRID = "grid"
"""The view of points at several levels, from noise to clean."""

TABLE_VIEWS = ("mean and std", *TRAINING_VIEWS)
"""Views whose numbers form a table."""

_OF_ALL_LEVELS = (GRID, *(view.name for view in VIEWS if not view.level), *TRAINING_VIEWS)


def views_of(dim: int) -> tuple[str, ...]:
    """Return the views of points with ``dim`` coordinates."""
    return VIEWS_1D if dim == 1 else VIEWS_2D


def pictures_of(dim: int) -> tuple[str, ...]:
    """Return all views that a picture of points with ``dim`` coordinates can show."""
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
