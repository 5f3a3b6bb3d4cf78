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


def view_after(view: str, dim: int) -> str:
    """The next view of such points; after the last the first."""
    views = views_of(dim)
    return views[(views.index(view) + 1) % len(views)]


def zoomed(zoom: int, change: int) -> int:
    """Nearer or further by factors of √2, from a quarter of the size to 128 times it."""
    return min(max(zoom + change, -4), 14)
