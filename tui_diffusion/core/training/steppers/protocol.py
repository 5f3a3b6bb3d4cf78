"""What a stepper is: it makes training steps and leaves their losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class Stepper(Protocol):
    """See the module's docstring.

    The block goes to ``features`` (places, inputs, batch) and ``targets`` (places, d, batch).
    ``note`` is what a person should know of how it steps, mostly nothing.
    """

    features: Tensor
    targets: Tensor
    note: str

    def run(
        self, first: int, rates: Sequence[float], blends: Sequence[float]
    ) -> NDArray[np.float32]:
        """Take the steps of the block from its ``first`` on; their losses, from before each step.

        Each has a learning rate, and its blend: the share of the way to the new weights that their
        average goes.
        """
        ...

    def state(self) -> dict[str, Tensor]:
        """The optimizer's state, named as torch's optimizers name it: ``<parameter>.<name>``."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a saved `state`; the weights are the body's own."""
        ...
