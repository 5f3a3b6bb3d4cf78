"""Trainings set side by side: what of each is compared, and their films from one noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.analysis.energy_distance import POINTS
from ....core.analysis.report import results
from ....core.config.errors import ConfigError
from ....core.config.experiment import Experiment
from ....core.methods import Denoiser
from ....core.runs.manifest import RunError
from ....core.runs.store import list_runs
from ....core.text import shown
from ....core.training.devices import use_threads
from ...sampling.measured_trajectory import Film, make_film
from ...sampling.request import Progress, Wish
from ...session.records import State, Training
from ..load import opened

LETTERS = "ABCD"
"""What stands for each training in every picture; as many are compared at most."""


@dataclass(frozen=True)
class Source:
    """What is to be compared: a run's folder, or a training of the lab."""

    name: str
    what: Path | Training


def beside_bench(training: Training | None, experiment: str) -> list[Source]:
    """The training on the bench, and the latest other run of its experiment."""
    source = of_bench(training)
    if source is None or training is None:
        return []
    others = [
        Source(run.name, run.folder.absolute())
        for run in list_runs()
        if run.about is not None
        and run.about.experiment == experiment
        and run.about.step
        and run.folder.absolute() != training.run
    ]
    return [source, *others[:1]]


def of_bench(training: Training | None) -> Source | None:
    """The training on the bench, by the name of its run, once it has a network."""
    if training is None or training.snapshot is None or not training.step:
        return None
    return Source(training.run.name if training.run else "on the bench", training)


@dataclass(frozen=True, eq=False)
class Subject:
    """One training as it was when the comparison was asked for."""

    name: str
    experiment: Experiment
    state: State
    step: int
    seconds: float
    losses: NDArray[np.float32]
    floors: tuple[tuple[int, float], ...]
    denoiser: Denoiser
    metrics: Mapping[str, Any]


def read(sources: Sequence[Source], tell: Progress) -> tuple[list[Subject], list[str]]:
    """What there is to compare, and one line for each source that cannot be."""
    subjects, faults = [], []
    for done, source in enumerate(sources):
        tell(done, len(sources))
        try:
            subjects.append(_subject(source))
        except (RunError, ConfigError) as error:
            faults.append(str(error))
    return subjects, faults


def _subject(source: Source) -> Subject:
    training = source.what
    if isinstance(training, Path):
        _, training = opened(str(training))
    snapshot, losses = training.snapshot, training.losses
    if snapshot is None or losses is None:
        raise RunError(f"{shown(source.name)} has no network yet")
    step, denoiser = snapshot
    diverged = training.state is State.DIVERGED
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
class Showing:
    """A film that is wanted: of one of the subjects, from the noise of a seed."""

    index: int
    subject: Subject
    seed: int


def show(showing: Showing, tell: Progress) -> tuple[Showing, Film]:
    """The film; those of one seed start from the same noise, where their shapes agree."""
    subject = showing.subject
    wish = Wish(
        subject.experiment,
        "network",
        showing.seed,
        subject.experiment.sampling.points,
        subject.step,
        subject.denoiser,
        keep=POINTS,
    )
    return showing, make_film(wish, tell)
