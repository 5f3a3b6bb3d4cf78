"""The workspace of an experiment: its settings, its training, and the points to sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..core.config.experiment import Experiment
from .sampling.request import Optimum, PointSource, SampleRequest
from .session.records import SessionState, Training
from .variation import Variation

if TYPE_CHECKING:
    from ..core.methods import Denoiser
    from ..core.trajectory import Trajectory
    from .runs.watch import Watch

_LIVE_POINTS = 2_000
"""Maximum number of points of a trajectory while training, so that sampling takes little time."""


_OF_A_NETWORK = ("data", "method", "schedule", "network")
"""The sections of an experiment on which the meaning of a network's weights depends."""


def _same_network(one: Experiment, other: Experiment) -> bool:
    return all(getattr(one, part) == getattr(other, part) for part in _OF_A_NETWORK)


@dataclass(frozen=True, eq=False)
class Given:
    """What a script has given with an experiment.

    ``denoiser`` is sampled with, ``trajectory`` shown, until another training. ``network`` is what
    `t` trains, beginning with its weights. ``training`` is one that the script has begun.
    """

    experiment: Experiment
    denoiser: Denoiser | None = None
    network: Any = None
    trajectory: Trajectory | None = None
    training: Training | None = None

    def parts(self, experiment: Experiment) -> Mapping[str, Any]:
        """Return the arguments of a trainer of an experiment, beside the experiment."""
        was = self.experiment
        fits = experiment.network == was.network and experiment.dim == was.dim
        if self.network is None or not fits:
            return {}
        if experiment.network.per_level and experiment.levels != was.levels:
            return {}
        return {"network": self.network}

    def source(self) -> PointSource:
        """Return the source of the trajectory's points."""
        made_by = self.trajectory.denoiser if self.trajectory is not None else None
        if made_by is None:
            return "forward"
        return "ideal" if type(made_by).__name__ == "IdealDenoiser" else "network"

    def ideal_of(self) -> Optimum:
        """Return the data of which an ideal denoiser made the trajectory."""
        made_by = self.trajectory.denoiser if self.trajectory is not None else None
        of = type(getattr(made_by, "mixture", None)).__name__
        return "training set" if of == "Empirical" else "population"


@dataclass
class Workspace:
    """One experiment as set in the form, with its latest training.

    ``ideal_of``: sample with the ideal denoiser of this. ``noise``: offset to the seed of sampling.
    ``watch`` follows the training if another process may be at it. ``given`` is what a script has
    opened the lab with. ``variation`` is what the next sweep varies.
    """

    experiment: Experiment
    training: Training | None = None
    ideal_of: Optimum | None = None
    noise: int = 0
    watch: Watch | None = None
    given: Given | None = None
    variation: Variation = field(default_factory=Variation)

    @property
    def parts(self) -> Mapping[str, Any]:
        """The arguments of a trainer, beside the experiment."""
        return {} if self.given is None else self.given.parts(self.experiment)

    @property
    def optima(self) -> tuple[Optimum, ...]:
        """The data that an ideal denoiser is known of."""
        data = self.experiment.data
        if not data.finite:
            return ("population",)
        return ("training set",) if data.population_unknown else ("population", "training set")

    @property
    def source_ideal(self) -> bool:
        """Whether the ideal denoiser takes the network's place."""
        return self.ideal_of in self.optima

    def swap(self) -> None:
        """Sample with the next of the network and the ideal denoisers."""
        sources: tuple[Optimum | None, ...] = (None, *self.optima)
        at = sources.index(self.ideal_of) if self.source_ideal else 0
        self.ideal_of = sources[(at + 1) % len(sources)]

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
        return training if _same_network(training.experiment, self.experiment) else None

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
        if training is None or training.snapshot is None:
            return False
        if training.run is None and training.checkpoint is None:
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
        experiment, training, given = self.experiment, self.trained(), self.given
        source: PointSource = "forward"
        step, denoiser = 0, None
        shown: Trajectory | None = None
        trained = training.experiment if training is not None else None
        ideal_of: Optimum = "population"
        if self.source_ideal and self.ideal_of is not None:
            source, ideal_of = "ideal", self.ideal_of
        elif training is not None and training.snapshot is not None:
            source = "network"
            step, denoiser = training.snapshot
        elif given is not None and _same_network(given.experiment, experiment):
            denoiser, trained = given.denoiser, given.experiment
            source = "network" if denoiser is not None else "forward"
        points = experiment.sampling.points
        if live and source == "network":
            points = min(points, _LIVE_POINTS)
        seed = (experiment.seed + self.noise) % 2**63
        if given is not None and (shown := self._shown(given)) is not None:
            source = given.source()
            denoiser = shown.denoiser if source == "network" else None
            points, seed = shown.points, seed if shown.seed is None else shown.seed
            ideal_of = given.ideal_of()
        return SampleRequest(
            *(experiment, source, seed, points, step, denoiser, live, level),
            given=shown,
            trained=trained,
            ideal_of=ideal_of,
        )

    def _shown(self, given: Given) -> Trajectory | None:
        """Return the given trajectory if it is still what the settings ask for."""
        asked = self.source_ideal or self.noise or self.experiment != given.experiment
        trained = self.training is not None and self.training is not given.training
        return None if asked or trained else given.trajectory


def reread(experiment: Experiment) -> Experiment:
    """Return an experiment with the current points of its file; raise `ConfigError`."""
    return experiment.with_settings({"data.path": experiment.data.path})
