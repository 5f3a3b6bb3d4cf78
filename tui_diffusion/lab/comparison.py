"""Trainings set side by side: their losses, their films from one noise, and where they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.devices import use_threads
from ..core.experiment import ConfigError, Experiment, field_table
from ..core.manifest import RunError
from ..core.methods import Denoiser
from ..core.report import results
from ..core.store import list_runs
from ..core.values import format_value, shown
from .film import Film, make_film
from .opening import opened
from .sampling import Progress, Wish
from .session import State, Training
from .status import number, took

LETTERS = "ABCD"
"""What stands for each training in every picture; as many are compared at most."""

_POINTS = 2_000
"""Most points of each film, so that all of them are made in a moment."""


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
    if metrics is None:
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


@dataclass(frozen=True)
class Showing:
    """A film that is wanted: of one of the subjects, from the noise of a seed."""

    index: int
    subject: Subject
    seed: int


def show(showing: Showing, tell: Progress) -> tuple[Showing, Film]:
    """The film; those of one seed start from the same noise, where their shapes agree."""
    subject = showing.subject
    points = min(subject.experiment.sampling.points, _POINTS)
    wish = Wish(subject.experiment, "network", showing.seed, points, subject.step, subject.denoiser)
    return showing, make_film(wish, tell)


# --- the table ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A line of the table: what, its value in each, and which of them is the better one."""

    label: str
    values: tuple[str, ...]
    best: int | None = None


def settings_that_differ(subjects: Sequence[Subject]) -> list[Row]:
    """The hyperparameters that are not the same in all, in the order of the form."""
    rows = []
    for spec in field_table().values():
        applies = [spec.applies(subject.experiment) for subject in subjects]
        values = [
            format_value(subject.experiment.get(spec.path)) if does else "–"
            for subject, does in zip(subjects, applies, strict=True)
        ]
        if len(set(values)) > 1:
            unit = f" ({spec.unit})" if spec.unit not in ("", spec.label) else ""
            rows.append(Row(f"{spec.label}{unit}", tuple(values)))
    names = tuple(subject.experiment.name for subject in subjects)
    return [Row("experiment", names), *rows] if len(set(names)) > 1 else rows


_MEASURES = (
    ("energy distance", "energy_distance", 0.0),
    ("mode weights off (TV)", "mode_tv", 0.0),
    ("off every mode", "off_mode", 0.0),
    ("std in a mode / true", "in_mode_std_ratio", 1.0),
)
"""Label, the metric's name, and the value that is best."""


def outcomes(subjects: Sequence[Subject]) -> list[Row]:
    """What they came to, the better one marked where the numbers mean the same thing."""
    rows = [
        Row("state", tuple(subject.state.value for subject in subjects)),
        Row("steps trained", tuple(f"{s.step:,}" for s in subjects)),
        Row("time", tuple(took(s.seconds) for s in subjects)),
    ]
    losses = [[_measured(s, "loss", key) for s in subjects] for key in ("final", "excess", "floor")]
    final, excess, floor = losses
    above = [e / f if e is not None and f else None for e, f in zip(excess, floor, strict=True)]
    # Another method weighs other errors: its loss tells nothing of this one's.
    alike = same_loss(subjects)
    rows.append(Row("final loss", _texts(final)))  # a matter of chance, so none is better by it
    texts = tuple("–" if a is None else f"{a:+.1%}" for a in above)
    rows.append(_judged("expected loss over floor", texts, above, 0.0 if alike else None))
    data = len({subject.experiment.data for subject in subjects}) == 1
    for label, key, ideal in _MEASURES:
        found = [_measured(s, "sample", key) for s in subjects]
        texts = tuple("–" if f is None else f"{f:.2%}" for f in found)
        texts = texts if key == "off_mode" else _texts(found)
        rows.append(_judged(label, texts, found, ideal if data else None))
        if key == "energy_distance":
            real = [_measured(s, "sample", "energy_distance_real") for s in subjects]
            rows.append(Row("  of as many real points", _texts(real)))
    return [row for row in rows if set(row.values) != {"–"}]


def same_loss(subjects: Sequence[Subject]) -> bool:
    """Whether their losses measure the same thing."""
    learnt = {
        (e.data, e.method, e.schedule, e.training.loss, e.network.per_level)
        for e in (subject.experiment for subject in subjects)
    }
    return len(learnt) == 1


def _measured(subject: Subject, part: str, key: str) -> float | None:
    """A number of ``metrics.json``, which anybody may have written."""
    values = subject.metrics.get(part)
    value = values.get(key) if isinstance(values, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _texts(values: Sequence[float | None]) -> tuple[str, ...]:
    return tuple("–" if value is None else number(value) for value in values)


def _judged(
    label: str, texts: tuple[str, ...], values: Sequence[float | None], ideal: float | None
) -> Row:
    """A row with a mark at what is nearest to the ideal, if one alone is, to the digits shown."""
    if ideal is None or len(values) < 2:
        return Row(label, texts)
    away = [math.inf if value is None else abs(value - ideal) for value in values]
    best = min(range(len(away)), key=away.__getitem__)
    alone = math.isfinite(away[best]) and texts.count(texts[best]) == 1
    return Row(label, texts, best if alone else None)


def at_share(share: float, levels: int) -> int:
    """The level that is this share of the way from noise to clean."""
    return round(share * levels)
