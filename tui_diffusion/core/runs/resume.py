"""Going on with a run: which settings may change on the way, and the trainer where it left off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safetensors import SafetensorError

from ..config.errors import ConfigError
from ..config.experiment import Experiment, field_table
from ..config.value_types import format_value
from ..files import UNREADABLE, reason_of
from ..text import shown
from ..training.stages import learning_rate, stages
from ..training.trainer import Trainer
from .manifest import RunError
from .run import Run

_FREE = ("training.steps", "device", "sampling.*")

_RATE = ("training.lr", "training.decay", "training.decay_factor", "training.decay_every")
"""What may change as well where steps are added: the rate of those to come."""

_NOTICED = 1.05
"""A change of the rate by this factor is worth a word."""


def continued(run: Run, settings: Mapping[str, Any] | None = None) -> Experiment:
    """The experiment of a run with what may change when it goes on: see `check_continues`."""
    experiment = run.experiment.with_settings(settings or {})
    check_continues(run, experiment)
    return experiment


def check_continues(run: Run, experiment: Experiment) -> None:
    """Raise unless the run can go on as this experiment.

    Its own but for more steps, another device and another way to sample, and with more steps
    another learning rate: all else is part of the mathematics. Raises `ConfigError` that names a
    field, and `RunError` where nothing is left to do.
    """
    name, was = shown(run.name), run.experiment
    if experiment.name != was.name:
        raise ConfigError(
            f"experiment: {experiment.name!r} is not that of run {name!r}; allowed: {was.name}, "
            "or none"
        )
    if path := part_that_changed(was, experiment):
        raise ConfigError(
            f"{path}: cannot change in run {name!r}, where it is "
            f"{format_value(was.get(path))}; allowed: {', '.join(_FREE)}, and with more steps "
            f"{', '.join(_RATE)}",
            path,
        )
    if experiment.training.steps < was.training.steps:
        raise ConfigError(
            f"training.steps: {experiment.training.steps:,} is fewer than in run {name!r}; "
            f"allowed: from {was.training.steps}",
            "training.steps",
        )
    if run.state == "diverged":
        raise RunError(
            f"run {name!r} diverged at step {run.step:,}; allowed: a new training, such as with a "
            "lower training.lr"
        )
    if run.step >= experiment.training.steps:
        raise RunError(
            f"run {name!r} has finished its {run.step:,} steps; allowed: more of them, such as "
            f"--set training.steps={2 * run.step}"
        )


def part_that_changed(was: Experiment, now: Experiment) -> str:
    """The first field by which ``now`` is another training than ``was`` gone on with, or ''."""
    free = (*_FREE, *_RATE) if now.training.steps > was.training.steps else _FREE
    fixed = (p for p in field_table() if p not in free and not p.startswith("sampling."))
    return next((path for path in fixed if now.get(path) != was.get(path)), "")


def rate_change(was: Experiment, now: Experiment, step: int) -> str:
    """Say how the learning rate moves where a training goes on from ``step``; '' if it does not.

    A cosine falls over all steps, so that more of them lift a rate that had come to its end.
    """
    before, after = _rate(was, step), _rate(now, step)
    if not step or max(before, after) <= _NOTICED * min(before, after):
        return ""
    why = " (the cosine falls anew over all steps)" if now.training.decay == "cosine" else ""
    return f"the learning rate goes from {before:.2g} to {after:.2g} at step {step:,}{why}"


RATE_ADVICE = "training.lr sets how high it is, training.decay=none holds it there"
"""What can be done about a rate that moves."""


def _rate(experiment: Experiment, step: int) -> float:
    """The learning rate of a gradient step; past the end that of the last one."""
    step = min(max(step, 0), experiment.training.steps - 1)
    stage = next(s for s in reversed(stages(experiment)) if s.start <= step)
    return learning_rate(experiment, stage, step)


def resume(run: Run, experiment: Experiment | None = None) -> Trainer:
    """A trainer where the run left off; raises `ConfigError` or `RunError`.

    On a CPU it goes on bit for bit. On another kind of device than before, the random numbers are
    those of a new training there. Where more steps move the stages of a network a level, training
    goes on in the stage that now holds the step.
    """
    experiment = experiment or run.experiment
    check_continues(run, experiment)
    trainer = Trainer(experiment)
    state = run.training_state()
    fresh = trainer.state()
    if state["generator"].shape != fresh["generator"].shape:
        state["generator"] = fresh["generator"]
    if _level(run.experiment, run.step) != _level(experiment, run.step):
        # The optimizer begins anew, as with every network.
        state = {key: v for key, v in state.items() if not key.startswith("optimizer.")}
        state |= {key: v for key, v in fresh.items() if key.startswith("optimizer.")}
    try:
        trainer.restore(state)
    except (*UNREADABLE, SafetensorError) as error:
        raise RunError(
            f"run {shown(str(run.folder))}: state.safetensors does not fit ({reason_of(error)})"
        ) from None
    if trainer.step != run.step or trainer.status != "training":
        raise RunError(
            f"run {shown(str(run.folder))}: losses.npy does not fit ({trainer.step:,} steps, "
            f"{trainer.status})"
        )
    return trainer


def _level(experiment: Experiment, step: int) -> int | None:
    """Whose network the step before ``step`` trains."""
    return next(s for s in reversed(stages(experiment)) if s.start <= max(step - 1, 0)).level
