"""The network section of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ..parts.networks import NETWORK_PARTS
from .choices import NetworkName
from .fields import setting
from .section import PartSection
from .value_types import Whole

WITH_GUIDE: Mapping[str, tuple[str, ...]] = {"network.guide": ("true",)}
WITH_LABELS: Mapping[str, tuple[str, ...]] = {"network.labels": ("true",)}
PER_LEVEL: Mapping[str, tuple[str, ...]] = {"network.per_level": ("true",)}
"""Conditions of fields of this and other sections, as `setting` takes them."""


class NetworkConfig(PartSection):
    """The network."""

    parts = NETWORK_PARTS

    name: NetworkName = setting("mlp", "network")
    width: Whole = setting(
        32, "width", "Units in each hidden layer.", ge=1, le=4096, scale="doubling"
    )
    depth: Whole = setting(2, "depth", "Number of hidden layers.", ge=1, le=16)
    activation: Literal["relu", "tanh", "silu", "gelu"] = setting(
        "relu", "activation", "Nonlinearity between the layers."
    )
    per_level: bool = setting(
        False,
        "per level",
        "One network for every noise level, trained least noisy first, each starting from its "
        "neighbour's weights; off: one network that receives the level as an input.",
    )
    fourier: Whole = setting(
        0,
        "point octaves",
        "Number of octaves of Fourier features of the point: sines and cosines at pi/2 times 1, 2, "
        "4, and so on.",
        ge=0,
        le=10,
        script="any level",
    )
    level_fourier: Whole = setting(
        0,
        "level octaves",
        "Number of octaves of Fourier features of the number that encodes the level: at pi/2 times "
        "1, 2, 4, and so on.",
        ge=0,
        le=10,
        script="any level",
    )

    labels: bool = setting(
        False,
        "labels",
        "The network receives the class of each point, which sampling can then ask for; for data "
        "of two classes or more.",
        script="never",
    )
    guide: bool = setting(
        False,
        "guide",
        "A second network, smaller and trained for fewer steps, is trained along: the guide of "
        "autoguidance.",
        script="never",
    )
    guide_width: Whole = setting(
        32,
        "guide width",
        "Units in each hidden layer of the guide.",
        when=WITH_GUIDE,
        ge=1,
        le=4096,
        scale="doubling",
        script="never",
    )
    guide_depth: Whole = setting(
        2,
        "guide depth",
        "Number of hidden layers of the guide.",
        when=WITH_GUIDE,
        ge=1,
        le=16,
        script="never",
    )
