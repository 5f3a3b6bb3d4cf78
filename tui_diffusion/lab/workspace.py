"""An experiment on the bench: what is set, and what has been trained."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.config.experiment import Experiment
from .sampling.request import PointSource, SampleRequest
from .session.records import Training

_LIVE_POINTS = 2_000
"""Most points of a film made while training, so that sampling takes little from it."""


@dataclass
class Workspace:
    """One experiment on the bench: as set in the form, with its latest training and seed."""

    experiment: Experiment
    training: Training | None = None
    source_ideal: bool = False
    noise: int = 0

    @property
    def active(self) -> bool:
        """Whether its training still runs, or may go on."""
        return self.training is not None and self.training.state.active

    def trained(self) -> Training | None:
        """The training whose network fits what is set, if there is one to show."""
        training = self.training
        if training is None or training.snapshot is None:
            return None
        was, now = training.experiment, self.experiment
        same = all(
            getattr(was, part) == getattr(now, part)
            for part in ("data", "method", "schedule", "network")
        )
        return training if same else None

    def reread(self) -> bool:
        """Take the points of a file as they stand there now; whether they are others than before.

        Raises `ConfigError` where they cannot be read any more.
        """
        before, data = self.experiment, self.experiment.data
        if data.points is not None:
            self.experiment = before.with_settings({"data.path": data.path})
        return self.experiment != before

    def request(self, *, live: bool, level: int | None = None) -> SampleRequest:
        """The film to be seen, at this level first: of the network, or else of the true data."""
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
