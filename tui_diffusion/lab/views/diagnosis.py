"""The diagnosis of the error: excess loss at every level, amplification, and attribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ...core.analysis.attribution import PARTS, Attribution, numbered_verdict
from ...core.assemble import sampling_schedule
from ...core.numbered_text import NamedNumber, NumberedText, joined, text_of, wrapped
from ...interface.glyphs import Glyphs
from ..drawing.figure import Curve, PlotFigure
from ..drawing.palette import Palette
from ..drawing.strips import one_cell_text
from ..readings import named
from ..sampling.diagnosis import RequestedDiagnosis
from .diagrams import PAIR_FROM, diagrams, message

_ROOMY = 84
"""Number of columns from which the numbers of a level have their whole names."""

_LABEL = 49
"""Cells of a row without its bar: name and number, the axis, and a word at the end."""


def excess(
    diagnosis: RequestedDiagnosis,
    level: int,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw the loss over its floor at every level as bars, with the floor as a line.

    Beside them, if there is room, stand the nats that each level adds to the bound on kl.
    """
    losses = diagnosis.losses
    if not losses:
        return message("Train first: without a network there is no loss.", width, height, palette)
    levels = [float(at.level) for at in losses]
    curves = (
        Curve(levels, [at.excess for at in losses], "bars", label="excess loss", fill=True),
        Curve(levels, [at.floor for at in losses], "floor", marker="dashed", label="floor"),
    )
    across = (-0.5, len(losses) - 0.5)
    figure = PlotFigure(curves=curves, x_label="level", x_range=across)
    shares = [math.nan if at.nats is None else at.nats for at in losses]
    nats = PlotFigure(
        curves=(Curve(levels, shares, "bars", label="nats", fill=True),),
        x_label="level",
        x_range=across,
    )
    here = losses[min(level, len(losses) - 1)]
    note = (
        " level ",
        NamedNumber("level", str(here.level)),
        ": loss ",
        NamedNumber("loss", f"{here.loss:.4g}"),
        ", least of any network " if width >= _ROOMY else ", least ",
        NamedNumber("least of any network", f"{here.floor:.4g}"),
        ", excess ",
        NamedNumber("excess", f"{here.excess:.3g}"),
        *((", nats ", NamedNumber("nats", f"{here.nats:.2g}")) if here.nats is not None else ()),
    )
    notes = [note, _divergence(diagnosis)]
    figures = [figure, nats] if width >= PAIR_FROM else [figure]
    return diagrams(figures, notes, width, height, palette, glyphs)


def _divergence(diagnosis: RequestedDiagnosis) -> NumberedText:
    """Return the divergence of the network's density beside the bound that all levels give."""
    found = diagnosis.likelihood
    if found is None:
        measured = diagnosis.request.study == "excess"  # and there is none
        rest = "no level determines the noise" if measured else "measuring …"
        return (" kl: ", "when the training pauses or ends" if diagnosis.request.live else rest)
    bound = found.start + sum(at.nats or 0.0 for at in diagnosis.losses)
    return (
        " kl ",
        NamedNumber("kl", f"{found.kl:.3g}"),
        " ± ",
        NamedNumber("±", f"{found.error:.2g}"),
        ", bound ",
        NamedNumber("bound", f"{bound:.3g}"),
        " nats; nll ",
        NamedNumber("nll", f"{found.nll:.3g}"),
        ", entropy ",
        NamedNumber("entropy", f"{found.entropy:.3g}"),
    )


def schedule(
    diagnosis: RequestedDiagnosis,
    level: int,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw alpha_bar and sigma over the levels, and the error amplification from each level."""
    noising = sampling_schedule(diagnosis.request.experiment)
    alpha_bars, sigmas = noising.alpha_bars.tolist(), noising.sigmas.tolist()
    levels = [float(k) for k in range(len(sigmas))]
    noise = PlotFigure(
        curves=(
            Curve(levels, alpha_bars, "truth", label="alpha_bar"),
            Curve(levels, sigmas, "network", label="sigma"),
        ),
        x_label="level",
    )
    by = diagnosis.amplification
    steps = [(float(at.level), at.step or float("nan")) for at in by]
    outs = [(float(at.level), at.out or float("nan")) for at in by]
    errors = PlotFigure(
        curves=(
            Curve([k for k, _ in steps], [v for _, v in steps], "second", label="after its step"),
            Curve([k for k, _ in outs], [v for _, v in outs], "mark", label="in the sample"),
        ),
        x_label="level",
        log_y=True,
    )
    here = by[min(level, len(by) - 1)]
    note = (
        " level ",
        NamedNumber("level", str(here.level)),
        ": an error in eps_hat ×",
        NamedNumber("after its step", _shown(here.step)),
        " after its step, ×",
        NamedNumber("in the sample", _shown(here.out)),
        " in the sample",
    )
    return diagrams([noise, errors], [note], width, height, palette, glyphs)


def _shown(value: float | None) -> str:
    return "unbounded" if value is None else f"{value:.3g}"


def attribution(
    diagnosis: RequestedDiagnosis, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Draw the error of a sample, split into start, network and steps."""
    split = diagnosis.attribution
    if split is None:
        waiting = "Train first: there is no sample of a network to explain."
        if diagnosis.losses:
            waiting = "measuring …"
        if diagnosis.request.live:
            waiting = "The error is split up when the training pauses or ends."
        return message(waiting, width, height, palette)
    text, dim = palette.style("text"), palette.style("axis")
    lines = [Strip([Segment(" Energy distance of the sample, by where it comes from", text)])]
    values = [split.part(name) for name in PARTS]
    bars = _bars(values, max(6, width - _LABEL), glyphs)
    for name, bar in zip(PARTS, bars, strict=True):
        by_chance = split.chance_alone(name)
        main = name == split.main and not split.by_chance
        role = "axis" if by_chance or not main else "network"
        lines.append(
            Strip(
                [
                    _segment(_scored(name, split), dim if by_chance else text, glyphs),
                    Segment(bar, palette.style(role)),
                    Segment(" chance" if by_chance else "", dim),
                ]
            )
        )
    if split.guidance is not None:
        number = NamedNumber("of it guidance", f"{split.guidance:>11.3g}")
        lines.append(Strip([_segment((f"  {'of it guidance':<15}", number), text, glyphs)]))
    score = NamedNumber("true points score", f"{split.chance:.2g}")
    lines.append(
        Strip(
            [
                _segment(_scored("total", split), text, glyphs),
                _segment(("true points score ± ", score), dim, glyphs),
            ]
        )
    )
    first, note = numbered_verdict(split, diagnosis.start)
    styles = [palette.style("goal" if split.by_chance else "mark"), text]
    for sentence, style in zip((first, note), styles, strict=True):
        for line in wrapped(sentence, max(10, width - 2)):
            lines.append(Strip([_segment(joined([" ", line]), style, glyphs)]))
    lines = [line.adjust_cell_length(width) for line in lines[:height]]
    return [*lines, *[Strip.blank(width)] * (height - len(lines))]


def _scored(name: str, split: Attribution) -> NumberedText:
    """Format a part of the error with its chance variation."""
    part = NamedNumber(name, f"{split.part(name):>11.3g}")
    chance = NamedNumber("±", f"{split.chance_of(name):<9.2g}")
    return f" {name:<16}", part, " ± ", chance


def _segment(text: NumberedText, style: Style, glyphs: Glyphs) -> Segment:
    return Segment(one_cell_text(text_of(text), glyphs), named(style, text))


def _bars(values: Sequence[float], room: int, glyphs: Glyphs) -> list[str]:
    """Return bars about a common zero: negative values extend to the left.

    The largest bar fills ``room`` cells.
    """
    low, high = min(*values, 0.0), max(*values, 0.0)
    scale = room / max(high - low, 1e-12) if math.isfinite(high - low) else 0.0
    zero = round(-low * scale) if scale else 0
    block, axis = ("#", "|") if glyphs == "ascii" else ("█", "│")
    bars = []
    for value in values:
        cells = round(abs(value) * scale) if scale else 0
        left = block * min(cells, zero) if value < 0 else ""
        right = block * min(cells, room - zero) if value > 0 else ""
        bars.append(f"{left:>{zero}}{axis}{right}")
    return bars
