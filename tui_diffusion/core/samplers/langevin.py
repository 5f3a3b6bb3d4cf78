"""Langevin dynamics: noise and the score at one level, which keep that level's distribution.

The score of p(x) is −eps_hat/σ. A step of size h σ² moves x by h σ²/2 · score + √h σ z. Song et al.
2021 set it by the signal-to-noise ratio of the two terms: h = (2 snr)², with the norms that these
have in the mean for noise alone, √d/σ and √d, so that points do not depend on each other.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..methods import Denoiser
from ..schedules import Level
from .chains import ddpm
from .step import Step, ends, step_of, two_noises


def langevin(
    x: Tensor,
    level: Level,
    denoiser: Denoiser,
    z: Tensor,
    previous: Step | None = None,
    *,
    step_size: float = 0.5,
) -> Step:
    """Return x' = x − (step_size/2) σ eps_hat + √step_size σ z, then taken for the next level's.

    Annealed Langevin dynamics, Song and Ermon 2019. The last step takes x0_hat (2020).
    """
    prediction = denoiser(x, level)
    _, sigma, alpha_next, sigma_next = ends(level)
    if not sigma_next:
        return step_of(x, level, prediction, alpha_next * prediction.x0_hat)
    mean = x - step_size / 2 * sigma * prediction.eps_hat
    return step_of(x, level, prediction, mean, step_size**0.5 * sigma * z)


def predictor_corrector(
    x: Tensor,
    level: Level,
    denoiser: Denoiser,
    z: Tensor,
    previous: Step | None = None,
    *,
    snr: float = 0.16,
) -> Step:
    """Correct x by a Langevin step at its level, then predict the next with `ddpm`, variance b.

    Song et al. 2021, Algorithm 2, with the reverse diffusion predictor. The corrector takes the
    first half of z (n, 2d), the predictor the second; the last step adds none of it.
    """
    prediction = denoiser(x, level)
    first, second = two_noises(x, z)
    _, sigma, _, sigma_next = ends(level)
    corrected = x - 2 * snr**2 * sigma * prediction.eps_hat + 2 * snr * sigma * first
    if not sigma_next:
        second = torch.zeros_like(second)
    step = ddpm(corrected, level, denoiser, second, posterior=False)
    return step_of(x, level, prediction, step.mean, step.noise)
