"""The learning rates and the blends of many trainings, as one table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config.experiment import Experiment
from ..stages import Stage, learning_rate


class Rates:
    """The learning rate of every step and cell, and the weight of new values in its average."""

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        training = [experiment.training for experiment in experiments]
        self._first = np.array([each.lr for each in training])
        self._average = np.array([each.average for each in training])
        # Most cells share their decay, of which a rate is a multiple.
        keys = [(each.decay, each.decay_factor, each.decay_every) for each in training]
        places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        self._decay = [places[key] for key in keys]
        self._decaying = list(dict(zip(keys, experiments, strict=True)).values())
        self._stage = Stage(0, training[0].steps, None, 1.0)

    def table(self, steps: range) -> Tensor:
        """Return the learning rates and the blends, (steps, 2, cells), float32."""
        rates = self._first * self._shares(steps)
        ages = np.array(steps, float)[:, None]
        blends = 1 - np.minimum(self._average, ages / (ages + 10))
        return torch.from_numpy(np.stack([rates, blends], 1).astype(np.float32))

    def _shares(self, steps: range) -> NDArray[np.float64]:
        """Return the decayed rate over the first one, (steps, cells)."""
        shares = [
            [learning_rate(experiment, self._stage, step) for experiment in self._decaying]
            for step in steps
        ]
        return np.array(shares)[:, self._decay]
