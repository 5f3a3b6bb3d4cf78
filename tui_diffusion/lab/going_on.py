"""More training after the end, or after a stop: whether a training can go on where it ended."""

from __future__ import annotations

from ..core.config.experiment import Experiment
from .session.records import SessionState, Training


def can_go_on(training: Training | None, experiment: Experiment) -> bool:
    """Whether this training has ended before the steps that are set now, all else being as set."""
    if training is None or training.run is None or training.snapshot is None:
        return False
    if training.state not in (SessionState.STOPPED, SessionState.FINISHED):
        return False
    from ..core.runs.resume import part_that_changed

    left = training.step < experiment.training.steps >= training.steps
    return left and not part_that_changed(training.experiment, experiment)


def newly_possible(training: Training | None, before: Experiment, now: Experiment) -> str:
    """What to say where a change of the settings made it possible to go on, or ''."""
    if training is None or not can_go_on(training, now) or can_go_on(training, before):
        return ""
    from ..core.runs.resume import RATE_ADVICE, rate_change

    moved = rate_change(training.experiment, now, training.step)
    rate = f" There {moved}; {RATE_ADVICE}." if moved else ""
    return f"p goes on from step {training.step:,}; t trains anew.{rate}"
