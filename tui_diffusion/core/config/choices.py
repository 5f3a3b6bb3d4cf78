"""Names that a configuration may choose from, and which of them are compatible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

DataName = Literal[
    "gaussian-1d",
    "gaussian-2d",
    "four-gaussians",
    "two-modes",
    "heavy-light",
    "ring",
    "moons",
    "circles",
    "swiss-roll",
    "spirals",
    "checkerboard",
    "pinwheel",
    "drawing",
    "file",
]


MethodName = Literal["naive", "naive-exact", "ddpm", "edm", "flow"]


ScheduleKind = Literal["karras", "beta", "karras-beta", "linear-beta", "cosine", "flow"]


SamplerName = Literal["naive", "ddpm", "ddim", "euler", "heun", "dpm++2m"]


Means = tuple[tuple[float, ...], ...]


DEFAULT_MEANS: Mapping[str, Means] = {
    "gaussian-1d": ((1.0,),),
    "gaussian-2d": ((-1.0, 1.0),),
    "four-gaussians": ((-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (1.0, 1.0)),
    "two-modes": ((-1.0,), (1.0,)),
    "heavy-light": ((-1.0, -1.0), (1.0, 1.0)),
}
"""Component centres of each data set that is defined by its centres."""


DEFAULT_WEIGHTS: Mapping[str, tuple[float, ...]] = {"heavy-light": (0.9, 0.1)}
"""Weights of the components if they are not equal."""


DEFAULT_STD: Mapping[str, float] = {
    "two-modes": 0.05,
    "heavy-light": 0.05,
    "ring": 0.05,
    "moons": 0.06,
    "circles": 0.06,
    "swiss-roll": 0.05,
    "spirals": 0.05,
    "checkerboard": 0.08,
    "pinwheel": 0.06,
    "drawing": 0.007,
    "file": 0.05,
}
"""Standard deviation of each component if it is not 0.01."""


SCHEDULES_OF: Mapping[str, tuple[str, ...]] = {
    "naive": ("karras",),
    "naive-exact": ("karras",),
    "ddpm": ("beta", "karras-beta", "linear-beta", "cosine"),
    "edm": ("karras", "cosine", "flow"),
    "flow": ("flow", "karras", "cosine"),
}
"""Compatible schedules of each method, its default first."""


_MODERN = ("ddpm", "ddim", "euler", "heun", "dpm++2m")


SAMPLERS_OF: Mapping[str, tuple[str, ...]] = {
    "naive": ("naive", *_MODERN),
    "naive-exact": ("naive", *_MODERN),
    "ddpm": _MODERN,
    "edm": ("heun", *(name for name in _MODERN if name != "heun")),
    "flow": ("heun", *(name for name in _MODERN if name != "heun")),
}
"""Compatible samplers of each method, its default first."""


ANY_LEVEL = ("edm", "flow")
"""Methods whose network covers every noise level, so that sampling may use any levels.

The others cover only the levels of their training, and can be sampled on a subset of them."""


def methods_for(path: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return the methods that go with any of these values of a field."""
    if path == "network.per_level" and "true" in values:
        return tuple(method for method in SCHEDULES_OF if method not in ANY_LEVEL)
    compatible = {"schedule.kind": SCHEDULES_OF, "sampling.sampler": SAMPLERS_OF}.get(path)
    if compatible is None:
        return tuple(SCHEDULES_OF)
    return tuple(method for method, names in compatible.items() if {*names} & {*values})
