"""Helpers for tensors on a device."""

from __future__ import annotations

from torch import Tensor


def placed(value: Tensor | float, like: Tensor) -> Tensor:
    """A value as a tensor of another's type and device.

    A number is filled in on the device, where a copy would have the host wait for all before it.
    """
    if isinstance(value, Tensor) and (value.dim() or value.device == like.device):
        return value.to(like)
    return like.new_full((), float(value))
