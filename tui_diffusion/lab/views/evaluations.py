"""The error of samplers against evaluations of the denoiser, with logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.strip import Strip

from ...core.analysis.evaluations import FROM_GUIDED, SamplerError, best_samplers, compared
from ...core.numbered_text import NamedNumber, NumberedText, text_of
from ...interface.glyphs import Glyphs
from ..drawing.figure import Curve, PlotFigure, Rule
from ..drawing.palette import Palette
from ..sampling.diagnosis import RequestedDiagnosis
from .diagrams import diagrams, message

_ROLES = ("network", "second", "mark", "start")
"""Roles of the samplers, the experiment's own first."""


def evaluations(
    diagnosis: RequestedDiagnosis, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Draw the error of the experiment's sampler, and of the best ones, against evaluations.

    Solid lines are the network's, broken ones the ideal denoiser's. An error below that of true
    points is drawn at theirs.
    """
    rows = diagnosis.evaluations
    if not rows:
        waiting = "Train first: there is no network yet."
        if diagnosis.losses:
            tried = diagnosis.request.study == "evaluations"
            waiting = "No sampler takes so few evaluations." if tried else "measuring …"
        return message(waiting, width, height, palette)
    own = diagnosis.request.experiment.sampling.sampler
    least, names = rows[0].real, compared(rows, own)[: len(_ROLES)]
    curves: list[Curve] = []
    for name, role in zip(names, _ROLES, strict=False):
        of_one = [row for row in rows if row.sampler == name]
        calls = [math.log10(row.evaluations) for row in of_one]
        ideal = [max(row.ideal, least) for row in of_one]
        curves.append(Curve(calls, ideal, role, marker="dashed"))
        errors = [max(row.error, least) for row in of_one]
        curves.append(Curve(calls, errors, role, label=name))
    marks = sorted({row.evaluations for row in rows if row.sampler in names})
    figure = PlotFigure(
        curves=tuple(curves),
        h_lines=(Rule(least, "truth", "true points"),),
        x_label="evaluations, broken: ideal",
        x_ticks=_ticks(marks[0], marks[-1]),
        log_y=True,
    )
    notes: list[NumberedText] = [_named(rows, width)]
    if diagnosis.request.experiment.sampling.guided:
        notes.append((f" {FROM_GUIDED}",))
    return diagrams([figure], notes, width, height, palette, glyphs)


def _ticks(least: int, most: int) -> list[tuple[float, str]]:
    """Return ticks at the powers of 2 of a range, and at its ends if it holds none."""
    powers = [2**k for k in range(11) if least <= 2**k <= most] or [least, most]
    return [(math.log10(count), f"{count}") for count in powers]


def _named(rows: Sequence[SamplerError], width: int) -> NumberedText:
    """Return the best sampler for each number of evaluations, with its error if that fits."""
    best = best_samplers(rows)
    for with_errors in (True, False):
        parts: list[str | NamedNumber] = []
        for most, row in best.items():
            count = NamedNumber("evaluations", f"{most}")
            parts += [", " if parts else " best within ", count, f": {row.sampler}"]
            if with_errors:
                parts += [" ", NamedNumber("energy distance", f"{row.error:.2g}")]
        parts += ["; true points ", NamedNumber("real", f"{rows[0].real:.2g}")]
        text = tuple(parts)
        if len(text_of(text)) <= width:
            break
    return text
