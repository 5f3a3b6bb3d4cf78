"""The built-in experiments; the first seven are the scripts of the post.

Saved presets are in `user_presets`; `catalog.get_preset` finds both.

Source of the first seven: Jean-Baptiste Bouvier, "Introduction to Diffusion Models", 27 May 2024.
Loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from ..arguments import expected
from ..short_repr import short_repr
from .experiment import Experiment, build, field_table


@dataclass(frozen=True)
class Preset:
    """An experiment with its description."""

    id: str
    title: str
    script: str | None
    about: str
    experiment: Experiment
    own: bool = False
    """True if a user saved it, False if it is built in."""

    def __repr__(self) -> str:
        return short_repr(self, "id", "title", own=self.own)

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.title)}. {escape(self.about)}</p>{self.experiment._repr_html_()}"


def experiment_of(given: Experiment | Preset, name: str = "experiment") -> Experiment:
    """Return an experiment, or that of a preset; raise TypeError for anything else."""
    if isinstance(given, Preset):
        return given.experiment
    if isinstance(given, Experiment):
        return given
    known = isinstance(given, str) and given in PRESETS
    hint = f"get_preset({given!r}) returns one" if known else ""
    raise expected(name, "an Experiment or a Preset", given, hint)


def unlisted(experiment: Experiment) -> Preset:
    """Return an experiment of a script as a preset of its name."""
    return Preset(experiment.name, experiment.name, None, "An experiment of a script.", experiment)


def _preset(
    id: str,  # noqa: A002
    title: str,
    script: str | None,
    about: str,
    **parts: Mapping[str, Any],
) -> Preset:
    return Preset(id, title, script, about, build({"name": id, **parts}))


_NETWORK = {"width": 64, "depth": 3, "activation": "silu", "fourier": 5, "level_fourier": 4}
_TRAINING = {
    "steps": 5500,
    "batch": 256,
    "lr": 1.2e-2,
    "optimizer": "adam",
    "loss": "mean",
    "decay": "cosine",
    "average": 0.99,
}
_SCHEDULES = {
    "edm": {"kind": "karras", "levels": 20, "sigma_min": 0.002, "sigma_max": 5, "rho": 7},
    "flow": {"kind": "flow", "levels": 30, "rho": 4},
}


_LABEL_NOISE = {"noise_mean": -1.2, "noise_std": 1.4}
"""More noise than elsewhere, where the label says most about a point."""


def _modern(
    id: str,  # noqa: A002
    title: str,
    about: str,
    data_name: str,
    method: str = "edm",
    noise: Mapping[str, float] | None = None,
    **parts: Mapping[str, Any],
) -> Preset:
    """Return a preset of a modern method: the shared settings and its own."""
    return _preset(
        id,
        title,
        None,
        about,
        data={"name": data_name, **parts.get("data", {})},
        method={"name": method, **(noise or {})},
        schedule={**_SCHEDULES[method], **parts.get("schedule", {})},
        network={**_NETWORK, **parts.get("network", {})},
        training={**_TRAINING, **parts.get("training", {})},
        sampling={"points": 4000, "sampler": "heun", **parts.get("sampling", {})},
    )


def _finite(id: str, title: str, about: str, data_name: str, **data: float) -> Preset:  # noqa: A002
    """Return a preset with a fixed training set.

    A constant rate keeps the time at which copying begins from depending on the steps, and few
    octaves make smooth functions easier to learn than single points.
    """
    return _modern(
        id,
        title,
        about,
        data_name,
        data={"train_points": 64, **data},
        network={"fourier": 2},
        training={"steps": 40_000, "lr": 1e-3, "decay": "none"},
        sampling={"points": 2000},
    )


_PRESETS = (
    _preset(
        "naive-1d",
        "One Gaussian, naive",
        "simple_1Diffusion",
        "The first script of the post: a network removes the noise of N(1, 0.01²), "
        "one level at a time.",
        data={"name": "gaussian-1d"},
        method={"name": "naive"},
        schedule={"kind": "karras", "levels": 10},
        training={"steps": 1000, "batch": 32, "lr": 1e-3, "loss": "sum"},
        sampling={"points": 1000, "sampler": "naive"},
    ),
    _preset(
        "naive-2d",
        "One Gaussian in 2D, naive",
        "simple_2Diffusion",
        "The same in two dimensions, towards N((−1, 1), 0.01² I).",
        data={"name": "gaussian-2d"},
        method={"name": "naive"},
        schedule={"kind": "karras", "levels": 10},
        training={"steps": 1000, "batch": 32, "lr": 1e-3, "loss": "sum"},
        sampling={"points": 2000, "sampler": "naive"},
    ),
    _preset(
        "naive-multimodal",
        "Four Gaussians, naive",
        "simple_multimodal",
        "Noise has to split into four narrow spikes: diffusion keeps the modes apart.",
        data={"name": "four-gaussians"},
        method={"name": "naive"},
        schedule={"kind": "karras", "levels": 20},
        training={
            "steps": 3000,
            "batch": 128,
            "lr": 1e-3,
            "loss": "sum",
            "decay": "step",
            "decay_factor": 0.95,
            "decay_every": 100,
        },
        sampling={"points": 2000, "sampler": "naive"},
    ),
    _preset(
        "ddpm-1d",
        "One Gaussian, DDPM",
        "single_DDPM",
        "Denoising diffusion (Ho, Jain and Abbeel 2020): the network predicts the noise itself, "
        "and each reverse step draws from a Gaussian.",
        data={"name": "gaussian-1d"},
        method={"name": "ddpm"},
        schedule={
            "kind": "beta",
            "betas": (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.999),
        },
        training={"steps": 20_000, "batch": 64, "lr": 1e-3, "loss": "norm"},
        sampling={"points": 2000, "sampler": "ddpm", "start": "data-mean"},
    ),
    _preset(
        "ddpm-1d-per-level",
        "One Gaussian, a net per level",
        "simple_DDPM",
        "DDPM with a network of its own for every noise level, least noisy first, each starting "
        "from its neighbour's weights.",
        data={"name": "gaussian-1d"},
        method={"name": "ddpm"},
        schedule={"kind": "beta", "betas": (0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)},
        network={"per_level": True},
        training={
            "steps": 27_000,
            "batch": 1000,
            "lr": 1e-5,
            "loss": "norm",
            "first_factor": 20,
            "first_lr": 2e-3,
        },
        sampling={"points": 1000, "sampler": "ddpm", "start": "data-mean"},
    ),
    _preset(
        "ddpm-multimodal",
        "Four Gaussians, DDPM",
        "multimodal_DDPM",
        "DDPM on four spikes with twenty levels; the last reverse step is repeated ten times to "
        "tighten them.",
        data={"name": "four-gaussians"},
        method={"name": "ddpm"},
        schedule={
            "kind": "karras-beta",
            "levels": 20,
            "beta_min": 0.001,
            "beta_max": 0.9,
            "rho": 4,
        },
        training={
            "steps": 10_000,
            "batch": 128,
            "lr": 2e-3,
            "loss": "sum",
            "decay": "step",
            "decay_factor": 0.98,
            "decay_every": 100,
        },
        sampling={"points": 1000, "sampler": "ddpm", "start": "data-mean", "repeats": 10},
    ),
    _preset(
        "ddpm-1d-detailed",
        "One Gaussian in detail, DDPM",
        "detailed_DDPM",
        "DDPM level by level with the exact pdf and cdf of the noised data at each one; sampling "
        "starts from the exact noisiest level and ends one level before clean.",
        data={"name": "gaussian-1d"},
        method={"name": "ddpm"},
        schedule={"kind": "beta", "betas": (0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.999)},
        network={"per_level": True},
        training={
            "steps": 41_000,
            "batch": 1000,
            "lr": 1e-5,
            "loss": "norm",
            "first_factor": 12.5,
            "first_lr": 3e-3,
        },
        sampling={"points": 1000, "sampler": "ddpm", "start": "exact", "stop_before": 1},
    ),
    _modern(
        "edm-1d",
        "One Gaussian, EDM",
        "The first data of the post again, with preconditioning, a wide range of noise levels and "
        "Heun's sampler (Karras et al. 2022).",
        "gaussian-1d",
        network={"width": 32, "depth": 2},
        training={"steps": 2000},
        schedule={"sigma_min": 0.001, "sigma_max": 2, "levels": 40},
        sampling={"start": "data-mean"},
    ),
    _modern(
        "edm-multimodal",
        "Four Gaussians, EDM",
        "Four narrow spikes, done right: the post's second reference (Karras et al. 2022).",
        "four-gaussians",
    ),
    _modern(
        "edm-moons",
        "Two moons, EDM",
        "Two half circles that interlock: curves need no modes to be learned.",
        "moons",
    ),
    _modern(
        "edm-swiss-roll",
        "Swiss roll, EDM",
        "One and a half turns of a spiral.",
        "swiss-roll",
    ),
    _modern(
        "edm-checkerboard",
        "Checkerboard, EDM",
        "Eight squares with sharp edges and sharper corners.",
        "checkerboard",
    ),
    _modern(
        "edm-spirals",
        "Two spirals, EDM",
        "Two arms that wind around each other.",
        "spirals",
    ),
    _modern(
        "edm-drawing",
        "A drawing, EDM",
        "A drawing of 142 small spots; points of your own from a file start best from here.",
        "drawing",
        data={"scaling": "shared"},
        noise={"noise_mean": -2.8, "noise_std": 1.4},
        schedule={"levels": 60, "sigma_min": 0.003},
        network={"width": 128, "fourier": 6},
        training={"steps": 18_000, "lr": 6e-3, "average": 0.999},
        sampling={"sampler": "ddpm"},
    ),
    _modern(
        "edm-classes",
        "Two moons with labels, EDM",
        "The network is told the moon of each point, so that sampling can ask for one; guidance "
        "leads away from what it makes without (Ho and Salimans 2022).",
        "moons",
        noise=_LABEL_NOISE,
        network={"labels": True},
        training={"steps": 12_000, "average": 0.999},
        sampling={"guidance": 2},
    ),
    _modern(
        "edm-autoguidance",
        "Two trees, guided, EDM",
        "Two trees of fine branches; a smaller and younger network guides the network, which it "
        "leads away from their common errors (Karras et al. 2024).",
        "tree",
        noise=_LABEL_NOISE,
        schedule={"levels": 32},
        network={
            "depth": 4,
            "fourier": 2,
            "labels": True,
            "guide": True,
            "guide_width": 32,
            "guide_depth": 4,
        },
        training={"steps": 10_000, "batch": 384, "average": 0.995, "label_dropout": 0.2},
        sampling={"points": 2000, "guidance": 3, "guide": "own"},
    ),
    _modern(
        "flow-multimodal",
        "Four Gaussians, flow",
        "The network learns the velocity of straight paths from data to noise (Liu et al. 2022).",
        "four-gaussians",
        method="flow",
    ),
    _modern(
        "flow-moons",
        "Two moons, flow",
        "The same velocity field for two curves; sampling is an ODE from t = 1 to 0.",
        "moons",
        method="flow",
    ),
    _finite(
        "finite-moons",
        "Two moons, 64 points",
        "A fixed training set of 64 points: the network learns the two curves within 1,000 steps, "
        "and from about 10,000 on the points by heart.",
        "moons",
    ),
    _finite(
        "finite-four",
        "Four Gaussians, 64 points",
        "A fixed training set of 64 points: four round clouds first, and from about 10,000 steps "
        "on the points themselves.",
        "four-gaussians",
        std=0.1,
    ),
)

PRESETS: Mapping[str, Preset] = {preset.id: preset for preset in _PRESETS}
"""Every built-in preset by its id, in display order."""


def base_of(experiment: Experiment) -> Preset:
    """Return the built-in preset that an experiment began as.

    For an unknown name, it is the preset that differs in the fewest fields.
    """

    def differing(preset: Preset) -> int:
        return sum(experiment.get(path) != preset.experiment.get(path) for path in field_table())

    return PRESETS.get(experiment.name) or min(PRESETS.values(), key=differing)
