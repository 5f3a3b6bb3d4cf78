"""What a training that diverged says of itself; loads no torch."""

from __future__ import annotations

from math import isfinite


def what_diverged(last_loss: float, step: int) -> str:
    """Return ``the loss of step 12 is not finite``, or that the weights after it are not.

    ``last_loss`` is that of ``step``. It is finite if a training was stopped between an overflow of
    its weights and the loss that would have shown it, or if the weights of its guide diverged.
    """
    what = "weights after step {} are" if isfinite(last_loss) else "loss of step {} is"
    return f"the {what.format(f'{step:,}')} not finite"
