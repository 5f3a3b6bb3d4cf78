"""Where the error lies: excess loss at every level, amplification, and attribution."""

from __future__ import annotations

from textwrap import wrap

from rich.segment import Segment
from textual.strip import Strip

from ...core.schedules import sampling_schedule
from ..dots import plain
from ..glyphs import Glyphs
from ..palette import Palette
from ..plot import Curve, Figure, draw
from ..study import Study
from .compose import beside, text_line


def excess(
    study: Study, level: int, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """The loss over its floor at every level, as bars, with the floor as a line."""
    losses = study.losses
    if not losses:
        return said("Train first: without a network there is no loss.", width, height, palette)
    levels = [float(at.level) for at in losses]
    curves = (
        Curve(levels, [at.excess for at in losses], "bars", label="excess loss", fill=True),
        Curve(levels, [at.floor for at in losses], "floor", marker="dashed", label="floor"),
    )
    figure = Figure(curves=curves, x_label="level", x_range=(-0.5, len(losses) - 0.5))
    here = losses[min(level, len(losses) - 1)]
    note = (
        f" level {here.level}: loss {here.loss:.4g}, least of any network {here.floor:.4g}, "
        f"excess {here.excess:.3g}"
    )
    picture = draw(figure, width, height - 1, palette, glyphs)
    return [*picture, text_line(note, width, palette, "text", glyphs)]


def schedule(
    study: Study, level: int, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """alpha_bar and sigma over the levels, and what an error in eps_hat comes to from each."""
    noising = sampling_schedule(study.wish.experiment)
    alpha_bars, sigmas = noising.alpha_bars.tolist(), noising.sigmas.tolist()
    levels = [float(k) for k in range(len(sigmas))]
    noise = Figure(
        curves=(
            Curve(levels, alpha_bars, "truth", label="alpha_bar"),
            Curve(levels, sigmas, "network", label="sigma"),
        ),
        x_label="level",
    )
    by = study.amplification
    steps = [(float(at.level), at.step or float("nan")) for at in by]
    outs = [(float(at.level), at.out or float("nan")) for at in by]
    errors = Figure(
        curves=(
            Curve([k for k, _ in steps], [v for _, v in steps], "second", label="after its step"),
            Curve([k for k, _ in outs], [v for _, v in outs], "mark", label="in the sample"),
        ),
        x_label="level",
        log_y=True,
    )
    left = width // 2
    pair = beside(
        draw(noise, left, height - 1, palette, glyphs),
        draw(errors, width - left, height - 1, palette, glyphs),
    )
    here = by[min(level, len(by) - 1)]
    note = (
        f" level {here.level}: an error in eps_hat ×{_shown(here.step)} after its step, "
        f"×{_shown(here.out)} in the sample"
    )
    return [*pair, text_line(note, width, palette, "text", glyphs)]


def _shown(value: float | None) -> str:
    return "unbounded" if value is None else f"{value:.3g}"


def attribution(
    study: Study, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """The error of a sample, split into start, network and steps."""
    split = study.attribution
    if split is None:
        waiting = "Train first: there is no sample of a network to explain."
        if study.wish.live:
            waiting = "The error is split up when the training pauses or ends."
        return said(waiting, width, height, palette)
    parts = (
        ("start", split.start, "start is not what the noisiest level holds"),
        ("network", split.network, "network is not the ideal denoiser"),
        ("discretisation", split.discretisation, "steps are too few or too coarse"),
    )
    good = split.total <= split.chance
    largest = max(*(abs(value) for _, value, _ in parts), 1e-12)
    room = max(4, width - 34)
    block, half = ("#", "") if glyphs == "ascii" else ("█", "▌")
    lines = [Strip([Segment(" Energy distance of the sample, by where it comes from",
                            palette.style("text"))])]  # fmt: skip
    for name, value, _ in parts:
        length = abs(value) / largest * room
        bar = block * int(length) + (half if length % 1 >= 0.5 else "")
        role = "network" if name == split.main and not good else "axis"
        lines.append(
            Strip(
                [
                    Segment(f" {name:<16}{value:>12.3g}  ", palette.style("text")),
                    Segment(bar, palette.style(role)),
                ]
            )
        )
    why = next(text for name, _, text in parts if name == split.main)
    lines.append(Strip([Segment(f" {'total':<16}{split.total:>12.3g}", palette.style("text"))]))
    says = f"Mainly, the {why}."
    if good:
        says = f"Nothing to mend: chance alone gives true points up to {split.chance:.2g}."
    lines.append(Strip([Segment(f" {says}", palette.style("goal" if good else "mark"))]))
    if study.start.negligible:
        note = f" The start is good: off by {study.start.distance:.2g}."
    else:
        note = (
            f" The start is off by {study.start.distance:.2g}, "
            f"{study.start.share:.1%} of its std: s starts from the true noisiest level."
        )
    for line in wrap(plain(note, glyphs), max(10, width - 2)):
        lines.append(Strip([Segment(f" {line}", palette.style("text"))]))
    lines = [line.adjust_cell_length(width) for line in lines[:height]]
    return [*lines, *[Strip.blank(width)] * (height - len(lines))]


def said(text: str, width: int, height: int, palette: Palette) -> list[Strip]:
    """One line of text in the middle."""
    lines = [Strip.blank(width)] * height
    start = max(0, (width - len(text)) // 2)
    line = Strip([Segment(" " * start + text, palette.style("axis"))])
    lines[height // 2] = line.adjust_cell_length(width)
    return lines
