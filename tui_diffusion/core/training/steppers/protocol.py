"""The protocol of steppers, which take training steps and return their losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class Stepper(Protocol):
    """The training steps of one body of a network, on a block of batches.

    The caller writes the block, of at most ``capacity`` steps, to ``features`` (capacity, inputs,
    batch) and ``targets`` (capacity, d, batch). ``note`` is a message for the user if a slower
    fallback runs, else ''.
    """

    features: Tensor
    targets: Tensor
    note: str

    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        """Take ``len(rates)`` steps of the block, starting at index ``first``.

        Return the losses before each step, shape (len(rates),). Each step has a learning rate and a
        blend, which is the weight of the new parameters in their running average.
        """
        ...

    def state(self) -> dict[str, Tensor]:
        """Return the optimizer's state by torch's names for it: ``<parameter>.<name>``."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore a saved `state`; the weights are those of the body."""
        ...
