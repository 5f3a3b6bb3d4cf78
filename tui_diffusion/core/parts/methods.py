"""The methods, each with the target of its network. Their mathematics is in `core.methods`."""

from __future__ import annotations

from dataclasses import dataclass

from .papers import ESSER, HO, KARRAS, LIU
from .part import Part, by_name


@dataclass(frozen=True, kw_only=True)
class MethodPart(Part):
    """A method, with its default schedule and sampler.

    ``learns`` is the formula of the network's output. The network of an ``any_level`` method covers
    every noise level, so that sampling may use any levels; the others cover only the levels of
    their training, and can be sampled on a subset of them. ``schedules`` are compatible besides
    those that name the method themselves.
    """

    title: str
    learns: str
    schedule: str
    sampler: str
    any_level: bool = False
    schedules: tuple[str, ...] = ()


METHOD_PARTS = by_name(
    MethodPart(
        name="naive",
        title="naive",
        help="remove one level as the post does",
        learns="net(x, σᵢ) → σᵢ₊₁·ε, which is the post's n·σᵢ₊₁/σᵢ for the noise n = σᵢ·ε",
        schedule="karras",
        sampler="naive",
    ),
    MethodPart(
        name="naive-exact",
        title="naive with the exact target",
        help="the same with the exact target, needs sampling.start = exact",
        learns="net(x, σᵢ) → (σᵢ − σᵢ₊₁)·ε, exactly one level of the noise",
        papers=(KARRAS,),
        schedule="karras",
        sampler="naive",
    ),
    MethodPart(
        name="ddpm",
        title="DDPM",
        help="predict the noise (Ho et al. 2020)",
        learns="net(x, αₜ) → ε, with αₜ = 1 − βₜ; eps_hat = net",
        papers=(HO,),
        schedule="beta",
        sampler="ddpm",
    ),
    MethodPart(
        name="edm",
        title="EDM",
        help="preconditioned denoising (Karras et al. 2022)",
        learns="x0_hat = m + c_skip·(x − m) + c_out·net(c_in·(x − m), ln σ) → x₀, with "
        "c_in = 1/√(σ² + s²), c_skip = s²·c_in², c_out = σ·s·c_in, where m and s are the data's "
        "mean and std; training draws ln σ ~ N(noise_mean, noise_std²)",
        papers=(KARRAS,),
        uses=("noise_mean", "noise_std"),
        schedule="karras",
        sampler="heun",
        any_level=True,
    ),
    MethodPart(
        name="flow",
        title="flow",
        help="the velocity from data to noise (Liu et al. 2022)",
        learns="net(x, t) → ε − x₀, the velocity; training draws ln(t/(1 − t)) ~ N(noise_mean, "
        "noise_std²)",
        papers=(LIU, ESSER),
        uses=("noise_mean", "noise_std"),
        schedule="flow",
        sampler="heun",
        any_level=True,
    ),
)
"""Every method by its name in a configuration."""
