"""Titles of experiments, by preset or by data and method; loads no torch."""

from __future__ import annotations

from pathlib import Path

from ..text import shown
from .choices import DEFAULT_MEANS, DEFAULT_WEIGHTS
from .data_section import DataConfig
from .experiment import Experiment
from .presets import PRESETS, Preset, base_of

_DATA = {
    "gaussian-1d": "One Gaussian",
    "gaussian-2d": "One Gaussian in 2D",
    "four-gaussians": "Four Gaussians",
    "two-modes": "Two modes",
    "heavy-light": "A heavy and a light mode",
    "moons": "Two moons",
    "circles": "Two circles",
    "swiss-roll": "Swiss roll",
    "spirals": "Two spirals",
    "checkerboard": "Checkerboard",
    "pinwheel": "Pinwheel",
    "drawing": "A drawing",
}
_METHODS = {
    "naive": "naive",
    "naive-exact": "naive with the exact target",
    "ddpm": "DDPM",
    "edm": "EDM",
    "flow": "flow",
}


def matching_preset(experiment: Experiment) -> Preset | None:
    """Return the built-in preset with the same data and method, if there is one."""
    preset = base_of(experiment)
    of = preset.experiment
    same = of.method.name == experiment.method.name and all(
        getattr(of.data, field) == getattr(experiment.data, field)
        for field in ("name", "means", "weights", "count")
    )
    return preset if same else None


def title_of(experiment: Experiment) -> str:
    """Return a short title: ``Two moons, EDM``, or ``heights.csv, EDM``."""
    if experiment.name not in PRESETS:
        return shown(experiment.name)
    preset = matching_preset(experiment)
    if preset is not None:
        return preset.title
    return f"{data_words(experiment.data)}, {_METHODS[experiment.method.name]}"


def about_of(experiment: Experiment) -> str:
    """Describe the experiment in a sentence."""
    preset = matching_preset(experiment)
    if preset is not None:
        return preset.about
    data, method = experiment.data, _METHODS[experiment.method.name]
    if data.points is not None:
        what = f"The {len(data.points):,} points of {data_words(data)}, a narrow Gaussian at each"
    else:
        what = data_words(data)
    return f"{what}; method: {method}."


def data_words(data: DataConfig) -> str:
    """Describe the data in few words: a file name, or a data set and changed modes."""
    if data.name == "file":
        return shown(data.source or Path(data.path).name)
    if data.name == "ring":
        return f"Ring of {data.count}"
    usual = data.means == DEFAULT_MEANS.get(data.name, ())
    if usual and data.weights == DEFAULT_WEIGHTS.get(data.name, ()):
        return _DATA[data.name]
    count, plane = len(data.means), " in 2D" if data.dim == 2 else ""
    if count == 1:
        return f"One Gaussian{plane}"
    unlike = " of unlike weights" if len(set(data.weights)) > 1 else ""
    return f"{count} Gaussians{plane}{unlike}"
