"""Every view of a trajectory, as lines of a terminal.

The functions depend only on content, size and colours; they use no widget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.strip import Strip

from ...interface.glyphs import Glyphs
from ..drawing.palette import Palette
from ..sampling.measured_trajectory import MeasuredTrajectory
from .levels import draw_moments, paths
from .line import draw_denoiser, draw_histogram, draw_pdf_cdf
from .names import VIEWS_1D, VIEWS_2D, views_of
from .plane import OF_PLANE, draw_plane
from .view_state import ViewState

__all__ = ["VIEWS_1D", "VIEWS_2D", "ViewState", "picture", "views_of"]


Drawing = Callable[[MeasuredTrajectory, ViewState, int, int, Palette, Glyphs], list[Strip]]


def picture(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw a trajectory at one level in one view, as ``height`` lines of ``width`` cells."""
    if width < 16 or height < 6:
        return [Strip.blank(width)] * height
    drawings = _LINE if trajectory.dim == 1 else _PLANE
    drawing = drawings.get(view_state.view, _of_panels)
    return drawing(trajectory, view_state, width, height, palette, glyphs)


def _of_panels(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    from .panels import panels  # loads what pictures in files need

    return panels(trajectory, view_state, width, height, palette, glyphs)


_LINE: Mapping[str, Drawing] = {
    "histogram": draw_histogram,
    "close-up": draw_histogram,
    "pdf and cdf": draw_pdf_cdf,
    "paths": paths,
    "denoiser": draw_denoiser,
    "mean and std": draw_moments,
}
_PLANE: Mapping[str, Drawing] = {
    **dict.fromkeys(OF_PLANE, draw_plane),
    "mean and std": draw_moments,
}
"""Drawings made for the terminal; any other view is drawn from the panels of its picture."""
