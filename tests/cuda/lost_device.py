"""The program with a device that is lost in mid-training: ``python lost_device.py HOW ARGUMENT…``.

``assert``: a kernel fails an assertion, after which CUDA refuses every further call. ``abort``: a
library ends the process. On a CPU the same lines are written and the same error is raised.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import torch

from tui_diffusion import program
from tui_diffusion.core.training.trainer import Progress, Trainer

STEPS = 50
LINE = b"IndexKernel.cu:94: operator(): block: [0,0,0], thread: [0,0,0] Assertion failed.\n"
"""What the driver writes to the file of standard errors, past Python."""


def lose(device: torch.device) -> None:
    """Fail on the device, as asked for."""
    if HOW == "abort":
        os.write(2, b"terminate called after throwing an instance of 'c10::Error'\n")
        os.abort()
    if device.type == "cuda":
        values, beyond = torch.zeros(1, device=device), torch.tensor([9], device=device)
        values[beyond].sum().item()
    os.write(2, 64 * LINE)  # one for each thread of the kernel
    raise RuntimeError("CUDA error: device-side assert triggered\nCompile with TORCH_USE_CUDA_DSA")


def run(trainer: Trainer, **how: object) -> Iterator[Progress]:
    """Train until the device is lost."""
    for progress in usual(trainer, **how):
        yield progress
        if progress.step >= STEPS:
            lose(trainer.device)


if __name__ == "__main__":
    HOW = sys.argv.pop(1)
    usual, Trainer.run = Trainer.run, run
    program.main()
