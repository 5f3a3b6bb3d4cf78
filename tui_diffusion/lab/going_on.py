"""Conditions for resuming a training that was stopped or has finished."""

from __future__ import annotations

from ..core.config.experiment import Experiment
from .session.records import SessionState, Training


def can_go_on(training: Training | None, experiment: Experiment) -> bool:
    """Return whether a training has ended before the steps set now and nothing else changed."""
    if training is None or training.run is None or training.snapshot is None:
        return False
    if training.state not in (SessionState.STOPPED, SessionState.FINISHED):
        return False
    from ..core.runs.resume import part_that_changed

    left = training.step < experiment.training.steps >= training.steps
    return left and not part_that_changed(training.experiment, experiment)


def newly_possible(training: Training | None, before: Experiment, after: Experiment) -> str:
    """Return a hint if changed settings have made it possible to resume a training, else ''."""
    if training is None or not can_go_on(training, after) or can_go_on(training, before):
        return ""
    from ..core.runs.resume import RATE_ADVICE, rate_change

    change = rate_change(training.experiment, after, training.step)
    rate = f" There {change}; {RATE_ADVICE}." if change else ""
    return f"p goes on from step {training.step:,}; t trains anew.{rate}"
