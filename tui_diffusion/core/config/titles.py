"""Titles of experiments, by preset or by data and method; loads no torch."""

from __future__ import annotations

from pathlib import Path

from ..parts.datasets import DATA_PARTS
from ..parts.methods import METHOD_PARTS
from ..text import shown
from .data_section import DataConfig
from .experiment import Experiment
from .presets import PRESETS, Preset, base_of

_SAID = ("network.labels", "network.guide")
"""Settings that the texts of the presets that have them are about."""


def matching_preset(experiment: Experiment) -> Preset | None:
    """Return the built-in preset whose title and texts are true of an experiment, if one is.

    It has the same data and method, and nothing that its texts are about is missing.
    """
    preset = base_of(experiment)
    of = preset.experiment
    same = (
        experiment.data.given is None
        and of.method.name == experiment.method.name
        and all(
            getattr(of.data, field) == getattr(experiment.data, field)
            for field in ("name", "means", "weights", "stds", "count", "train_points")
        )
        and all(experiment.get(path) or not of.get(path) for path in _SAID)
    )
    return preset if same else None


def title_of(experiment: Experiment) -> str:
    """Return a short title: ``Two moons, EDM``, or ``heights.csv, EDM``."""
    if experiment.name not in PRESETS:
        return shown(experiment.name)
    preset = matching_preset(experiment)
    if preset is not None:
        return preset.title
    return f"{data_words(experiment.data)}, {METHOD_PARTS[experiment.method.name].title}"


def about_of(experiment: Experiment) -> str:
    """Describe the experiment in a sentence."""
    preset = matching_preset(experiment)
    if preset is not None:
        return preset.about
    data, method = experiment.data, METHOD_PARTS[experiment.method.name].title
    if data.points is not None:
        what = f"The {len(data.points):,} points of {data_words(data)}, a narrow Gaussian at each"
    else:
        what = data_words(data)
    return f"{what}; method: {method}."


def data_words(data: DataConfig) -> str:
    """Describe the data in few words: a file name, or a data set and changed modes."""
    points = f", {data.train_points:,} points" if data.train_points else ""
    return f"{_population_words(data)}{points}"


def _population_words(data: DataConfig) -> str:
    if data.given is not None:
        return "Own mixture"
    if data.name == "file":
        return shown(data.source or Path(data.path).name)
    if data.name == "ring":
        return f"Ring of {data.count}"
    part = DATA_PARTS[data.name]
    if (data.means, data.weights, data.stds) == (part.means, part.weights, ()):
        return part.title
    count, plane = len(data.means), " in 2D" if data.dim == 2 else ""
    correlated = "correlated " if "correlation" in part.uses else ""
    if count == 1:
        return part.title if correlated else f"One Gaussian{plane}"
    unlike = [
        name
        for name, values in (("weights", data.weights), ("widths", data.stds))
        if len(set(values)) > 1
    ]
    words = f" of unlike {' and '.join(unlike)}" if unlike else ""
    return f"{count} {correlated}Gaussians{plane}{words}"
