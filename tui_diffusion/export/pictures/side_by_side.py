"""Several denoisings in one figure, at the same share of their levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..scene import Animation
from .figure import Figure, Panel
from .views import panels_of

_SEVERAL = ("histogram", "pdf and cdf", "denoiser", "mean and std")
"""Views whose panels show different things, not one thing for several denoisers."""


def denoisings(
    animations: Sequence[tuple[str, Animation, float]], views: Mapping[int, str], title: str
) -> Figure:
    """Return named trajectories at positions between levels 0 and N, in a view by dimension."""
    panels: list[Panel] = []
    for name, animation, position in animations:
        scene, view = animation.scene(position), views[animation.dim]
        view_panels = panels_of(animation, scene, view)
        for panel in view_panels if view in _SEVERAL else view_panels[:1]:
            what = f"  {panel.title}" if view in _SEVERAL else ""
            note = f"level {position:g}/{animation.levels}"
            panels.append(replace(panel, title=f"{name}{what}", notes=(note,)))
    return Figure(title, tuple(panels))
