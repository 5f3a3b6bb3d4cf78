"""The protocol of steppers, which take training steps and return their losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class Stepper(Protocol):
    """The training steps of one body of a network, on a block of batches.

    The caller writes the block to ``features`` (places, inputs, batch) and ``targets``
    (places, d, batch). ``note`` tells the user of a fallback; it is mostly empty.
    """

    features: Tensor
    targets: Tensor
    note: str

    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        """Take the steps of the block from ``first`` on; return their losses, before each step.

        Each step has a learning rate and a blend: the weight of the new parameters in their
        average.
        """
        ...

    def state(self) -> dict[str, Tensor]:
        """Return the optimizer's state by torch's names for it: ``<parameter>.<name>``."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore a saved `state`; the weights are those of the body."""
        ...
