"""The legend of a view of points in the plane."""

from __future__ import annotations

from ...core.numbered_text import NamedNumber, NumberedText
from ...core.trajectory_view import CONTOUR_SHARE, MARKED_MODES
from ...export.groups import Groups
from ...interface.glyphs import Glyphs
from ..drawing.grouped import group_legend, plain
from ..drawing.palette import Palette
from ..drawing.plot import LegendEntry
from ..sampling.measured_trajectory import MeasuredTrajectory
from .exact import has_ring
from .view_state import PATHS, ViewState, role_of, source_name


def plane_legend(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    palette: Palette,
    glyphs: Glyphs,
    cell: float,
) -> list[LegendEntry]:
    """Return the legend of points and lines; ``cell`` is the width of a cell in data units."""
    name, role = source_name(trajectory), role_of(trajectory)
    groups = trajectory.groups
    match view_state.view:
        case "density":
            return [("▇", f"density of {name}", "truth")]
        case "paths":
            count = NamedNumber("points", f"{min(PATHS, trajectory.x.shape[1])}")
            return named_points("─", (f"{name}, ", count, " points"), role, groups, palette, glyphs)
        case "score field":
            return [("→", f"score of {name}", role)]
        case "score error":
            return [("→", f"score of {name} − exact", role)]
        case "clean estimate":
            return named_points("•", f"x0_hat of {name}", role, groups, palette, glyphs)
    entries = named_points("•", name, role, groups, palette, glyphs)
    if view_state.truth:
        ring = "+" if plain(palette, glyphs) else "─"
        if trajectory.mixture.modes <= MARKED_MODES and view_state.view != "close-up":
            entries.append(("○", "mode", "mark"))
        if view_state.view == "close-up" or has_ring(trajectory.truth(view_state.position), cell):
            share = NamedNumber("of truth", f"{CONTOUR_SHARE:.0%}")
            entries.append((ring, (share, " of truth"), "truth"))
    return entries


def named_points(
    sample: str,
    text: NumberedText,
    role: str,
    groups: Groups | None,
    palette: Palette,
    glyphs: Glyphs,
) -> list[LegendEntry]:
    """Return the legend of points: their source and, if they have groups, these."""
    if groups is None:
        return [(sample, text, role)]
    by: NumberedText = (text, f" by {groups.title}")
    return [(sample, by, "text"), *group_legend(groups, plain(palette, glyphs))]
