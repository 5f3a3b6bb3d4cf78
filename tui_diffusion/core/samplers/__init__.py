"""One reverse step of each sampler: a pure function of (x, level, denoiser, z, previous).

z ~ N(0, I), of x's shape, is an argument, so that a step can be repeated, shared between samplers
and compared. A sampler of two noises takes them side by side, z of shape (n, 2d). ``previous`` is
the last step, None at the first; multistep samplers use it, and some use ``previous.previous``.

The probability-flow ODE (Song et al. 2021, Karras et al. 2022) states how a point moves when its
level changes: dx = x0_hat dα + eps_hat dσ. Between two levels α and σ may follow any path; here
both are linear. The variable is then σ on Karras' schedule (α = 1), and t on the flow's.
"""

from __future__ import annotations

from .chains import ddim, ddpm, naive
from .multistep import dpmpp_2m
from .one_step import euler, heun
from .step import Sampler, Step

__all__ = [
    "Sampler",
    "Step",
    "ddim",
    "ddpm",
    "dpmpp_2m",
    "euler",
    "heun",
    "naive",
]
