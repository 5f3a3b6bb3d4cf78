"""Differences between trainings: in their settings and in their results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ....core.analysis.glossary import GlossaryEntry
from ....core.config.experiment import field_table
from ....core.config.value_types import format_value
from ...formatting import number, took
from ...widgets.text_line import times_text
from .subjects import Subject


@dataclass(frozen=True)
class ComparisonRow:
    """A row of the table: a label, a value for each training, and the index of the best one.

    ``about`` explains the label if the glossary does not.
    """

    label: str
    values: tuple[str, ...]
    best: int | None = None
    about: GlossaryEntry | None = None


def settings_that_differ(subjects: Sequence[Subject]) -> list[ComparisonRow]:
    """Return the hyperparameters that differ, in the order of the form."""
    rows = []
    for spec in field_table().values():
        applies = [spec.applies(subject.experiment) for subject in subjects]
        values = [
            format_value(subject.experiment.get(spec.path)) if does else "–"
            for subject, does in zip(subjects, applies, strict=True)
        ]
        if len(set(values)) > 1:
            unit = f" ({spec.unit})" if spec.unit not in ("", spec.label) else ""
            about = GlossaryEntry(spec.path, f"{spec.help} Allowed: {spec.allowed}.")
            rows.append(ComparisonRow(f"{spec.label}{unit}", tuple(values), about=about))
    names = tuple(subject.experiment.name for subject in subjects)
    own = ComparisonRow("experiment", names, about=_EXPERIMENT)
    return [own, *rows] if len(set(names)) > 1 else rows


_EXPERIMENT = GlossaryEntry("experiment", "The preset that the settings started from.")
_STATE = GlossaryEntry(
    "state",
    "How the training ended: finished (all steps done), stopped (before that), or diverged (a "
    "loss was no longer finite).",
)
_MEASURES = (
    ("energy distance", "energy_distance", 0.0),
    ("mode weights (TV)", "mode_tv", 0.0),
    ("off every mode", "off_mode", 0.0),
    ("std in mode / true", "in_mode_std_ratio", 1.0),
)
"""Label, name of the metric, and best value."""


def result_rows(subjects: Sequence[Subject]) -> list[ComparisonRow]:
    """Return the results, with the best one marked where the numbers measure the same thing."""
    rows = [
        ComparisonRow("state", tuple(subject.state.value for subject in subjects), about=_STATE),
        ComparisonRow("steps trained", tuple(f"{s.step:,}" for s in subjects)),
        ComparisonRow("time", tuple(took(s.seconds) for s in subjects)),
    ]
    losses = [[_measured(s, "loss", key) for s in subjects] for key in ("final", "excess", "floor")]
    final, excess, floor = losses
    times = [1 + e / f if e is not None and f else None for e, f in zip(excess, floor, strict=True)]
    # The losses of different methods weight errors differently and do not compare.
    comparable = same_loss(subjects)
    # The final loss depends too much on chance to mark a best one.
    rows.append(ComparisonRow("final loss", _texts(final)))
    texts = tuple("–" if t is None else times_text(t, digits=3) for t in times)
    rows.append(_judged("expected / floor", texts, times, 1.0 if comparable else None))
    same_data = len({subject.experiment.data for subject in subjects}) == 1
    for label, key, ideal in _MEASURES:
        values = [_measured(s, "sample", key) for s in subjects]
        texts = tuple("–" if value is None else f"{value:.2%}" for value in values)
        texts = texts if key == "off_mode" else _texts(values)
        chances = [_measured(s, "sample", f"{key}_chance") for s in subjects]
        rows.append(_judged(label, texts, values, ideal if same_data else None, chances))
        if key == "energy_distance":
            real = [_measured(s, "sample", "energy_distance_real") for s in subjects]
            rows.append(ComparisonRow("  ± by chance", _texts(chances)))
            rows.append(ComparisonRow("  of real points", _texts(real)))
    return [row for row in rows if set(row.values) != {"–"}]


def same_loss(subjects: Sequence[Subject]) -> bool:
    """Return whether the losses of all trainings measure the same thing."""
    objectives = {
        (e.data, e.method, e.schedule, e.training.loss, e.network.per_level)
        for e in (subject.experiment for subject in subjects)
    }
    return len(objectives) == 1


def _measured(subject: Subject, part: str, key: str) -> float | None:
    """Return a finite number of ``metrics.json``, else None; the file may hold anything."""
    values = subject.metrics.get(part)
    value = values.get(key) if isinstance(values, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _texts(values: Sequence[float | None]) -> tuple[str, ...]:
    return tuple("–" if value is None else number(value) for value in values)


def _judged(
    label: str,
    texts: tuple[str, ...],
    values: Sequence[float | None],
    ideal: float | None,
    chances: Sequence[float | None] = (),
) -> ComparisonRow:
    """Return a row that marks the value nearest to ``ideal``, if it is unique as displayed.

    A value subject to chance is marked only if it is nearer by more than chance (two std) can move
    the difference.
    """
    if ideal is None or len(values) < 2:
        return ComparisonRow(label, texts)
    distances = [math.inf if value is None else abs(value - ideal) for value in values]
    best = min(range(len(distances)), key=distances.__getitem__)
    unique = math.isfinite(distances[best]) and texts.count(texts[best]) == 1
    errors = [value or 0.0 for value in chances] or [0.0] * len(distances)
    others = (k for k in range(len(distances)) if k != best)
    clear = all(
        distances[k] - distances[best] >= math.hypot(errors[k], errors[best]) for k in others
    )
    return ComparisonRow(label, texts, best if unique and clear else None)
