"""Where trainings differ: in their settings, and in what they came to."""

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
    """A line of the table: what, its value in each, and which of them is the better one.

    ``about`` says what it is, where the glossary does not.
    """

    label: str
    values: tuple[str, ...]
    best: int | None = None
    about: GlossaryEntry | None = None


def settings_that_differ(subjects: Sequence[Subject]) -> list[ComparisonRow]:
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
            about = GlossaryEntry(spec.path, f"{spec.help} Allowed: {spec.allowed}.")
            rows.append(ComparisonRow(f"{spec.label}{unit}", tuple(values), about=about))
    names = tuple(subject.experiment.name for subject in subjects)
    own = ComparisonRow("experiment", names, about=_EXPERIMENT)
    return [own, *rows] if len(set(names)) > 1 else rows


_EXPERIMENT = GlossaryEntry("experiment", "The preset that the training began as.")
_STATE = GlossaryEntry(
    "state",
    "What became of the training: finished all its steps, stopped before, or diverged, where a "
    "loss was no longer finite.",
)
_MEASURES = (
    ("energy distance", "energy_distance", 0.0),
    ("mode weights (TV)", "mode_tv", 0.0),
    ("off every mode", "off_mode", 0.0),
    ("std in mode / true", "in_mode_std_ratio", 1.0),
)
"""Label, the metric's name, and the value that is best."""


def outcomes(subjects: Sequence[Subject]) -> list[ComparisonRow]:
    """What they came to, the better one marked where the numbers mean the same thing."""
    rows = [
        ComparisonRow("state", tuple(subject.state.value for subject in subjects), about=_STATE),
        ComparisonRow("steps trained", tuple(f"{s.step:,}" for s in subjects)),
        ComparisonRow("time", tuple(took(s.seconds) for s in subjects)),
    ]
    losses = [[_measured(s, "loss", key) for s in subjects] for key in ("final", "excess", "floor")]
    final, excess, floor = losses
    times = [1 + e / f if e is not None and f else None for e, f in zip(excess, floor, strict=True)]
    # Another method weighs other errors: its loss tells nothing of this one's.
    alike = same_loss(subjects)
    rows.append(
        ComparisonRow("final loss", _texts(final))
    )  # a matter of chance, so none is better by it
    texts = tuple("–" if t is None else times_text(t, digits=3) for t in times)
    rows.append(_judged("expected / floor", texts, times, 1.0 if alike else None))
    data = len({subject.experiment.data for subject in subjects}) == 1
    for label, key, ideal in _MEASURES:
        found = [_measured(s, "sample", key) for s in subjects]
        texts = tuple("–" if f is None else f"{f:.2%}" for f in found)
        texts = texts if key == "off_mode" else _texts(found)
        chances = [_measured(s, "sample", f"{key}_chance") for s in subjects]
        rows.append(_judged(label, texts, found, ideal if data else None, chances))
        if key == "energy_distance":
            real = [_measured(s, "sample", "energy_distance_real") for s in subjects]
            rows.append(ComparisonRow("  ± by chance", _texts(chances)))
            rows.append(ComparisonRow("  of real points", _texts(real)))
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
    label: str,
    texts: tuple[str, ...],
    values: Sequence[float | None],
    ideal: float | None,
    chances: Sequence[float | None] = (),
) -> ComparisonRow:
    """A row with a mark at what is nearest to the ideal, if one alone is, to the digits shown.

    Of values that chance moves, one is nearer only by more than it can move the difference.
    """
    if ideal is None or len(values) < 2:
        return ComparisonRow(label, texts)
    away = [math.inf if value is None else abs(value - ideal) for value in values]
    best = min(range(len(away)), key=away.__getitem__)
    alone = math.isfinite(away[best]) and texts.count(texts[best]) == 1
    moved = [value or 0.0 for value in chances] or [0.0] * len(away)
    others = (k for k in range(len(away)) if k != best)
    clear = all(away[k] - away[best] >= math.hypot(moved[k], moved[best]) for k in others)
    return ComparisonRow(label, texts, best if alone and clear else None)
