"""Every view of a trajectory, as lines of a terminal.

The functions depend only on content, size and colours; they use no widget.
"""

from __future__ import annotations

from textual.strip import Strip

from ..drawing.palette import Palette
from ..sampling.measured_trajectory import MeasuredTrajectory
from ..terminal.glyphs import Glyphs
from .levels import moments, paths
from .line import denoiser, histogram, pdf_cdf
from .names import VIEWS_1D, VIEWS_2D, views_of
from .plane import plane
from .view_state import ViewState

__all__ = ["VIEWS_1D", "VIEWS_2D", "ViewState", "picture", "views_of"]


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
    drawers = {"mean and std": moments}
    if trajectory.dim == 1:
        drawers |= {
            "histogram": histogram,
            "close-up": histogram,
            "pdf and cdf": pdf_cdf,
            "paths": paths,
            "denoiser": denoiser,
        }
    return drawers.get(view_state.view, plane)(
        trajectory, view_state, width, height, palette, glyphs
    )
