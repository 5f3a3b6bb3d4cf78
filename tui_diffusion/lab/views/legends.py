"""The legend of a view of points in the plane."""

from __future__ import annotations

from ...core.numbered_text import NamedNumber
from ...core.trajectory_view import CONTOUR_SHARE, MARKED_MODES
from ...export.groups import crosses
from ...interface.glyphs import Glyphs
from ..drawing.figure import LegendEntry
from ..drawing.grouped import group_legend, plain, points_legend
from ..drawing.palette import Palette
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
    groups, signs = trajectory.groups, plain(palette, glyphs)
    match view_state.view:
        case "density":
            return [("▇", f"density of {name}", "truth")]
        case "paths":
            count = NamedNumber("points", f"{min(PATHS, trajectory.x.shape[1])}")
            text = (f"{name}, ", count, *(() if groups else (" points",)))
            return points_legend("─", text, role, groups, signs)
        case "score field":
            return [("→", f"score of {name}{_of_label(trajectory)}", role)]
        case "score error":
            return [("→", f"score of {name} − exact", role)]
        case "clean estimate":
            return points_legend("•", f"x0_hat of {name}", role, groups, signs)
    entries = points_legend("•", name, role, groups, signs)
    if groups is not None and not groups.title:
        entries = group_legend(groups, signs)  # there is no room for the source as well
    if (crossed := crosses(trajectory.training_set)) is not None:
        entries += group_legend(crossed, signs)
    if view_state.truth:
        ring = "+" if signs else "─"
        if trajectory.mixture.modes <= MARKED_MODES and view_state.view != "close-up":
            entries.append(("○", "mode", "mark"))
        if view_state.view == "close-up" or has_ring(trajectory.truth(view_state.position), cell):
            share = NamedNumber("of truth", f"{CONTOUR_SHARE:.0%}")
            entries.append((ring, (share, " of truth"), "truth"))
    return entries


def _of_label(trajectory: MeasuredTrajectory) -> str:
    """Return of which label a field over the plane is, if the network takes labels."""
    if not trajectory.request.experiment.network.labels:
        return ""
    return ", no label" if trajectory.label is None else f", class {trajectory.label}"
