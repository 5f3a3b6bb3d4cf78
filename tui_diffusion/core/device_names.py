"""The devices of this machine by name, and the check of one that a script asks for."""

from __future__ import annotations

from contextlib import suppress

import torch

from .arguments import expected


def available_devices() -> list[str]:
    """Return the names of the devices that this machine and this torch have."""
    names = ["cpu"]
    if torch.cuda.is_available():
        names += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return names


def device_from(given: torch.device | str) -> torch.device:
    """Return the device that is given; raise TypeError or ValueError if there is none like it."""
    if not isinstance(given, torch.device | str | int):
        raise expected("device", "a torch.device or its name", given)
    with suppress(RuntimeError):  # a name that torch does not know
        device = torch.device(given)
        if device.type == "cpu":
            return device  # without a look for a GPU
        if (device.type, device.index or 0) in map(_key, available_devices()):
            return device
    allowed = ", ".join(available_devices())
    raise ValueError(f"device: {str(given)!r} is not available; allowed: {allowed}")


def _key(name: str) -> tuple[str, int]:
    device = torch.device(name)
    return device.type, device.index or 0
