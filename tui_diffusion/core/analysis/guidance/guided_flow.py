"""What the guided ODE of exact denoisers generates.

With the denoisers of two mixtures, main p(x|c) and guide p(x), the probability-flow ODE of

    x0_hat = guide + w (main − guide)

carries the start to a density of its own. It is not the tilted density p(x|c)^w p(x)^(1−w)/Z: the
guided score at a level is that of the tilted density of the noised data there, which is not the
noised tilted density. For p(x) = N(0, 2) and p(x|c) = N(0, 1) and α = 1,

    d ln x/dσ = σ (w/(1 + σ²) − (w − 1)/(2 + σ²)),

so that a start N(0, σ_0²) ends with variance σ_0² (2 + σ_0²)^(w−1)/((1 + σ_0²)^w 2^(w−1)), which
tends to 2^(1−w), while the tilted density has 2/(w + 1).
"""

from __future__ import annotations

import math

from ...guidance import GuidedDenoiser
from ...methods import METHODS, IdealDenoiser
from ...mixtures import GaussianMixture
from ..likelihood.probability_flow import Flow, angle_of, jumps_of
from .even_samples import even_sample

SAMPLE_STEPS = 24
"""Steps of the ODE of a sample, which move no point of the data sets by more than 1e-4."""


def guided_flow(
    main: GaussianMixture,
    guide: GaussianMixture,
    weight: float,
    low: float = 0.0,
    high: float = math.inf,
    *,
    start: GaussianMixture,
    alpha: float,
    sigma: float,
) -> Flow:
    """Return the ODE of exact denoisers with guidance where ``low`` ≤ σ/α ≤ ``high``.

    It begins at level (alpha, sigma), where x follows ``start``.
    """
    method = METHODS["ddpm"]  # the estimates of exact denoisers are the same for every method
    denoiser = GuidedDenoiser(
        IdealDenoiser(main, method), IdealDenoiser(guide, method), weight, low, high
    )
    return Flow(
        denoiser,
        start,
        math.hypot(alpha, sigma),
        0.0,
        angle_of(alpha, sigma),
        min(main.narrowest, guide.narrowest),
        jumps=jumps_of(denoiser),
    )


def generated_mixture(
    flow: Flow, points: int, angle: float | None = None, steps: int = SAMPLE_STEPS
) -> GaussianMixture:
    """Return what an ODE generates, of unit α² + σ², as a mixture of points of equal weight.

    The points fill the start evenly; their number should be a power of 2.
    """
    x = even_sample(flow.start, points)
    return GaussianMixture(flow.generated(x, angle, steps), 0.0, has_modes=False)
