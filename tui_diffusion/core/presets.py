"""The experiments that come with the lab; the first seven are the scripts of the post.

Source of the first seven: Jean-Baptiste Bouvier, "Introduction to Diffusion Models", 27 May 2024.
Importing this module loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .experiment import ConfigError, Experiment, build


@dataclass(frozen=True)
class Preset:
    """An experiment with its story: what it is and what to look for."""

    id: str
    title: str
    script: str | None
    about: str
    look_for: str
    experiment: Experiment


def _preset(
    id: str,  # noqa: A002
    title: str,
    script: str | None,
    about: str,
    look_for: str,
    **parts: Mapping[str, Any],
) -> Preset:
    return Preset(id, title, script, about, look_for, build({"name": id, **parts}))


_NAIVE_LOOK = (
    "Press end and zoom in: the samples are far narrower than the data. The post's target leaves "
    "n·(1 − σ'/σ) behind, not the next level's noise, so points contract onto the mean; "
    "method.name = naive-exact mends it."
)

_PRESETS = (
    _preset(
        "naive-1d",
        "One Gaussian, naive",
        "simple_1Diffusion",
        "The first script of the post: a network removes the noise of N(1, 0.01²), "
        "one level at a time.",
        _NAIVE_LOOK,
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
        _NAIVE_LOOK,
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
        "Watch points choose a mode about halfway, and the loss fall in steps as the rate decays.",
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
        "Fresh noise enters at every step but the last two; the mean walks from 0 to 1 while the "
        "spread closes.",
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
        "The loss has a stage for every level; the first network gets most of the steps.",
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
        "The four clouds form early and sharpen late; the repeats pull the last stragglers in.",
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
        "Press v for pdf and cdf: integral, mean and std of every level are exact.",
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
)

PRESETS: Mapping[str, Preset] = {preset.id: preset for preset in _PRESETS}
"""Every preset by its id, in the order in which they are shown."""


def get_preset(id: str) -> Preset:  # noqa: A002
    """The preset of this id; raises `ConfigError` that names those there are."""
    if id not in PRESETS:
        shown = "".join(c if c.isprintable() else "?" for c in id[:60])
        raise ConfigError(f"experiment {shown!r} is unknown; allowed: {', '.join(PRESETS)}")
    return PRESETS[id]
