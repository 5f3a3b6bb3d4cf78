"""Resuming a run: the settings that may change, and the restored trainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safetensors import SafetensorError
from torch import Tensor

from ..arguments import check_type
from ..config.errors import ConfigError
from ..config.experiment import Experiment, field_table
from ..config.guide import guide_of
from ..config.presets import Preset, experiment_of
from ..config.value_types import format_value
from ..files import UNREADABLE, reason_of
from ..text import shown
from ..training.stages import learning_rate, stages
from ..training.trainer import Trainer, part_of
from .manifest import RunError
from .run import Run

_FREE = ("training.steps", "device", "sampling.*")
"""Fields that may change in a resumed run."""

_RATE = ("training.lr", "training.decay", "training.decay_factor", "training.decay_every")
"""Fields of the learning rate, which may change too if steps are added."""

_NOTICED = 1.05
"""Factor of the learning rate above which a change is reported."""


def resumed_experiment(run: Run, settings: Mapping[str, Any] | None = None) -> Experiment:
    """Return the experiment of a run with changed settings; raise as `check_continues` does."""
    experiment = run.experiment.with_settings(settings or {})
    check_continues(run, experiment)
    return experiment


def check_continues(run: Run, experiment: Experiment) -> None:
    """Raise unless the run can be resumed as this experiment.

    The steps may grow, and device and sampling may change; with more steps, the learning rate too.
    All else is part of the mathematics. Raise `ConfigError` that names a field, and `RunError` if
    the run has diverged or has no steps left.
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
        more = f"training.steps={2 * run.step}"
        raise RunError(
            f"run {name!r} has finished its {run.step:,} steps; allowed: more of them, such as "
            f"{more}",
            more,
        )


def part_that_changed(was: Experiment, now: Experiment) -> str:
    """Return the first field that differs but must not in a resumed run, or ''."""
    free = (*_FREE, *_RATE) if now.training.steps > was.training.steps else _FREE
    fixed = (p for p in field_table() if p not in free and not p.startswith("sampling."))
    if was.data.given is not now.data.given:
        return "data.name"
    return next((path for path in fixed if now.get(path) != was.get(path)), "")


def rate_change(was: Experiment, now: Experiment, step: int) -> str:
    """Describe the jump of the learning rate where a training resumes at ``step``; '' if none.

    A cosine decays over all steps, so more of them raise a rate that had reached its end.
    """
    before, after = _rate(was, step), _rate(now, step)
    if not step or max(before, after) <= _NOTICED * min(before, after):
        return ""
    why = " (the cosine now spans all steps)" if now.training.decay == "cosine" else ""
    return f"the learning rate goes from {before:.2g} to {after:.2g} at step {step:,}{why}"


RATE_ADVICE = "training.lr sets how high it is, training.decay=none holds it there"
"""Advice about a jump of the learning rate."""


def _rate(experiment: Experiment, step: int) -> float:
    """Return the learning rate of a gradient step, held constant past the end."""
    step = min(max(step, 0), experiment.training.steps - 1)
    stage = next(s for s in reversed(stages(experiment)) if s.start <= step)
    return learning_rate(experiment, stage, step)


def resume(run: Run, experiment: Experiment | Preset | None = None) -> Trainer:
    """Return a trainer in the state of the run; raise `ConfigError` or `RunError`.

    On a CPU it continues bit for bit. On another kind of device than before, the random numbers are
    those of a new training there. If each level has its own network and more steps shift the
    stages, training continues in the stage that now contains the step.
    """
    check_type("run", run, Run, "open_run(NAME) returns one")
    experiment = run.experiment if experiment is None else experiment_of(experiment)
    check_continues(run, experiment)
    trainer, state = Trainer(experiment), run.training_state()
    try:
        go_on(trainer, state, run.experiment)
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


def go_on(trainer: Trainer, state: Mapping[str, Tensor], was: Experiment) -> None:
    """Bring a new trainer into the state of a training of ``was``, which may have fewer steps."""
    trainer.restore(_fitting(trainer, state, was))


def _fitting(trainer: Trainer, state: Mapping[str, Tensor], was: Experiment) -> dict[str, Tensor]:
    """Return a state of a training of ``was`` as one of a new trainer."""
    state, fresh = dict(state), trainer.state()
    if state["generator"].shape != fresh["generator"].shape:
        state["generator"] = fresh["generator"]
    step = len(state["losses"])
    if _level(was, step) != _level(trainer.experiment, step):
        # Every network starts with a fresh optimizer.
        state = {key: v for key, v in state.items() if not key.startswith("optimizer.")}
        state |= {key: v for key, v in fresh.items() if key.startswith("optimizer.")}
    if trainer.guide is not None:
        beside = _fitting(trainer.guide, part_of(state, "guide."), guide_of(was))
        state |= {f"guide.{name}": value for name, value in beside.items()}
    return state


def _level(experiment: Experiment, step: int) -> int | None:
    """Return the level whose network the step before ``step`` trains."""
    return next(s for s in reversed(stages(experiment)) if s.start <= max(step - 1, 0)).level
