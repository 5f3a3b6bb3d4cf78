"""Figures of a training: its losses, their excess over the floor, and the sources of its error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...core.analysis.evaluations import FROM_GUIDED, best_samplers, compared
from ...core.analysis.loss_curve import Floors, floor_line, over_floor
from ...core.arrays import Floats
from ...core.assemble import sampling_schedule
from ...core.training_set import POPULATION_UNKNOWN
from ..scene import Exhibit
from .figure import Band, Bars, Curves, Figure, Layer, PicturePanel, curve
from .memorisation import learned_layers, memorisation_panels
from .scales import DECADES, empty, logs, span
from .theme import SERIES_ROLES

_COLUMNS = 600
"""Number of intervals of a loss curve."""

NamedLosses = tuple[str, NDArray[np.float32], Floors]
"""Name, all losses, and the floors with their first steps."""


def training_figure(exhibit: Exhibit, view: str) -> Figure:
    """Return one of the figures of a training."""
    panels = {
        "loss": _loss,
        "excess": _excess,
        "error": _error,
        "schedule": _schedule,
        "evaluations": _evaluations,
        "guidance": _guidance,
        "memorisation": memorisation_panels,
    }[view]
    return Figure(exhibit.title, panels(exhibit))


def reduced(values: NDArray[np.floating], columns: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Reduce a series to at most ``columns`` intervals: centres, minima, maxima, smoothed values.

    Values that are not finite are ignored; an interval without a finite value is nan.
    """
    edges = np.unique(np.linspace(0, len(values), min(columns, len(values)) + 1).astype(int))
    finite = np.isfinite(values)
    lows = np.minimum.reduceat(np.where(finite, values, np.inf), edges[:-1])
    highs = np.maximum.reduceat(np.where(finite, values, -np.inf), edges[:-1])
    lows[lows == np.inf] = highs[highs == -np.inf] = np.nan
    sums = np.add.reduceat(np.where(finite, values, 0).astype(np.float64), edges[:-1])
    counts = np.add.reduceat(finite.astype(np.float64), edges[:-1])
    half = max(1, len(sums) // 100)
    box = np.ones(min(2 * half + 1, len(sums)))
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.convolve(sums, box, "same") / np.convolve(counts, box, "same")
    return (edges[1:] + edges[:-1]) / 2, lows, highs, np.asarray(means)


def _loss(exhibit: Exhibit) -> tuple[PicturePanel, ...]:
    losses = np.asarray(exhibit.losses, np.float64)
    if not len(losses):
        return (empty("There is no training yet."),)
    steps = max(len(losses), 1)
    xs, lows, highs, means = reduced(losses, _COLUMNS)
    layers: list[Layer] = [
        Band(xs, logs(lows), logs(highs), "faint", "raw"),
    ]
    learned = learned_layers(exhibit.memorisation, steps)
    layers += learned or [Curves(curve(xs, logs(means)), "network", "smoothed")]
    floor_xs, floor = floor_line(exhibit.floors, steps)
    if exhibit.floors:
        line = curve(floor_xs, logs(floor))
        layers.append(Curves(line, "truth", "floor, the least of any network", 1.5, dashed=True))
    heights = [layer.lines[..., 1] for layer in learned]
    ys = span(logs(lows), logs(highs), logs(floor), *heights, most=DECADES)
    return (
        PicturePanel((0.0, float(steps)), ys, tuple(layers), "", (), "step", "loss", log_y=True),
    )


def _excess(exhibit: Exhibit) -> tuple[PicturePanel, ...]:
    losses = exhibit.diagnosed.losses
    if exhibit.experiment.data.population_unknown:
        return (empty(POPULATION_UNKNOWN),)
    if not losses:
        return (empty("Without a network there is no loss."),)
    levels = np.array([at.level for at in losses], float)
    excess = np.array([at.excess for at in losses])
    floor = np.array([at.floor for at in losses])
    layers = (
        Bars(np.arange(len(losses) + 1.0) - 0.5, excess, "network", "loss over its floor"),
        Curves(curve(levels, floor), "truth", "floor, the least of any network", dashed=True),
    )
    across = (-0.5, len(losses) - 0.5)
    top = 1.08 * float(np.nanmax([*excess, *floor, 1e-12]))
    nats = np.array([np.nan if at.nats is None else at.nats for at in losses])
    shares = Bars(np.arange(len(losses) + 1.0) - 0.5, nats, "second", "share of the bound on kl")
    most = 1.08 * float(np.nanmax([*nats, 1e-12]))
    found = exhibit.likelihood
    note = "" if found is None else f"kl {found.kl:.3g} ± {found.error:.2g} nats"
    return (
        PicturePanel(across, (0.0, top), layers, "loss", (), "level"),
        PicturePanel(across, (0.0, most), (shares,), "nats", (note,), "level"),
    )


def _error(exhibit: Exhibit) -> tuple[PicturePanel, ...]:
    """Return a sample's energy distance, split into start, network and steps, beside chance."""
    if exhibit.experiment.data.population_unknown:
        return (empty(POPULATION_UNKNOWN),)
    split = exhibit.diagnosed.attribution
    if split is None:
        return (empty("The error is split up when there is a network, and its training rests."),)
    names = ("start", "network", "discretisation", "total")
    values = np.array([getattr(split, name) for name in names])
    chance = np.full(2, split.chance)
    ends = np.array([-0.6, 3.6])
    layers = (
        Bars(np.arange(5.0) - 0.5, np.where(np.abs(values) <= split.chance, values, np.nan),
             "faint", "no more than chance", 0.6),
        Bars(np.arange(5.0) - 0.5, np.where(np.abs(values) > split.chance, values, np.nan),
             "network", "part of the error", 0.6),
        Curves(np.concatenate([curve(ends, chance), curve(ends, -chance)]), "truth",
               "chance, of true points", 1.5, dashed=True),
        Curves(curve(ends, np.zeros(2)), "dim", width=1.0),
    )  # fmt: skip
    ys = span(values, chance, -chance)
    return (PicturePanel((-0.6, 3.6), ys, layers, "", (), "", "energy distance", names=names),)


def _schedule(exhibit: Exhibit) -> tuple[PicturePanel, ...]:
    """Return alpha_bar and sigma over the levels, and the error amplification from each level."""
    noising = sampling_schedule(exhibit.experiment)
    alpha_bars, sigmas = noising.alpha_bars.numpy(), noising.sigmas.numpy()
    levels = np.arange(len(sigmas), dtype=float)
    by = exhibit.diagnosed.amplification
    at = np.array([a.level for a in by], float)
    step, out = (
        logs(np.array([getattr(a, name) or np.nan for a in by], float)) for name in ("step", "out")
    )
    top = 1.06 * float(max(alpha_bars.max(), sigmas.max()))
    across = (0.0, float(max(len(levels) - 1, 1)))
    noise = (
        Curves(curve(levels, alpha_bars), "truth", "alpha_bar"),
        Curves(curve(levels, sigmas), "network", "sigma"),
    )
    errors = (
        Curves(curve(at, step), "second", "error after its step"),
        Curves(curve(at, out), "mark", "error in the sample", dashed=True),
    )
    return (
        PicturePanel(across, (0.0, top), noise, "noise", (), "level"),
        PicturePanel(across, span(step, out), errors, "an error in eps_hat grows by", (), "level",
              log_y=True),
    )  # fmt: skip


def _evaluations(exhibit: Exhibit) -> tuple[PicturePanel, ...]:
    """Return the error of the experiment's sampler, and of the best ones, against evaluations."""
    if exhibit.experiment.data.population_unknown:
        return (empty(POPULATION_UNKNOWN),)
    rows = exhibit.evaluations
    if not rows:
        return (empty("There is no network whose samplers could be compared."),)
    names = compared(rows, exhibit.experiment.sampling.sampler)[: len(SERIES_ROLES)]
    least = rows[0].real
    layers: list[Layer] = []
    for name, role in zip(names, SERIES_ROLES, strict=False):
        of_one = [row for row in rows if row.sampler == name]
        calls = np.array([row.evaluations for row in of_one], float)
        error, ideal = (
            logs(np.array([max(getattr(row, what), least) for row in of_one]))
            for what in ("error", "ideal")
        )
        layers.append(Curves(curve(logs(calls), ideal), role, f"{name}, ideal", dashed=True))
        layers.append(Curves(curve(logs(calls), error), role, name))
    calls = logs(np.array([row.evaluations for row in rows], float))
    ends = np.array([calls.min(), calls.max()])
    ground = logs(np.full(2, least))
    layers.append(Curves(curve(ends, ground), "dim", "true points", 1.5))
    heights = [layer.lines[..., 1] for layer in layers if isinstance(layer, Curves)]
    best = ", ".join(f"{most}: {row.sampler}" for most, row in best_samplers(rows).items())
    xs = (float(ends[0]), max(float(ends[1]), float(ends[0]) + 0.1))
    title = FROM_GUIDED if exhibit.experiment.sampling.guided else ""
    return (
        PicturePanel(xs, span(*heights), tuple(layers), title, (f"best within {best}",),
                     "evaluations", "energy distance", log_x=True, log_y=True),
    )  # fmt: skip


def _guidance(exhibit: Exhibit) -> tuple[PicturePanel, ...]:
    """Return angle and length of the guidance at every level, with the length it should have."""
    levels, distances = exhibit.guidance.levels, exhibit.guidance.distances
    if not levels:
        return (empty("There is no guidance: its weight is 1, or there is no network."),)
    edges = np.arange(len(levels) + 1.0) - 0.5
    across = (float(edges[0]), float(edges[-1]))
    angles, lengths, exact = (
        np.array([getattr(at, name, None) for at in levels], float)
        for name in ("angle", "length", "exact")
    )
    right = Curves(curve(np.array(across), np.full(2, 90.0)), "truth", "no help", dashed=True)
    bars = Bars(edges, lengths, "network", "guidance")
    line = Curves(curve(np.arange(len(levels), dtype=float), exact), "truth", "exact")
    top = 1.08 * float(np.nanmax([*lengths, *exact, 1e-12]))
    note = "" if distances is None else f"sample from the guided ODE {distances.guided:.2g}"
    return (
        PicturePanel(across, (0.0, 180.0), (Bars(edges, angles, "second", "angle"), right),
                     "angle to the exact one", (), "level", "degrees"),
        PicturePanel(across, (0.0, top), (bars, line), "length", (note,), "level"),
    )  # fmt: skip


def losses_figure(
    trainings: Sequence[NamedLosses], title: str, *, log: bool, relative: bool
) -> Figure:
    """Return the smoothed losses of several trainings over the same steps.

    With ``relative``, each is divided by its floor.
    """
    longest = max((len(losses) for _, losses, _ in trainings), default=1)
    layers: list[Layer] = []
    for k, (name, losses, floors) in enumerate(trainings):
        if not len(losses):
            continue
        xs, _, _, means = reduced(over_floor(losses, floors if relative else ()), _COLUMNS)
        role = SERIES_ROLES[k % len(SERIES_ROLES)]
        line = curve(xs, logs(means) if log else means)
        layers.append(Curves(line, role, name, dashed=k % 2 == 1))
    if relative:
        ones = curve(np.array([0.0, longest]), np.full(2, 0.0 if log else 1.0))
        layers.append(Curves(ones, "dim", "floor, the least of any network", 1.2))
    heights = [layer.lines[..., 1] for layer in layers if isinstance(layer, Curves)]
    ys = span(*heights, most=DECADES if log else np.inf)
    if not log:
        ys = (0.0, ys[1])
    y = "loss over its floor" if relative else "loss"
    panel = PicturePanel(
        (0.0, float(max(longest, 1))), ys, tuple(layers), "", (), "step", y, log_y=log
    )
    return Figure(title, (panel,))
