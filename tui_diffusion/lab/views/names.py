"""The names of a film's views, in the order of the key ``v``; available without torch."""

from __future__ import annotations

from ...export.views import PICTURES, VIEWS_1D, VIEWS_2D, views_of

__all__ = ["PICTURES", "VIEWS_1D", "VIEWS_2D", "view_after", "views_of", "zoomed"]


def view_after(view: str, dim: int) -> str:
    """Return the next view of such points; the first follows the last."""
    views = views_of(dim)
    return views[(views.index(view) + 1) % len(views)]


def zoomed(zoom: int, change: int) -> int:
    """Change the zoom by factors of √2, from a quarter of the size to 128 times it."""
    return min(max(zoom + change, -4), 14)
