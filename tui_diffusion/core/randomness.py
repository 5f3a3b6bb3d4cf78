"""Independent random generators derived from one seed."""

from __future__ import annotations

import zlib

import numpy as np
import torch


def generator(seed: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """Return the generator of a seed for one purpose ("weights", "batches", "sampling", …).

    Purposes are independent, so that drawing samples never changes the training data.
    """
    words = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())]).generate_state(1)
    return torch.Generator(device=device).manual_seed(int(words[0]))
