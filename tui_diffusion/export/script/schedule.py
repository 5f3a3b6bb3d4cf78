"""Script templates for the noise levels: core.schedules."""

from __future__ import annotations

from string import Template

from ...core.config.experiment import Experiment
from .text import listed

_BETAS = """alpha_bars = torch.cumprod(1 - betas, dim=0)
# From here on noisiest first: level 0 is nearly pure noise, level N is clean
N = len(betas)
betas = betas.flip(0)
alpha_bars = torch.cat((alpha_bars.flip(0), torch.ones(1)))
alphas, sigmas = alpha_bars.sqrt(), (1 - alpha_bars).sqrt()  # x = alpha x0 + sigma eps
"""

SCHEDULES = {
    "karras": Template(
        """
# Noise levels, noisiest first and clean last (Karras et al. 2022): x = x0 + sigma eps
sigma_min, sigma_max, rho = $sigma_min, $sigma_max, $rho
N = $levels
t = torch.linspace(0, 1, N, dtype=torch.float64)
sigmas = (sigma_max ** (1 / rho) + t * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho
sigmas = torch.cat((sigmas, torch.zeros(1)))
alphas = torch.ones(N + 1)
"""
    ),
    "beta": Template(
        """
# Noise levels (Ho et al. 2020): the variance that each step adds, least noisy first
betas = torch.tensor(
    $betas,
    dtype=torch.float64,
)
"""
        + _BETAS
    ),
    "karras-beta": Template(
        """
# Noise levels (Ho et al. 2020): the variance that each step adds, least noisy first
beta_min, beta_max, rho = $beta_min, $beta_max, $rho
t = torch.linspace(0, 1, $levels, dtype=torch.float64)
betas = (beta_min ** (1 / rho) + t * (beta_max ** (1 / rho) - beta_min ** (1 / rho))) ** rho
"""
        + _BETAS
    ),
    "flow": Template(
        """
# Noise levels, noisiest first and clean last (Liu et al. 2022): x = (1 - t) x0 + t eps
N = $levels
t = torch.linspace(1, 0, N + 1, dtype=torch.float64) ** $rho
alphas, sigmas = 1 - t, t
"""
    ),
    "linear-beta": Template(
        """
# Noise levels (Ho et al. 2020): the variance that each step adds, least noisy first
betas = torch.linspace($beta_min, $beta_max, $levels, dtype=torch.float64)
"""
        + _BETAS
    ),
    "cosine": Template(
        """
# Noise levels (Nichol and Dhariwal 2021): the variance that each step adds, least noisy first
u = torch.linspace(0, 1, $levels + 1, dtype=torch.float64)
curve = torch.cos(torch.pi / 2 * (u + 0.008) / 1.008) ** 2
betas = (1 - curve[1:] / curve[:-1]).clamp_max(0.999)
"""
        + _BETAS
    ),
}


def schedule_part(experiment: Experiment) -> str:
    """Return the levels of sampling, which are also those of training for a fixed-level network."""
    schedule = experiment.schedule
    # A network that handles every level trains without a schedule; sampling may have its own.
    levels = experiment.sampling.levels or schedule.levels
    return SCHEDULES[schedule.kind].substitute(
        {**schedule.model_dump(), "levels": levels, "betas": listed(list(schedule.betas))}
    )
