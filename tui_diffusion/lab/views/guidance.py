"""The guidance at every level: its angle to what it should be, and its length."""

from __future__ import annotations

import math

from textual.strip import Strip

from ...core.analysis.guidance.effect import GuidanceEffect
from ...core.numbered_text import NamedNumber, NumberedText
from ...interface.glyphs import Glyphs
from ..drawing.figure import Curve, PlotFigure, Rule
from ..drawing.palette import Palette
from ..sampling.diagnosis import RequestedDiagnosis
from .diagrams import PAIR_FROM, diagrams, message

_ROOMY = 100
"""Number of columns from which the distances have their whole names."""


def guidance(
    diagnosis: RequestedDiagnosis,
    level: int,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw angle and length of the guidance at every level as bars, with the exact length."""
    effect = diagnosis.guidance
    if effect is None or not effect.levels:
        waiting = "No guidance: its weight is 1."
        if not diagnosis.losses:
            waiting = "Train first: without a network there is no guidance."
        elif effect is None:
            waiting = "measuring …"
        return message(waiting, width, height, palette)
    levels = [float(k) for k in range(len(effect.levels))]
    across = (-0.5, len(levels) - 0.5)

    def values(name: str) -> list[float]:
        found = [getattr(at, name, None) for at in effect.levels]
        return [math.nan if value is None else float(value) for value in found]

    angles = PlotFigure(
        curves=(Curve(levels, values("angle"), "bars", label="angle", fill=True),),
        h_lines=(Rule(90.0, "floor", "no help"),),
        x_label="level",
        x_range=across,
    )
    lengths = PlotFigure(
        curves=(
            Curve(levels, values("length"), "bars", label="length", fill=True),
            Curve(levels, values("exact"), "floor", marker="dashed", label="exact"),
        ),
        x_label="level",
        x_range=across,
    )
    notes = [_at(effect, level), _distances(effect, diagnosis, width)]
    figures = [angles, lengths] if width >= PAIR_FROM else [angles]
    return diagrams(figures, notes, width, height, palette, glyphs)


def _at(effect: GuidanceEffect, level: int) -> NumberedText:
    """Return the guidance at a level in words."""
    k = min(level, len(effect.levels) - 1)
    at = effect.levels[k]
    start = (" level ", NamedNumber("level", str(k)))
    if at is None:
        return (*start, ": not guided")
    length = ("length ", NamedNumber("guidance length", f"{at.length:.3g}"))
    exact = (", exact ", NamedNumber("exact guidance", f"{round(at.exact, 9):.3g}"))
    if at.angle is None:
        return (*start, ": ", *length, *exact)
    angle = (": angle ", NamedNumber("guidance angle", f"{at.angle:.3g}"), "°, ")
    return (*start, *angle, *length, *exact)


def _distances(effect: GuidanceEffect, diagnosis: RequestedDiagnosis, width: int) -> NumberedText:
    """Return how far the sample is from each distribution, beside what true points score."""
    found = effect.distances
    if found is None:
        live = diagnosis.request.live
        return (" distances: ", "when the training pauses or ends" if live else "measuring …")
    parts: list[str | NamedNumber] = [
        " distance of the sample from: " if width >= _ROOMY else " from "
    ]
    for name in ("conditional", "tilted", "guided"):
        value = getattr(found, name)
        shown = "–" if value is None else f"{value:.2g}"
        whole = {"guided": "guided ODE"}.get(name, name) if width >= _ROOMY else name
        parts += [f"{whole} ", NamedNumber(name, shown) if value is not None else shown, ", "]
    return (*parts, "true points ", NamedNumber("real", f"{found.real:.2g}"))
