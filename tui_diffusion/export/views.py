"""The names of the views that a picture can show; available without torch."""

from __future__ import annotations

VIEWS_1D = ("histogram", "close-up", "pdf and cdf", "paths", "denoiser", "mean and std")
VIEWS_2D = (
    "scatter",
    "close-up",
    "density",
    "paths",
    "score field",
    "clean estimate",
    "mean and std",
)
"""Views of points, in the order of the lab's key ``v``."""

TRAINING_VIEWS = ("loss", "excess", "error", "schedule")
"""Views of a training and of its result."""

GRID = "grid"
"""The view of points at several levels, from noise to clean."""

TABLE_VIEWS = ("mean and std", *TRAINING_VIEWS)
"""Views whose numbers form a table."""

_OF_ALL_LEVELS = (GRID, "mean and std", *TRAINING_VIEWS)


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
    return next((view for view in every if dashed(view) == dashed(words)), words)


def dashed(view: str) -> str:
    """Return a view's name as one word for the command line."""
    return view.replace(" ", "-").replace("_", "-")


def has_level(view: str) -> bool:
    """Return whether a view shows one level, and not all of them."""
    return view not in _OF_ALL_LEVELS
