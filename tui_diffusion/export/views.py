"""What a picture can show, by name; known without torch."""

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
"""Views of a training and of what came of it."""

GRID = "grid"
"""Points at several levels, from noise to clean."""

TABLE_VIEWS = ("mean and std", *TRAINING_VIEWS)
"""Views whose numbers make a table."""

_OF_ALL_LEVELS = (GRID, "mean and std", *TRAINING_VIEWS)


def views_of(dim: int) -> tuple[str, ...]:
    """The views of points with this many coordinates."""
    return VIEWS_1D if dim == 1 else VIEWS_2D


def pictures_of(dim: int) -> tuple[str, ...]:
    """Everything that a picture of such points can show."""
    return (GRID, *views_of(dim), *TRAINING_VIEWS)


def named(text: str) -> str:
    """The name of a view as a person may write it: ``score-field``, ``Score Field``."""
    words = text.strip().lower()
    every = (GRID, *VIEWS_1D, *VIEWS_2D, *TRAINING_VIEWS)
    return next((view for view in every if dashed(view) == dashed(words)), words)


def dashed(view: str) -> str:
    """A view's name as one word, as a command line takes it."""
    return view.replace(" ", "-").replace("_", "-")


def has_level(view: str) -> bool:
    """Whether it shows one level, and not all of them."""
    return view not in _OF_ALL_LEVELS
