"""Options, state and memory layout of torch's optimizers, shared by the steppers.

The fused kernels of torch take all parameters in one call. The steppers lay the parameters out in
rows of memory: one for the weights, one for their average, and one for each moment of Adam.
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
"""The options of the kernel ``_fused_sgd_``, with the defaults of torch.optim.SGD."""

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
"""The kernel of each adaptive optimizer, and its options with the defaults of torch.optim."""


def state_of(moments: Iterable[Sequence[Tensor]], count: Tensor) -> dict[str, Tensor]:
    """Return Adam's moments and step count of every parameter by torch's names: ``0.exp_avg``."""
    state: dict[str, Tensor] = {}
    for name, values in zip(("exp_avg", "exp_avg_sq"), moments, strict=False):
        for index, value in enumerate(values):
            state |= {f"{index}.{name}": value, f"{index}.step": count}
    return state


def padded(count: int, multiple: int) -> int:
    """Return ``count`` rounded up to a multiple."""
    return -(-count // multiple) * multiple


def split(row: Tensor, shapes: Sequence[torch.Size], multiple: int) -> list[Tensor]:
    """Split a row of memory into tensors of ``shapes``; each begins at a ``multiple`` of floats."""
    parts = torch.split(row, [padded(shape.numel(), multiple) for shape in shapes])
    return [part[: s.numel()].view(s) for part, s in zip(parts, shapes, strict=True)]
