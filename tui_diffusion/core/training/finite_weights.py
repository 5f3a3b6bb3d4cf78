"""The last finite weights of a training, which it ends with if it diverges."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


class FiniteWeights:
    """The weights in training, ``tensors``, with the last finite values that were kept of them."""

    def __init__(self) -> None:
        self.tensors: Sequence[Tensor] = ()
        self._kept = torch.empty(0)

    def _now(self) -> tuple[Tensor, bool]:
        """Return all weights as one tensor, and whether they are finite, in one transfer."""
        now = torch.cat([weight.flatten() for weight in self.tensors])
        return now, math.isfinite(torch.linalg.vector_norm(now, math.inf))

    def finite(self) -> bool:
        """Return whether all weights are finite."""
        return self._now()[1]

    def keep(self) -> None:
        """Keep the values of the weights if they are finite."""
        now, finite = self._now()
        if finite:
            self._kept = now

    def restore(self, tensors: Sequence[Tensor] | None = None) -> None:
        """Set the weights, or other ``tensors`` of the same shapes, to the values that were kept.

        A restored state may never have had finite weights: then nothing changes.
        """
        if not len(self._kept):
            return
        tensors = self.tensors if tensors is None else tensors
        parts = torch.split(self._kept, [weight.numel() for weight in tensors])
        for weight, kept in zip(tensors, parts, strict=True):
            weight.copy_(kept.view_as(weight))

    def forget(self) -> None:
        """Forget the values that were kept."""
        self._kept = torch.empty(0)
