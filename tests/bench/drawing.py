"""What a picture costs against all that can grow: points, steps, levels, cells."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import torch

from tests.bench.table import show
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.lab.drawing.downsampling import Series
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.drawing.plot import draw_plot
from tui_diffusion.lab.sampling.measured_trajectory import measure_trajectory
from tui_diffusion.lab.sampling.request import SampleRequest
from tui_diffusion.lab.views.losses import loss_figure
from tui_diffusion.lab.views.render import VIEWS_1D, VIEWS_2D, ViewState, picture

PALETTE = Palette.from_theme({}, "truecolour")
SIZE = (84, 26)
"""Columns and lines of the denoising at 120×40."""


def run(rounds: int) -> None:
    """Print a table a picture."""
    torch.set_num_threads(1)
    points(rounds)
    levels(rounds)
    steps(rounds)
    cells(rounds)


def _milliseconds(rounds: int, task: Callable[[], object]) -> str:
    taken = []
    for _ in range(rounds):
        began = perf_counter()
        task()
        taken.append(perf_counter() - began)
    return f"{1e3 * median(taken):.1f}"


def _trajectory(name: str, points: int, levels: int = 0):  # type: ignore[no-untyped-def]
    experiment = PRESETS[name].experiment.with_settings({"device": "cpu"})
    if levels:
        experiment = experiment.with_settings({"sampling.levels": levels})
    return measure_trajectory(
        SampleRequest(experiment, "network", 0, points, 0, Trainer(experiment).denoiser)
    )


def points(rounds: int) -> None:
    """A level drawn for the first time; after that it is kept."""
    for name, views in (("ddpm-1d", VIEWS_1D), ("ddpm-multimodal", VIEWS_2D)):
        rows = []
        for count in (1_000, 10_000, 100_000, 1_000_000):
            trajectory = _trajectory(name, count)
            level = trajectory.levels // 2
            cost = [
                _milliseconds(rounds, lambda v=view, f=trajectory, k=level: _draw(f, k, v))
                for view in views
            ]
            rows.append([f"{count:,}", *cost])
        show(
            f"Milliseconds to draw a level of {name} at {SIZE[0]}×{SIZE[1]}",
            ("points", *views),
            rows,
        )


def _draw(trajectory, level: int, view: str) -> None:  # type: ignore[no-untyped-def]
    picture(trajectory, ViewState(level, view, True, 0, None), *SIZE, PALETTE, "braille")


def levels(rounds: int) -> None:
    """Making a whole film against its levels."""
    rows = []
    for count in (10, 30, 100, 300, 1000):
        began = perf_counter()
        trajectory = _trajectory("edm-multimodal", 2000, count)
        made = perf_counter() - began
        rows.append(
            [
                f"{count:,}",
                f"{1e3 * made:,.0f}",
                _milliseconds(rounds, lambda t=trajectory: _draw(t, 5, "scatter")),
            ]
        )
    show(
        "A film of 2,000 points of edm-multimodal against its levels",
        ("levels", "ms to make it", "ms to draw a level"),
        rows,
    )


def steps(rounds: int) -> None:
    """The loss against the steps done."""
    rows = []
    for count in (1_000, 10_000, 100_000, 1_000_000):
        losses = (1 + 100 / (1 + np.arange(count)) + np.random.default_rng(0).random(count)).astype(
            np.float32
        )
        huge = losses.copy()
        huge[::7] = 3e38
        rows.append(
            [f"{count:,}", *(_milliseconds(rounds, _loss(values)) for values in (losses, huge))]
        )
    show("Milliseconds to draw a loss at 84×12", ("steps", "usual", "reaching 3e38"), rows)


def _loss(losses: np.ndarray) -> Callable[[], object]:
    """Draw it as the lab does, which looks only at what is new."""
    series = Series(len(losses)).take(losses[:-500])

    def task() -> None:
        figure = loss_figure(series.take(losses), len(losses), 84, log=True, floors=((0, 1.0),))
        draw_plot(figure, 84, 12, PALETTE, "braille")

    return task


def cells(rounds: int) -> None:
    """A level against the size of the terminal."""
    trajectory, rows = _trajectory("ddpm-multimodal", 2000), []
    for size in ((56, 8), (76, 14), (84, 26), (156, 40), (300, 80)):

        def task(size: tuple[int, int] = size) -> None:
            picture(trajectory, ViewState(10, "scatter", True, 0, None), *size, PALETTE, "braille")

        rows.append([f"{size[0]}×{size[1]}", _milliseconds(rounds, task)])
    show("Milliseconds to draw 2,000 points of ddpm-multimodal", ("cells", "scatter"), rows)
