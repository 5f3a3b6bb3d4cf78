"""The trainings of a comparison, and their trajectories from the same noise."""

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
from ....core.progress import ProgressCallback
from ....core.runs.manifest import RunError
from ....core.runs.store import list_runs
from ....core.text import shown
from ....core.training.devices import use_threads
from ...sampling.measured_trajectory import MeasuredTrajectory, measure_trajectory
from ...sampling.request import SampleRequest
from ...session.records import SessionState, Training
from ..load import opened

LETTERS = "ABCD"
"""The letter of each training in every picture; their number limits a comparison."""


@dataclass(frozen=True)
class Candidate:
    """A training to compare: the folder of a run, or a training of the lab."""

    name: str
    source: Path | Training


def beside_workspace(training: Training | None, experiment: str) -> list[Candidate]:
    """Return the training of the workspace and the latest other run of its experiment.

    Empty if the training has no network. Raise `RunError` if the store cannot be read.
    """
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
    """Return the training of the workspace, by the name of its run, or None without a network."""
    if training is None or training.snapshot is None or not training.step:
        return None
    return Candidate(training.run.name if training.run else "this training", training)


@dataclass(frozen=True, eq=False)
class Subject:
    """A snapshot of one training when the comparison was opened.

    ``losses``: one for each step, shape ``(step,)``. ``floors``: first step and floor of each
    stage.
    """

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
    candidates: Sequence[Candidate], progress: ProgressCallback
) -> tuple[list[Subject], list[str]]:
    """Return the trainings, and a one-line error for each candidate that cannot be read."""
    subjects, faults = [], []
    for done, candidate in enumerate(candidates):
        progress(done, len(candidates))
        try:
            subjects.append(_subject(candidate))
        except (RunError, ConfigError) as error:
            faults.append(str(error))
    return subjects, faults


def _subject(candidate: Candidate) -> Subject:
    training = candidate.source
    if isinstance(training, Path):
        _, training = opened(str(training))
    snapshot, losses = training.snapshot, training.losses
    if snapshot is None or losses is None:
        raise RunError(f"{shown(candidate.name)} has no network yet")
    step, denoiser = snapshot
    diverged = training.state is SessionState.DIVERGED
    losses = losses[:step].copy()
    metrics = training.metrics
    if metrics is None or not _current(metrics):
        use_threads(training.experiment)
        metrics = results(training.experiment, None if diverged else losses, denoiser)
    return Subject(
        name=shown(candidate.name),
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
    """Return whether the metrics hold the error of the energy distance, which old runs lack."""
    sample = metrics.get("sample")
    return not isinstance(sample, dict) or "energy_distance_chance" in sample


@dataclass(frozen=True)
class TrajectoryRequest:
    """A request for the trajectory of one training from the noise of a seed."""

    index: int
    subject: Subject
    seed: int


def measure_subject(
    request: TrajectoryRequest, progress: ProgressCallback
) -> tuple[TrajectoryRequest, MeasuredTrajectory]:
    """Return the request with its trajectory.

    Trajectories with the same seed and shape start from the same noise.
    """
    subject = request.subject
    sampling = SampleRequest(
        subject.experiment,
        "network",
        request.seed,
        subject.experiment.sampling.points,
        subject.step,
        subject.denoiser,
        keep=MAX_POINTS,
    )
    return request, measure_trajectory(sampling, progress)
