"""The training section of an experiment: gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .fields import setting
from .network_section import PER_LEVEL, WITH_GUIDE, WITH_LABELS
from .section import Section
from .value_types import Real, Whole

_STEP_DECAY: Mapping[str, tuple[str, ...]] = {"training.decay": ("step",)}


class TrainingConfig(Section):
    """Gradient descent."""

    steps: Whole = setting(
        1000, "steps", "Gradient steps in all.", unit="steps", ge=1, le=100_000_000, scale="series"
    )
    batch: Whole = setting(
        32,
        "batch",
        "Points drawn for each step.",
        unit="points",
        ge=1,
        le=1_000_000,
        scale="doubling",
    )
    lr: Real = setting(1e-3, "learning rate", "Step size of the optimizer.", gt=0, le=1e12)
    optimizer: Literal["sgd", "adam", "adamw"] = setting(
        "sgd", "optimizer", "Rule that turns gradients into steps."
    )
    loss: Literal["sum", "norm", "mean"] = setting(
        "sum",
        "loss",
        "Over the batch: sum of squares, 2-norm (the root of that sum), or mean of squares.",
    )
    decay: Literal["none", "step", "cosine"] = setting(
        "none",
        "rate decay",
        "Decay of the learning rate: none, by a factor at intervals, or as a cosine.",
    )
    decay_factor: Real = setting(
        0.95,
        "decay factor",
        "Factor by which each decay step multiplies the learning rate.",
        when=_STEP_DECAY,
        gt=0,
        le=1,
        scale=0.01,
    )
    decay_every: Whole = setting(
        100,
        "decay every",
        "Steps between two falls.",
        unit="steps",
        when=_STEP_DECAY,
        ge=1,
        le=100_000_000,
        scale="series",
    )
    average: Real = setting(
        0.0,
        "average",
        "Sampling uses a running average of the weights, of which every step keeps this share; "
        "0: the latest weights.",
        ge=0,
        lt=1,
        scale="to-one",
        script="any level",
    )
    first_factor: Real = setting(
        1.0,
        "first factor",
        "Steps of the first (least noisy) network, as a multiple of those of each other one.",
        when=PER_LEVEL,
        ge=1,
        le=1000,
    )
    first_lr: Real = setting(
        1e-3, "first rate", "Learning rate of the first network.", when=PER_LEVEL, gt=0, le=1e12
    )
    label_dropout: Real = setting(
        0.1,
        "label dropout",
        "Share of the training points whose label is hidden, so that the network also learns the "
        "data as a whole: the guide of classifier-free guidance.",
        when=WITH_LABELS,
        ge=0,
        le=1,
        scale=0.05,
        script="never",
    )
    guide_share: Real = setting(
        0.125,
        "guide share",
        "Steps of the guide as a share of all steps.",
        when=WITH_GUIDE,
        gt=0,
        le=1,
        scale="share",
        script="never",
    )
