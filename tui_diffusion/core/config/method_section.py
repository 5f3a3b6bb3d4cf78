"""The method section of an experiment."""

from __future__ import annotations

from ..parts.methods import METHOD_PARTS
from .choices import MethodName
from .fields import setting
from .section import PartSection
from .value_types import Real


class MethodConfig(PartSection):
    """The method, which defines the target of the network."""

    parts = METHOD_PARTS

    name: MethodName = setting("naive", "method")
    noise_mean: Real = setting(
        -2.2,
        "noise mean",
        "Training draws a noise level for every point: mean of ln(sigma / alpha).",
        ge=-10,
        le=10,
        scale=0.1,
    )
    noise_std: Real = setting(
        1.6,
        "noise std",
        "Standard deviation of ln(sigma / alpha) over the training points.",
        gt=0,
        le=5,
        scale=0.1,
    )
