"""One reverse step of each sampler: a pure function of (x, level, denoiser, z, previous).

z ~ N(0, I), of x's shape, is an argument, so that a step can be repeated, shared between samplers
and compared. A sampler of two noises takes them side by side, z of shape (n, 2d). ``previous`` is
the last step, None at the first; multistep samplers use it, and some use ``previous.previous``.

The probability-flow ODE (Song et al. 2021, Karras et al. 2022) states how a point moves when its
level changes: dx = x0_hat dα + eps_hat dσ. Between two levels α and σ may follow any path; here
both are linear. The variable is then σ on Karras' schedule (α = 1), and t on the flow's.
"""

from __future__ import annotations

from .ancestral import dpm2_ancestral, dpmpp_2s_ancestral, euler_ancestral
from .chains import ddim, ddpm, naive
from .churn import edm_stochastic
from .langevin import langevin, predictor_corrector
from .multistep import deis, dpmpp_2m, lms
from .one_step import dpm2, euler, heun
from .sde import dpmpp_2m_sde, dpmpp_3m_sde, dpmpp_sde, euler_maruyama
from .step import Sampler, Step
from .unipc import unipc

__all__ = [
    "Sampler",
    "Step",
    "ddim",
    "ddpm",
    "deis",
    "dpm2",
    "dpm2_ancestral",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_2s_ancestral",
    "dpmpp_3m_sde",
    "dpmpp_sde",
    "edm_stochastic",
    "euler",
    "euler_ancestral",
    "euler_maruyama",
    "heun",
    "langevin",
    "lms",
    "naive",
    "predictor_corrector",
    "unipc",
]
