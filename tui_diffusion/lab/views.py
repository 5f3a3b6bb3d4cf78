"""The views of a film by name, in the order of the key ``v``; known without torch."""

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
TABS = ("setup", "training", "denoising")


def views_of(dim: int) -> tuple[str, ...]:
    """The views of points with this many coordinates."""
    return VIEWS_1D if dim == 1 else VIEWS_2D
