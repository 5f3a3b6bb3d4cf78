"""An open experiment with its latest training."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.config.experiment import Experiment
from .sampling.request import PointSource, SampleRequest
from .session.records import Training

_LIVE_POINTS = 2_000
"""Maximum number of points sampled during a training, so that the training stays fast."""


@dataclass
class Workspace:
    """An experiment as set in the form, its latest training, and the offset of its seed."""

    experiment: Experiment
    training: Training | None = None
    source_ideal: bool = False
    noise: int = 0

    @property
    def active(self) -> bool:
        """Whether a training is in progress or paused."""
        return self.training is not None and self.training.state.active

    def trained(self) -> Training | None:
        """Return the training if its network fits the current experiment, otherwise None."""
        training = self.training
        if training is None or training.snapshot is None:
            return None
        was, now = training.experiment, self.experiment
        same = all(
            getattr(was, part) == getattr(now, part)
            for part in ("data", "method", "schedule", "network")
        )
        return training if same else None

    def request(self, *, live: bool, level: int | None = None) -> SampleRequest:
        """Return the request for a trajectory: of the network if there is one, else of noised data.

        ``level`` is computed first; ``live`` limits the number of points during a training.
        """
        experiment, training = self.experiment, self.trained()
        source: PointSource = "forward"
        step, denoiser = 0, None
        if self.source_ideal:
            source = "ideal"
        elif training is not None and training.snapshot is not None:
            source = "network"
            step, denoiser = training.snapshot
        points = experiment.sampling.points
        if live and source == "network":
            points = min(points, _LIVE_POINTS)
        seed = (experiment.seed + self.noise) % 2**63
        return SampleRequest(experiment, source, seed, points, step, denoiser, live, level)


def reread(experiment: Experiment) -> Experiment:
    """Return an experiment with the points that stand in its file now; raise `ConfigError`."""
    return experiment.with_settings({"data.path": experiment.data.path})
