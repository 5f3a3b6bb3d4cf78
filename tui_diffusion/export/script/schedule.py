"""The noise levels of a script: core.schedules. The templates are in core.parts.schedules."""

from __future__ import annotations

from string import Template

from ...core.config.experiment import Experiment
from ...core.parts.schedules import SCHEDULE_PARTS
from .text import listed

_BETAS = """alpha_bars = torch.cumprod(1 - betas, dim=0)
# From here on noisiest first: level 0 is nearly pure noise, level N is clean
N = len(betas)
betas = betas.flip(0)
alpha_bars = torch.cat((alpha_bars.flip(0), torch.ones(1)))
alphas, sigmas = alpha_bars.sqrt(), (1 - alpha_bars).sqrt()  # x = alpha x0 + sigma eps
"""


def schedule_part(experiment: Experiment) -> str:
    """Return the levels of sampling, which are also those of training for a fixed-level network."""
    schedule = experiment.schedule
    # A network that handles every level trains without a schedule; sampling may have its own.
    levels = experiment.sampling.levels or schedule.levels
    part = SCHEDULE_PARTS[schedule.kind]
    return Template(part.script + (_BETAS if part.in_betas else "")).substitute(
        {**schedule.model_dump(), "levels": levels, "betas": listed(list(schedule.betas))}
    )
