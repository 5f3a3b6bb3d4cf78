"""The stages of a training: one, or one per network, with their learning rates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..config.experiment import Experiment


@dataclass(frozen=True)
class Stage:
    """The steps [start, stop) that train one body of the network, for one level or all (None)."""

    start: int
    stop: int
    level: int | None
    lr: float


def stages(experiment: Experiment) -> list[Stage]:
    """Return the stages of a training: one, or one per level with the least noisy first.

    The first of N networks gets ``first_factor`` times the steps of each other one.
    """
    training, levels = experiment.training, experiment.levels
    if not experiment.network.per_level:
        return [Stage(0, training.steps, None, training.lr)]
    shares = [training.first_factor] + [1.0] * (levels - 1)
    bounds = [0]
    for j in range(levels):
        fair = round(training.steps * sum(shares[: j + 1]) / sum(shares))
        # Rounding must not leave a network without a step.
        bounds.append(min(max(fair, bounds[-1] + 1), training.steps - (levels - 1 - j)))
    return [
        Stage(
            bounds[j], bounds[j + 1], levels - 1 - j, training.first_lr if j == 0 else training.lr
        )
        for j in range(levels)
    ]


def learning_rate(experiment: Experiment, stage: Stage, step: int) -> float:
    """Return the learning rate of gradient step ``step`` (from 0).

    Its decay restarts in every stage.
    """
    training, done = experiment.training, step - stage.start
    match training.decay:
        case "step":
            return stage.lr * training.decay_factor ** (done // training.decay_every)
        case "cosine":
            return stage.lr * (1 + math.cos(math.pi * done / (stage.stop - stage.start))) / 2
        case _:
            return stage.lr
