"""The samplers. Their mathematics, one reverse step each, is in `core.samplers`."""

from __future__ import annotations

from dataclasses import dataclass

from .diffusers import SCHEDULERS
from .papers import HO, KARRAS
from .part import Part, by_name


@dataclass(frozen=True, kw_only=True)
class SamplerPart(Part):
    """A sampler; its function is a `core.samplers.Sampler`.

    ``methods`` are the compatible methods; if empty, all are. ``formula`` is the step. A sampler
    that ``looks_back`` depends on that many earlier steps: it receives the previous one, which
    leads to those before. ``noises`` is the number of independent noises of a step; z has shape (n,
    noises·d). A sampler with ``trained_levels`` can only use the levels of the training; one that
    ``needs_signal`` cannot start at a level with α = 0.

    ``scheduler`` is the name of the scheduler of diffusers that takes the step, in place of a
    function. ``needs`` are the packages without which there is none.

    ``order`` is the order of convergence p: without noise, the error over N steps falls as N^−p. It
    is None for a sampler that does not follow the probability-flow ODE. ``evaluations`` is the
    number of calls of the denoiser in one step. With a method in ``biased_with``, the sample does
    not tend to the data, even from the ideal denoiser.

    ``script`` is the body of ``denoise(x, k)`` in an exported script, the step from level k to
    k + 1, in terms of ``alphas`` and ``sigmas``. ``$estimates(x, k)`` returns x0_hat and eps_hat;
    ``$quiet`` is a line that draws z; ``$eta`` and ``$variance`` stand for those fields.
    ``script_before`` is code that precedes it. Without ``script`` no script is exported.
    """

    methods: tuple[str, ...] = ()
    formula: str
    looks_back: int = 0
    noises: int = 1
    trained_levels: bool = False
    needs_signal: bool = False
    scheduler: str = ""
    needs: tuple[str, ...] = ()
    order: int | None = None
    evaluations: int = 1
    biased_with: tuple[str, ...] = ()
    script: str = ""
    script_before: str = ""


_ODE = "follow the probability-flow ODE"

_ADDED = """\
    scale = alphas[k] / alphas[k + 1]
    added = (sigmas[k] ** 2 - (scale * sigmas[k + 1]) ** 2).clamp_min(0)  # variance of a step
"""

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
    SamplerPart(
        name="ddpm",
        function="ddpm",
        help="draw from the Gaussian posterior",
        uses=("variance", "quiet"),
        papers=(HO,),
        formula="x ← α'·x0_hat + a·σ'²/σ·eps_hat + √b·σ'/σ·z, with a = α/α', b = σ² − a²σ'²",
        script='''\
    """Algorithm 2 of Ho et al. 2020, for any pair of levels."""
    x0_hat, eps_hat = $estimates(x, k)
'''
        + _ADDED
        + """\
    mean = alphas[k + 1] * x0_hat + scale * sigmas[k + 1] ** 2 / sigmas[k] * eps_hat
    $quiet
    return mean + $variance.sqrt() * z
""",
    ),
    SamplerPart(
        name="ddim",
        function="ddim",
        help="with eta times its noise",
        order=1,
        uses=("eta", "quiet"),
        papers=("Song, Meng and Ermon 2021: Denoising Diffusion Implicit Models. ICLR.",),
        formula="x ← α'·x0_hat + √(σ'² − s²)·eps_hat + s·z, with s = η·σ'/σ·√(σ² − (α/α')²·σ'²)",
        script='''\
    """DDIM (Song et al. 2021, eq. 12) with eta = $eta."""
    x0_hat, eps_hat = $estimates(x, k)
'''
        + _ADDED
        + """\
    spread = $eta * sigmas[k + 1] / sigmas[k] * added.sqrt()
    rest = (sigmas[k + 1] ** 2 - spread**2).clamp_min(0).sqrt()
    $quiet
    return alphas[k + 1] * x0_hat + rest * eps_hat + spread * z
""",
    ),
    SamplerPart(
        name="euler",
        function="euler",
        help=_ODE,
        order=1,
        formula="x ← x + (α' − α)·x0_hat + (σ' − σ)·eps_hat",
        script='''\
    """An Euler step of the probability-flow ODE (Song et al. 2021)."""
    x0_hat, eps_hat = $estimates(x, k)
    return x + (alphas[k + 1] - alphas[k]) * x0_hat + (sigmas[k + 1] - sigmas[k]) * eps_hat
''',
    ),
    SamplerPart(
        name="heun",
        function="heun",
        help=_ODE,
        order=2,
        evaluations=2,
        papers=(KARRAS,),
        formula="an Euler step x + (α' − α)·x0_hat + (σ' − σ)·eps_hat, taken again with the mean "
        "of the estimates here and there",
        script='''\
    """Heun's step (Karras et al. 2022, Algorithm 1); the last, to clean data, is Euler's."""
    x0_hat, eps_hat = $estimates(x, k)
    da, ds = alphas[k + 1] - alphas[k], sigmas[k + 1] - sigmas[k]
    x_next = x + da * x0_hat + ds * eps_hat
    if k < N - 1:
        x0_ahead, eps_ahead = $estimates(x_next, k + 1)
        x_next = x + da * (x0_hat + x0_ahead) / 2 + ds * (eps_hat + eps_ahead) / 2
    return x_next
''',
    ),
    SamplerPart(
        name="dpm++2m",
        function="dpmpp_2m",
        help=_ODE,
        order=2,
        papers=(
            "Lu et al. 2022: DPM-Solver++: Fast Solver for Guided Sampling of Diffusion "
            "Probabilistic Models.",
        ),
        formula="x ← (σ'/σ)·x + (α' − α·σ'/σ)·D, with D = x0_hat + (x0_hat − the one before)·"
        "h/(2·h before), h the growth of ln(α/σ)",
        looks_back=1,
        script='''\
    """DPM-Solver++(2M) (Lu et al. 2022, Algorithm 2): it looks one step back."""
    x0_hat, _ = $estimates(x, k)
    estimate = x0_hat
    if 0 < k < N - 1:
        h, h_before = (growth[j + 1] - growth[j] for j in (k, k - 1))
        estimate = x0_hat + (x0_hat - x0_hats[k - 1]) * h / (2 * h_before)
    x0_hats[k] = x0_hat
    shrink = sigmas[k + 1] / sigmas[k]
    return shrink * x + (alphas[k + 1] - alphas[k] * shrink) * estimate
''',
        script_before="""
growth = torch.log(alphas / sigmas)
x0_hats = {}  # x0_hat of every step
""",
    ),
    *(SamplerPart(**about) for about in SCHEDULERS),
)
"""Every sampler by its name in a configuration."""
