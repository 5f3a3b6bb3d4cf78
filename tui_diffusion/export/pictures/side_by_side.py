"""Several denoisings in one figure, at the same share of their levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..scene import Animation
from ..views import BY_NAME
from .figure import Figure, PicturePanel
from .views import panels_of


def denoisings(
    animations: Sequence[tuple[str, Animation, float]], views: Mapping[int, str], title: str
) -> Figure:
    """Return named trajectories at positions between levels 0 and N, in a view by dimension."""
    panels: list[PicturePanel] = []
    for name, animation, position in animations:
        scene, view = animation.scene(position), views[animation.dim]
        view_panels, differ = panels_of(animation, scene, view), BY_NAME[view].differ
        for panel in view_panels if differ else view_panels[:1]:
            what = f"  {panel.title}" if differ else ""
            note = f"level {position:g}/{animation.levels}"
            panels.append(replace(panel, title=f"{name}{what}", notes=(note,)))
    return Figure(title, tuple(panels))
