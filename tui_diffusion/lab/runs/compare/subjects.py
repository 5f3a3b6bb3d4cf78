"""Trainings set side by side: what of each is compared, and their films from one noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.analysis.energy_distance import MAX_POINTS
from ....core.analysis.report import results
from ....core.config.errors import ConfigError
from ....core.config.experiment import Experiment
from ....core.methods import Denoiser
from ....core.runs.manifest import RunError
from ....core.runs.store import list_runs
from ....core.text import shown
from ....core.training.devices import use_threads
from ...sampling.measured_trajectory import MeasuredTrajectory, measure_trajectory
from ...sampling.request import ProgressCallback, SampleRequest
from ...session.records import SessionState, Training
from ..load import opened

LETTERS = "ABCD"
"""What stands for each training in every picture; as many are compared at most."""


@dataclass(frozen=True)
class Candidate:
    """What is to be compared: a run's folder, or a training of the lab."""

    name: str
    what: Path | Training


def beside_workspace(training: Training | None, experiment: str) -> list[Candidate]:
    """The training on the bench, and the latest other run of its experiment."""
    source = of_workspace(training)
    if source is None or training is None:
        return []
    others = [
        Candidate(run.name, run.folder.absolute())
        for run in list_runs()
        if run.about is not None
        and run.about.experiment == experiment
        and run.about.step
        and run.folder.absolute() != training.run
    ]
    return [source, *others[:1]]


def of_workspace(training: Training | None) -> Candidate | None:
    """The training on the bench, by the name of its run, once it has a network."""
    if training is None or training.snapshot is None or not training.step:
        return None
    return Candidate(training.run.name if training.run else "on the bench", training)


@dataclass(frozen=True, eq=False)
class Subject:
    """One training as it was when the comparison was asked for."""

    name: str
    experiment: Experiment
    state: SessionState
    step: int
    seconds: float
    losses: NDArray[np.float32]
    floors: tuple[tuple[int, float], ...]
    denoiser: Denoiser
    metrics: Mapping[str, Any]


def read_subjects(
    sources: Sequence[Candidate], tell: ProgressCallback
) -> tuple[list[Subject], list[str]]:
    """What there is to compare, and one line for each source that cannot be."""
    subjects, faults = [], []
    for done, source in enumerate(sources):
        tell(done, len(sources))
        try:
            subjects.append(_subject(source))
        except (RunError, ConfigError) as error:
            faults.append(str(error))
    return subjects, faults


def _subject(source: Candidate) -> Subject:
    training = source.what
    if isinstance(training, Path):
        _, training = opened(str(training))
    snapshot, losses = training.snapshot, training.losses
    if snapshot is None or losses is None:
        raise RunError(f"{shown(source.name)} has no network yet")
    step, denoiser = snapshot
    diverged = training.state is SessionState.DIVERGED
    losses = losses[:step].copy()
    metrics = training.metrics
    if metrics is None or not _current(metrics):
        use_threads(training.experiment)
        metrics = results(training.experiment, None if diverged else losses, denoiser)
    return Subject(
        name=shown(source.name),
        experiment=training.experiment,
        state=training.state,
        step=step,
        seconds=training.seconds,
        losses=losses,
        floors=training.floors,
        denoiser=denoiser,
        metrics=metrics,
    )


def _current(metrics: Mapping[str, Any]) -> bool:
    """Whether its energy distance is the one of today, beside which stands what chance does."""
    sample = metrics.get("sample")
    return not isinstance(sample, dict) or "energy_distance_chance" in sample


@dataclass(frozen=True)
class TrajectoryRequest:
    """A film that is wanted: of one of the subjects, from the noise of a seed."""

    index: int
    subject: Subject
    seed: int


def measure_subject(
    showing: TrajectoryRequest, tell: ProgressCallback
) -> tuple[TrajectoryRequest, MeasuredTrajectory]:
    """The film; those of one seed start from the same noise, where their shapes agree."""
    subject = showing.subject
    request = SampleRequest(
        subject.experiment,
        "network",
        showing.seed,
        subject.experiment.sampling.points,
        subject.step,
        subject.denoiser,
        keep=MAX_POINTS,
    )
    return showing, measure_trajectory(request, tell)
