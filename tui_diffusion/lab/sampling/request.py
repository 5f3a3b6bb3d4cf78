"""A request for points, and what they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ...core.config.experiment import Experiment

Progress = Callable[[int, int], None]
"""Is told the steps done and all there are, one after another."""


Source = Literal["forward", "network", "ideal"]
"""Where points come from: true data noised, the network, or the exact denoiser in its place."""


@dataclass(frozen=True)
class Wish:
    """A film that is wanted. ``step`` says how far the network was trained; ``live`` that it
    still is, so that the film should be quick rather than complete. ``level`` is the one that will
    be looked at first; ``keep`` takes only the first of the points along."""

    experiment: Experiment
    source: Source
    seed: int
    points: int
    step: int = 0
    denoiser: Any = None
    live: bool = False
    level: int | None = field(default=None, compare=False)
    keep: int | None = None
