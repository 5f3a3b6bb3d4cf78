"""The views of a film by name, in the order of the key ``v``; known without torch."""

from __future__ import annotations

from ..export.views import VIEWS_1D, VIEWS_2D, views_of

__all__ = ["TABS", "VIEWS_1D", "VIEWS_2D", "view_after", "views_of", "zoomed"]

TABS = ("setup", "training", "denoising")


def view_after(view: str, dim: int) -> str:
    """The next view of such points; after the last the first."""
    views = views_of(dim)
    return views[(views.index(view) + 1) % len(views)]


def zoomed(zoom: int, change: int) -> int:
    """Nearer or further by factors of √2, from a quarter of the size to 128 times it."""
    return min(max(zoom + change, -4), 14)
