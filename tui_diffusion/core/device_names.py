"""The devices of this machine by name, and the check of one that a script asks for."""

from __future__ import annotations

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
    try:
        device = torch.device(given)
    except RuntimeError:
        device = None
    if device is not None and device.type == "cpu":
        return device
    names = available_devices()
    if device is None or (device.type, device.index or 0) not in map(_key, names):
        raise ValueError(f"device: {str(given)!r} is not available; allowed: {', '.join(names)}")
    return device


def _key(name: str) -> tuple[str, int]:
    device = torch.device(name)
    return device.type, device.index or 0
