"""Figures of what a network learns of its training set."""

from __future__ import annotations

import numpy as np

from ...core.arrays import Floats
from ...core.memorisation_rows import Rows, set_floors
from ...core.training_set import POPULATION_UNKNOWN
from ..scene import Exhibit
from .figure import Curves, PicturePanel, curve
from .scales import empty, logs, span

_OPTIMA = (("to_population", "truth", "population"), ("to_training_set", "second", "training set"))
"""Field of the distance to each optimum, its role and its name."""

_COPIES = "nearer to the set, it copies, unless both are alike"


def learned_layers(rows: Rows, steps: int) -> list[Curves]:
    """Return the losses on the training set and on held-out data, and the floor of the set."""
    if len(rows) < 2:
        return []
    at = rows["step"].astype(np.float64)
    layers = [Curves(curve(at, logs(rows["train_loss"])), "network", "training set")]
    if np.isfinite(rows["heldout_loss"]).any():
        layers.append(Curves(curve(at, logs(rows["heldout_loss"])), "mark", "held-out"))
    starts = np.array([start for start, _ in set_floors(rows)] + [steps], np.float64)
    floors = logs(np.array([floor for _, floor in set_floors(rows)]))
    stairs = curve(np.repeat(starts, 2)[1:-1], np.repeat(floors, 2))
    return [*layers, Curves(stairs, "second", "floor of the training set", 1.5, dashed=True)]


def memorisation_panels(exhibit: Exhibit) -> tuple[PicturePanel, ...]:
    """Return the distances to both optima at every level, and over the training."""
    distances, rows = exhibit.distances, exhibit.memorisation
    if not distances:
        return (empty("There is no network, or no fixed training set."),)
    levels = np.array([at.level for at in distances], float)
    unknown = distances[0].to_population is None
    values = [
        np.array([np.nan if getattr(at, key) is None else getattr(at, key) for at in distances])
        for key, _, _ in _OPTIMA
    ]
    note = POPULATION_UNKNOWN if unknown else _COPIES
    apart = np.array([np.nan if at.apart is None else at.apart for at in distances])
    over_levels = _panel(levels, values, "distance at every level", "level", note, apart)
    if len(rows) < 2:
        return (over_levels,)
    values = [rows[key] for key, _, _ in _OPTIMA]
    return over_levels, _panel(rows["step"], values, "distance over all levels", "step")


def _panel(
    xs: Floats,
    values: list[Floats],
    title: str,
    x_label: str,
    note: str = "",
    apart: Floats | None = None,
) -> PicturePanel:
    layers = tuple(
        Curves(curve(xs, logs(ys)), role, name)
        for (_, role, name), ys in zip(_OPTIMA, values, strict=True)
        if np.isfinite(ys).any()
    )
    if apart is not None and np.isfinite(apart).any():
        layers += (Curves(curve(xs, logs(apart)), "faint", "optima apart", 1.5, dashed=True),)
    across = (0.0, max(float(xs[-1]), 1.0))
    heights = [layer.lines[..., 1] for layer in layers]
    notes = (note,) if note else ()
    return PicturePanel(across, span(*heights), layers, title, notes, x_label, log_y=True)
