"""The distance of a network to the optima of the population and of its training set."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan

from textual.strip import Strip

from ...core.analysis.memorisation.measures import OptimumDistance
from ...core.memorisation_rows import Rows, no_rows
from ...core.numbered_text import NamedNumber, NumberedText
from ...core.training_set import POPULATION_UNKNOWN
from ...interface.glyphs import Glyphs
from ..drawing.figure import Curve, PlotFigure, Rule
from ..drawing.palette import Palette
from ..sampling.diagnosis import RequestedDiagnosis
from .diagrams import diagrams, message

_ROOMY, _APART = 76, 68
"""Number of columns from which the numbers of a level have their whole names, or are three."""

_OPTIMA = (("to_population", "truth"), ("to_training_set", "second"))
"""Field and role of the distance to each optimum."""

_LEGEND, _LEGEND_OF_THREE = 38, 50
"""Number of columns of a diagram whose legend has room for both whole names, or a third besides."""


def memorisation(
    diagnosis: RequestedDiagnosis,
    rows: Rows | None,
    level: int,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw the distance to both optima over the levels, and over the steps of the training.

    ``rows`` are what was measured during the training. The network copies at the levels where the
    training set is nearer, and nearer than the optima are to each other.
    """
    distances = diagnosis.distances
    if not diagnosis.request.experiment.data.finite:
        waiting = "No training set: data.train_points is 0, every step draws fresh points."
        return message(waiting, width, height, palette)
    if not distances:
        return message("Train first: there is no network yet.", width, height, palette)
    levels = [float(at.level) for at in distances]
    here = min(level, len(distances) - 1)
    long = width // 2 >= (_LEGEND if width < _ROOMY else _LEGEND_OF_THREE)
    names = "population", "training set" if long else "set"
    over_levels = PlotFigure(
        curves=(
            *_curves(levels, [[getattr(at, key) for at in distances] for key, _ in _OPTIMA], names),
            *_apart(levels, distances, width),
        ),
        x_label="level",
        x_range=(0.0, max(levels[-1], 1.0)),
        v_lines=(Rule(float(here), "grid"),),
        log_y=True,
    )
    known = rows if rows is not None else no_rows()
    over_steps = PlotFigure(
        curves=_curves(known["step"].tolist(), [known[key].tolist() for key, _ in _OPTIMA]),
        x_label="step",
        x_range=(0.0, float(diagnosis.request.experiment.training.steps)),
        y_label="distance, all levels",
        log_y=True,
    )
    notes = _at_level(distances[here], width), _verdict(distances)
    return diagrams([over_levels, over_steps], notes, width, height, palette, glyphs)


def _curves(
    xs: Sequence[float],
    values: Sequence[Sequence[float | None]],
    names: Sequence[str | None] = (None, None),
) -> tuple[Curve, ...]:
    """Return a curve for each optimum whose distance is known."""
    return tuple(
        Curve(xs, [nan if y is None else y for y in ys], role, label=name)
        for (_, role), ys, name in zip(_OPTIMA, values, names, strict=True)
        if any(y is not None and isfinite(y) for y in ys)
    )


def _apart(
    levels: Sequence[float], distances: Sequence[OptimumDistance], width: int
) -> tuple[Curve, ...]:
    """Return the distance of the optima from each other, if it is known and can be named."""
    values = [at.apart for at in distances if at.apart is not None]  # all are known, or none
    if not values or width < _ROOMY:
        return ()
    return (Curve(levels, values, "axis", "dashed", "apart"),)


def _at_level(here: OptimumDistance, width: int) -> NumberedText:
    """Return the distances at a level."""
    the = " the " if width >= _ROOMY else " "
    found: list[str | NamedNumber] = [" level ", NamedNumber("level", str(here.level)), ":"]
    if here.to_population is not None:
        number = NamedNumber("to population", f"{here.to_population:.3g}")
        found += [f" to{the}population ", number, ","]
    to = "" if here.apart is not None else " to"
    found += [
        f"{to}{the}training set ",
        NamedNumber("to training set", f"{here.to_training_set:.3g}"),
    ]
    if here.apart is not None and width >= _APART:
        found += [", ", NamedNumber("optima apart", f"{here.apart:.3g}"), " apart"]
    return tuple(found)


def _verdict(distances: Sequence[OptimumDistance]) -> str:
    """Say at which levels the network copies."""
    if distances[0].to_population is None:
        return f" {POPULATION_UNKNOWN}"
    levels = [at.level for at in distances if at.copies]
    if not levels:
        nearer = any(at.to_training_set < (at.to_population or 0.0) for at in distances)
        if nearer:
            return " nearer to the set only where both optima are alike"
        return " nearer to the population at every level: it generalises"
    if len(levels) == len(distances):
        return " nearer to the training set at every level: it copies"
    return f" nearer to the training set at {_ranges(levels)}: it copies there"


def _ranges(levels: Sequence[int]) -> str:
    """Return ascending levels as text: ``level 3``, ``levels 3 to 7 and 9``."""
    runs: list[list[int]] = []
    for level in levels:
        if runs and level == runs[-1][-1] + 1:
            runs[-1].append(level)
        else:
            runs.append([level])
    shown = [f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    text = " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
    return f"level{'s' if len(levels) > 1 else ''} {text}"
