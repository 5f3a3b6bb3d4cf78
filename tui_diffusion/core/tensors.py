"""Helpers for tensors on a device."""

from __future__ import annotations

from torch import Tensor


def placed(value: Tensor | float, like: Tensor) -> Tensor:
    """Return a value as a tensor with the dtype and device of ``like``.

    A number is filled in on the device: copying it there would make the host wait for the device.
    """
    if isinstance(value, Tensor) and (value.dim() or value.device == like.device):
        return value.to(like)
    return like.new_full((), float(value))
