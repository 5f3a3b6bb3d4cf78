"""Pictures and tables of a training on a fixed set of points."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from tui_diffusion.core import denoise, ideal_denoiser
from tui_diffusion.core.memorisation_rows import ROW, no_rows
from tui_diffusion.export import ExportOptions, export
from tui_diffusion.export.pictures.figure import Dots
from tui_diffusion.export.pictures.learning_curves import training_figure
from tui_diffusion.export.pictures.views import trajectory_figure
from tui_diffusion.export.scene import Animation, Exhibit

from ..trainings import short
from .exhibits import exhibit_of

FINITE = short("finite-four", 60).with_settings({"data.train_points": 8})
ROWS = np.array([(k, 2.0, 0.5, 1 + k, 0.75, 0.1, 0.2) for k in (10, 20, 30)], ROW)


def exhibit(points: int = 100) -> Exhibit:
    """What a network shows that has learned its training set by heart."""
    copier = ideal_denoiser(FINITE, "training set")
    losses = np.linspace(2, 1, 30, dtype=np.float32)
    sample = denoise(FINITE, copier, points=points)
    return Exhibit(FINITE, sample, losses, denoiser=copier, memorisation=ROWS)


def labels(figure) -> list[str]:
    return [layer.label for panel in figure.panels for layer in panel.layers]


def test_the_loss_and_the_distances() -> None:
    shown = exhibit()
    named = labels(training_figure(shown, "loss"))
    assert {"raw", "training set", "held-out", "floor of the training set"} <= {*named}
    assert "smoothed" not in named
    assert "smoothed" in labels(training_figure(replace(shown, memorisation=no_rows()), "loss"))
    figure = training_figure(shown, "memorisation")
    both = ["population", "training set"]
    assert labels(figure) == [*both, "optima apart", *both]
    over_levels, over_steps = figure.panels
    own = over_levels.layers[1].lines[0, :, 1]
    assert np.isnan(own).all() or own.max() < -6, "it is that optimum, up to rounding"
    assert over_steps.layers[0].lines[0, :, 0].tolist() == [10, 20, 30]
    fresh = training_figure(exhibit_of("edm-multimodal", 10), "memorisation")
    assert "no fixed training set" in fresh.panels[0].title


def test_copies_and_training_points_have_marks_of_their_own() -> None:
    shown = exhibit()
    assert shown.trajectory is not None
    figure = trajectory_figure(Animation(shown, shown.trajectory), "scatter", None, (400, 300))
    dots = [layer for layer in figure.panels[0].layers if isinstance(layer, Dots)]
    sample, crosses = (layer.groups for layer in dots)
    assert sample is not None and crosses is not None
    assert [sample.groups[k].name for k in sample.present] == ["copied"]
    assert [sample.groups[k].shape for k in sample.present] == ["square"]
    assert crosses.groups[0].shape == "cross" and len(dots[1].points) == 8
    legend = [name for _, _, name in figure.entries]
    assert "copied" in legend and "training set" in legend


def test_the_table(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    export(exhibit(20), file, ExportOptions(view="memorisation"))
    head, *rows = csv.reader(file.open())
    assert head == ["level", "step", "to_population", "to_training_set"]
    assert [row[0] for row in rows[:-3]] == [f"{k}" for k in range(FINITE.sampling_levels)]
    assert rows[-1] == ["", "30", "0.1", "0.2"]
