"""The workspace of an experiment: its settings, its training, and the points to sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..core.config.experiment import Experiment
from .sampling.request import PointSource, SampleRequest
from .session.records import SessionState, Training
from .variation import Variation

if TYPE_CHECKING:
    from .runs.watch import Watch

_LIVE_POINTS = 2_000
"""Maximum number of points of a trajectory while training, so that sampling takes little time."""


@dataclass
class Workspace:
    """One experiment as set in the form, with its latest training.

    ``source_ideal``: sample with the ideal denoiser. ``noise``: offset to the seed of sampling.
    ``watch`` follows the training if another process may be at it. ``variation`` is what the next
    sweep varies.
    """

    experiment: Experiment
    training: Training | None = None
    source_ideal: bool = False
    noise: int = 0
    watch: Watch | None = None
    variation: Variation = field(default_factory=Variation)

    @property
    def active(self) -> bool:
        """Whether the training is loading, running or paused."""
        return self.training is not None and self.training.state.active

    def forget(self) -> None:
        """Stop watching a run, as its training leaves the workspace."""
        if self.watch is not None:
            self.watch.stop()
            self.watch = None

    def trained(self) -> Training | None:
        """Return the training if it has a network that fits the current settings, else None."""
        training = self.training
        if training is None or training.snapshot is None:
            return None
        same = all(
            getattr(training.experiment, part) == getattr(self.experiment, part)
            for part in ("data", "method", "schedule", "network")
        )
        return training if same else None

    @property
    def can_go_on(self) -> bool:
        """Whether the training ended before the steps that are set now, with all else as set."""
        return self._continues(self.experiment)

    def newly_possible(self, before: Experiment) -> str:
        """Return a message if the change from ``before`` lets the training go on; else ''."""
        training = self.training
        if training is None or not self.can_go_on or self._continues(before):
            return ""
        from ..core.runs.resume import RATE_ADVICE, rate_change

        moved = rate_change(training.experiment, self.experiment, training.step)
        rate = f" There {moved}; {RATE_ADVICE}." if moved else ""
        return f"p goes on from step {training.step:,}; t trains anew.{rate}"

    def _continues(self, experiment: Experiment) -> bool:
        """Return whether the training can go on as this experiment."""
        training = self.training
        if training is None or training.run is None or training.snapshot is None:
            return False
        if training.state not in (SessionState.STOPPED, SessionState.FINISHED):
            return False
        from ..core.runs.resume import part_that_changed

        left = training.step < experiment.training.steps >= training.steps
        return left and not part_that_changed(training.experiment, experiment)

    def request(self, *, live: bool, level: int | None = None) -> SampleRequest:
        """Return the request for the trajectory of the network, or of true data if there is none.

        ``live``: use fewer points, as a training is running. ``level``: the level to measure first.
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
    """Return an experiment with the current points of its file; raise `ConfigError`."""
    return experiment.with_settings({"data.path": experiment.data.path})
