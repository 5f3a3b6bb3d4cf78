"""The noise schedules. Their mathematics is in `core.schedules`."""

from __future__ import annotations

from dataclasses import dataclass

from .papers import ESSER, HO, KARRAS, LIU, NICHOL
from .part import Part, by_name


@dataclass(frozen=True, kw_only=True)
class SchedulePart(Part):
    """A schedule; its function takes fields of the section and returns a `Schedule`.

    ``methods`` are the compatible methods. ``formula`` defines the levels, ``noising`` is the
    formula of a noisy point. A schedule ``in_betas`` is defined by the variance β that each step
    adds, so that alpha² + sigma² = 1. One of ``pure_noise`` begins with alpha = 0. ``script`` is
    the code of an exported script. It defines N, alphas and sigmas, noisiest first; for a schedule
    in betas it defines only betas, least noisy first. ``$FIELD`` stands for a field of the section,
    ``$levels`` for the levels of sampling. Without ``script``, no script is exported.
    """

    methods: tuple[str, ...]
    formula: str
    noising: str = "x = √ᾱ·x₀ + √(1 − ᾱ)·ε"
    in_betas: bool = False
    pure_noise: bool = False
    script: str = ""


_ALPHA_BAR = "ᾱₜ = Π(1 − βₛ) over s ≤ t"

SCHEDULE_PARTS = by_name(
    SchedulePart(
        name="karras",
        function="karras",
        help="sigmas of Karras et al. 2022",
        methods=("naive", "naive-exact", "edm", "flow"),
        uses=("levels", "sigma_min", "sigma_max", "rho"),
        papers=(KARRAS,),
        formula="σᵢ = (σ_max^(1/ρ) + i/(N−1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ, and σ_N = 0",
        noising="x = x₀ + σ·ε",
        script="""
# Noise levels, noisiest first and clean last (Karras et al. 2022): x = x0 + sigma eps
sigma_min, sigma_max, rho = $sigma_min, $sigma_max, $rho
N = $levels
t = torch.linspace(0, 1, N, dtype=torch.float64)
sigmas = (sigma_max ** (1 / rho) + t * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho
sigmas = torch.cat((sigmas, torch.zeros(1)))
alphas = torch.ones(N + 1)
""",
    ),
    SchedulePart(
        name="beta",
        function="from_betas",
        help="a list of betas",
        methods=("ddpm",),
        uses=("betas",),
        papers=(HO,),
        formula=f"β₁ … β_N as listed, least noisy first; {_ALPHA_BAR}",
        in_betas=True,
        script="""
# Noise levels (Ho et al. 2020): the variance that each step adds, least noisy first
betas = torch.tensor(
    $betas,
    dtype=torch.float64,
)
""",
    ),
    SchedulePart(
        name="karras-beta",
        function="karras_betas",
        help="betas in the shape of Karras' sigmas",
        methods=("ddpm",),
        uses=("levels", "beta_min", "beta_max", "rho"),
        papers=(KARRAS,),
        formula=f"βᵢ = (β_min^(1/ρ) + i/(N−1)·(β_max^(1/ρ) − β_min^(1/ρ)))^ρ; {_ALPHA_BAR}",
        in_betas=True,
        script="""
# Noise levels (Ho et al. 2020): the variance that each step adds, least noisy first
beta_min, beta_max, rho = $beta_min, $beta_max, $rho
t = torch.linspace(0, 1, $levels, dtype=torch.float64)
betas = (beta_min ** (1 / rho) + t * (beta_max ** (1 / rho) - beta_min ** (1 / rho))) ** rho
""",
    ),
    SchedulePart(
        name="linear-beta",
        function="linear_betas",
        help="evenly spaced betas",
        methods=("ddpm",),
        uses=("levels", "beta_min", "beta_max"),
        papers=(HO,),
        formula=f"β evenly spaced from β_min to β_max; {_ALPHA_BAR}",
        in_betas=True,
        script="""
# Noise levels (Ho et al. 2020): the variance that each step adds, least noisy first
betas = torch.linspace($beta_min, $beta_max, $levels, dtype=torch.float64)
""",
    ),
    SchedulePart(
        name="cosine",
        function="cosine",
        help="of Nichol and Dhariwal 2021",
        methods=("ddpm", "edm", "flow"),
        uses=("levels",),
        papers=(NICHOL,),
        formula="ᾱ(u) = cos²(π/2·(u + s)/(1 + s))/ᾱ(0), s = 0.008, every β at most 0.999",
        in_betas=True,
        script="""
# Noise levels (Nichol and Dhariwal 2021): the variance that each step adds, least noisy first
u = torch.linspace(0, 1, $levels + 1, dtype=torch.float64)
curve = torch.cos(torch.pi / 2 * (u + 0.008) / 1.008) ** 2
betas = (1 - curve[1:] / curve[:-1]).clamp_max(0.999)
""",
    ),
    SchedulePart(
        name="flow",
        function="flow",
        help="alpha = 1 - t, sigma = t",
        methods=("edm", "flow"),
        uses=("levels", "rho"),
        pure_noise=True,
        papers=(LIU, ESSER),
        formula="t_k = (1 − k/N)^ρ, from 1 to 0",
        noising="x = (1 − t)·x₀ + t·ε",
        script="""
# Noise levels, noisiest first and clean last (Liu et al. 2022): x = (1 - t) x0 + t eps
N = $levels
t = torch.linspace(1, 0, N + 1, dtype=torch.float64) ** $rho
alphas, sigmas = 1 - t, t
""",
    ),
)
"""Every schedule by its name in a configuration."""
