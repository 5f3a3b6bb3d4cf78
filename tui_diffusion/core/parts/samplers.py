"""The samplers. Their mathematics, one reverse step each, is in `core.samplers`."""

from __future__ import annotations

from .diffusers import SCHEDULERS
from .noisy_samplers import NOISY_SAMPLERS
from .ode_samplers import ODE_SAMPLERS
from .part import by_name
from .sampler_part import SamplerPart

__all__ = ["SAMPLER_PARTS", "SamplerPart"]

SAMPLER_PARTS = by_name(
    SamplerPart(
        name="naive",
        function="naive",
        help="subtract the network's output",
        methods=("naive", "naive-exact"),
        biased_with=("naive",),
        formula="x ← x − net(x, σᵢ)",
        trained_levels=True,
        script='''\
    """Remove one level of noise."""
    return x - predict(x, k)
''',
    ),
    *ODE_SAMPLERS,
    *NOISY_SAMPLERS,
    *(SamplerPart(**about) for about in SCHEDULERS),
)
"""Every sampler by its name in a configuration, in the order of the choices."""
