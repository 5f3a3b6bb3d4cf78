"""The devices that CUDA_VISIBLE_DEVICES leaves visible, by the rules of CUDA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .nvidia import Card

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Visible:
    """The visible devices in order: each an index of a card, or the UUID of a card or a slice.

    ``invalid`` is the first entry that names none; CUDA ignores it and all that follows. None if
    every entry names a device.
    """

    devices: tuple[int | str, ...]
    invalid: str | None = None


def visible(wanted: str | None, cards: Sequence[Card]) -> Visible:
    """Return the devices that a value of the variable shows; None, an unset one, shows all cards.

    An entry is an index, or a UUID or the beginning of one.
    """
    if wanted is None:
        return Visible(tuple(range(len(cards))))
    devices = list[int | str]()
    for entry in (part.strip() for part in wanted.split(",")):
        device = _device(entry, cards)
        if device is None:
            return Visible(tuple(devices), entry)
        devices.append(device)
    return Visible(tuple(devices))


def _device(entry: str, cards: Sequence[Card]) -> int | str | None:
    if entry.isdecimal() and entry.isascii():
        return int(entry) if int(entry) < len(cards) else None
    if not entry.startswith(("GPU-", "MIG-")):
        return None
    uuids = [card.uuid for card in cards if card.uuid]
    uuids += [part.uuid for card in cards for part in card.slices]
    # Old drivers name a slice by its card, MIG-GPU-…, which no list of theirs has.
    if not uuids or entry.startswith("MIG-GPU-"):
        return entry
    return next((uuid for uuid in uuids if uuid.startswith(entry)), None)
