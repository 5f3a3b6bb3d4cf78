"""The names of a trajectory's views, in the order of the key ``v``; available without torch."""

from __future__ import annotations

from ...export.views import PICTURES, VIEWS_1D, VIEWS_2D, views_of

__all__ = ["PICTURES", "VIEWS_1D", "VIEWS_2D", "view_after", "views_of", "zoomed"]


def view_after(view: str, dim: int, by: int = 1) -> str:
    """Return the view of such points ``by`` places on; the first follows the last."""
    views = views_of(dim)
    return views[(views.index(view) + by) % len(views)]


def zoomed(zoom: int, change: int) -> int:
    """Return the zoom after ``change`` steps of √2, limited to 1/4 to 128 times the size."""
    return min(max(zoom + change, -4), 14)
