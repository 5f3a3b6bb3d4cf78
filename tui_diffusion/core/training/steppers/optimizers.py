"""What every stepper knows of torch's optimizers: their options, state and memory.

The fused kernels of torch take all parameters in one call. The steppers lay them out in rows of
memory: one for the weights, one for their average, and one for each moment of Adam.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

SGD: Mapping[str, Any] = {
    "momentum": 0.0,
    "dampening": 0.0,
    "nesterov": False,
    "weight_decay": 0.0,
    "maximize": False,
    "is_first_step": False,
}
"""The options of ``_fused_sgd_``, those of torch.optim.SGD."""

_ADAM: Mapping[str, Any] = {
    "beta1": 0.9,
    "beta2": 0.999,
    "eps": 1e-8,
    "amsgrad": False,
    "maximize": False,
}

ADAM: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "adam": ("_fused_adam_", {**_ADAM, "weight_decay": 0.0}),
    "adamw": ("_fused_adamw_", {**_ADAM, "weight_decay": 0.01}),
}
"""The kernel of each adaptive optimizer, with the options of torch.optim."""


def state_of(moments: Iterable[Sequence[Tensor]], count: Tensor) -> dict[str, Tensor]:
    """Return Adam's moments of every parameter and its step count, by torch's names for them."""
    state: dict[str, Tensor] = {}
    for name, values in zip(("exp_avg", "exp_avg_sq"), moments, strict=False):
        for index, value in enumerate(values):
            state |= {f"{index}.{name}": value, f"{index}.step": count}
    return state


def padded(count: int, multiple: int) -> int:
    """Return ``count`` rounded up to a multiple."""
    return -(-count // multiple) * multiple


def split(row: Tensor, shapes: Sequence[torch.Size], multiple: int) -> list[Tensor]:
    """Split a row of memory into one tensor per parameter; each begins at a multiple of floats."""
    parts = torch.split(row, [padded(shape.numel(), multiple) for shape in shapes])
    return [part[: s.numel()].view(s) for part, s in zip(parts, shapes, strict=True)]
