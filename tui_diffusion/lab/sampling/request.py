"""A request for points, and their source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ...core.config.experiment import Experiment

if TYPE_CHECKING:
    import torch

    from ...core.methods import IdealDenoiser
    from ...core.training_set import TrainingSet
    from ...core.trajectory import Trajectory

Optimum = Literal["population", "training set"]
"""The data of which a denoiser is ideal."""

PointSource = Literal["forward", "network", "ideal"]
"""The source of points: noised true data, the network, or the exact denoiser in its place."""


@dataclass(frozen=True)
class SampleRequest:
    """A request for a trajectory.

    ``step`` is the number of training steps of the network. ``live`` means that it is still in
    training, so a quick trajectory is better than a complete one. ``level`` is the first level to
    be viewed. ``keep`` limits the trajectory to the first points. ``study`` is the view of the
    diagnosis whose slow part is wanted; "quick" for none of these. ``given`` is a trajectory to
    show instead of sampling one. ``trained`` is the experiment of the network's training, whose
    seed, and so its training set, may be another than that of ``experiment``. ``ideal_of`` is the
    data of which the ideal denoiser is the exact one.
    """

    experiment: Experiment
    source: PointSource
    seed: int
    points: int
    step: int = 0
    denoiser: Any = None
    live: bool = False
    level: int | None = field(default=None, compare=False)
    keep: int | None = None
    study: str = field(default="", compare=False)
    given: Trajectory | None = field(default=None, compare=False)
    trained: Experiment | None = None
    ideal_of: Optimum = "population"

    @property
    def training_set(self) -> TrainingSet | None:
        """The fixed training set of the network, or of the experiment if there is no network."""
        from ...core.training_set import make_training_set

        return make_training_set(self.trained or self.experiment)

    def ideal(self, device: torch.device | str = "cpu") -> IdealDenoiser:
        """Return the exact denoiser that takes the network's place."""
        from ...core.training_set import ideal_denoiser

        return ideal_denoiser(self.trained or self.experiment, self.ideal_of, device)
