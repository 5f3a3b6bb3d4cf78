"""The samplers that follow the probability-flow ODE, by number of evaluations and order."""

from __future__ import annotations

from .methods import METHOD_PARTS
from .papers import KARRAS, LU, LU_PLUS
from .sampler_part import SamplerPart

ADDED = """\
    scale = alphas[k] / alphas[k + 1]
    added = (sigmas[k] ** 2 - (scale * sigmas[k + 1]) ** 2).clamp_min(0)  # variance of a step
"""

REST = """\
    rest = (alphas[k] / alphas[k + 1] * sigmas[k + 1] / sigmas[k]).clamp_max(1)  # of the noise
"""

HISTORY = """
growth = torch.log(alphas / sigmas)
x0_hats = {}  # x0_hat of every step
"""

WEIGHTS = '''

def weights(positions, moments):
    """Return w such that the sum of w_j f(v_j) is the integral of f, for polynomials f."""
    powers = torch.stack([positions**n for n in range(len(positions))])
    return torch.linalg.solve(powers, moments[: len(positions)])

'''

BETWEEN_LEVELS = tuple(name for name, part in METHOD_PARTS.items() if part.any_level)
"""The methods of which a sampler may ask for an estimate between the levels."""

ODE_SAMPLERS = (
    SamplerPart(
        name="euler",
        function="euler",
        help="the ODE in first order, to compare others with",
        order=1,
        formula="x ← x + (α' − α)·x0_hat + (σ' − σ)·eps_hat",
        script='''\
    """An Euler step of the probability-flow ODE (Song et al. 2021)."""
    x0_hat, eps_hat = $estimates(x, k)
    return x + (alphas[k + 1] - alphas[k]) * x0_hat + (sigmas[k + 1] - sigmas[k]) * eps_hat
''',
    ),
    SamplerPart(
        name="ddim",
        function="ddim",
        help="euler with eta times the noise of ddpm",
        order=1,
        uses=("eta", "quiet"),
        papers=("Song, Meng and Ermon 2021: Denoising Diffusion Implicit Models. ICLR.",),
        formula="x ← α'·x0_hat + √(σ'² − s²)·eps_hat + s·z, with s = η·σ'/σ·√(σ² − (α/α')²·σ'²)",
        script='''\
    """DDIM (Song et al. 2021, eq. 12) with eta = $eta."""
    x0_hat, eps_hat = $estimates(x, k)
'''
        + ADDED
        + """\
    spread = $eta * sigmas[k + 1] / sigmas[k] * added.sqrt()
    rest = (sigmas[k + 1] ** 2 - spread**2).clamp_min(0).sqrt()
    $quiet
    return alphas[k + 1] * x0_hat + rest * eps_hat + spread * z
""",
    ),
    SamplerPart(
        name="heun",
        function="heun",
        help="the ODE in second order, two evaluations, robust",
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
        name="dpm2",
        function="dpm2",
        help="the ODE in second order, two evaluations, one of them halfway",
        methods=BETWEEN_LEVELS,
        order=2,
        evaluations=2,
        papers=(LU, KARRAS),
        formula="x ← α'·x/α + (σ' − α'·σ/α)·eps_hat at xₘ = αₘ·x0_hat + σₘ·eps_hat, with αₘ = "
        "√(α·α'), σₘ = √(σ·σ')",
        script='''\
    """DPM-Solver-2 (Lu et al. 2022); the last step, to clean data, is Euler's."""
    x0_hat, eps_hat = $estimates(x, k)
    x_next = alphas[k + 1] * x0_hat + sigmas[k + 1] * eps_hat
'''
        + REST
        + """\
    if rest > 1e-6:
        alpha, sigma = (alphas[k] * alphas[k + 1]).sqrt(), (sigmas[k] * sigmas[k + 1]).sqrt()
        x0_middle, _ = $estimates_at(alpha * x0_hat + sigma * eps_hat, alpha, sigma)
        change = (x0_hat - x0_middle) * alpha / sigma  # of eps_hat
        x_next = x_next + (sigmas[k + 1] - sigmas[k] * alphas[k + 1] / alphas[k]) * change
    return x_next
""",
    ),
    SamplerPart(
        name="dpm++2m",
        function="dpmpp_2m",
        help="the ODE in second order, one evaluation, for 10 levels or more",
        order=2,
        papers=(LU_PLUS,),
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
        script_before=HISTORY,
    ),
    SamplerPart(
        name="lms",
        function="lms",
        help="the ODE with a cubic over four steps, one evaluation, for 10 levels or more",
        order=4,
        looks_back=3,
        papers=(KARRAS,),
        formula="x ← α'·(x/α + Σⱼ wⱼ·eps_hatⱼ) over the last four steps, wⱼ = ∫ Lⱼ(s) ds from s = "
        "σ/α to σ'/α', Lⱼ the polynomial that is 1 at sⱼ and 0 at the others",
        script='''\
    """Adams-Bashforth in sigma/alpha: a cubic through the noise of the last four steps."""
    repeated = k in eps_hats
    x0_hat, eps_hats[k] = $estimates(x, k)
    x_next = alphas[k + 1] * x0_hat + sigmas[k + 1] * eps_hats[k]
    used = [j for j in range(k, max(k - 4, -1), -1) if alphas[j] > 0]
    if len(used) > 1 and not repeated:
        length = ratios[k + 1] - ratios[k]
        shares = weights((ratios[used] - ratios[k]) / length, 1 / torch.arange(1.0, 5.0).double())
        for j, share in zip(used[1:], shares[1:]):
            x_next = x_next + alphas[k + 1] * length * share * (eps_hats[j] - eps_hats[k])
    return x_next
''',
        script_before=WEIGHTS
        + """
ratios = sigmas / alphas
eps_hats = {}  # eps_hat of every step
""",
    ),
    SamplerPart(
        name="deis",
        function="deis",
        help="the ODE with a parabola over three steps, one evaluation, for the fewest levels",
        order=3,
        looks_back=2,
        papers=(
            "Zhang and Chen 2023: Fast Sampling of Diffusion Models with Exponential Integrator. "
            "ICLR.",
        ),
        formula="x ← α'·(x/α + Σⱼ wⱼ·eps_hatⱼ) over the last three steps, wⱼ = ∫ Lⱼ(ln s) ds from "
        "s = σ/α to σ'/α', Lⱼ the polynomial that is 1 at ln sⱼ and 0 at the others",
        script='''\
    """tAB-DEIS (Zhang and Chen 2023): a parabola in ln(sigma/alpha) through the noise."""
    x0_hat, eps_hats[k] = $estimates(x, k)
    x_next = alphas[k + 1] * x0_hat + sigmas[k + 1] * eps_hats[k]
    used = [j for j in range(k, max(k - 3, -1), -1) if alphas[j] > 0]
    if len(used) > 1 and k < N - 1:
        h = growth[k + 1] - growth[k]
        moments = [-torch.expm1(-h)]
        for n in (1, 2):
            moments.append(n * moments[-1] - h**n * torch.exp(-h))
        shares = weights(growth[used] - growth[k], torch.stack(moments))
        for j, share in zip(used[1:], shares[1:]):
            change = eps_hats[j] - eps_hats[k]
            x_next = x_next - alphas[k + 1] * sigmas[k] / alphas[k] * share * change
    return x_next
''',
        script_before=WEIGHTS
        + """
growth = torch.log(alphas / sigmas)
eps_hats = {}  # eps_hat of every step
""",
    ),
    SamplerPart(
        name="unipc",
        function="unipc",
        help="the ODE in third order, one evaluation, for 10 levels or more",
        order=3,
        looks_back=2,
        papers=(
            "Zhao et al. 2023: UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of "
            "Diffusion Models. NeurIPS.",
        ),
        formula="x ← x + α·(1 − e⁻ʰ)·((ρ − ½)·δ + (b₁ − ρ)·Δ), where x0_hat changed by Δ and was "
        "taken to change by δ; then x ← (σ'/σ)·x + (α' − α·σ'/σ)·(x0_hat + δ'/2)",
        script='''\
    """UniPC-2 (Zhao et al. 2023): correct the last step, then take one as DPM-Solver++(2M)."""
    x0_hat, _ = $estimates(x, k)
    x0_hats[k] = estimate = x0_hat
    if k > 0 and alphas[k - 1] > 0:
        h, change = growth[k] - growth[k - 1], x0_hat - x0_hats[k - 1]
        decay = -torch.expm1(-h)
        lacking = change / 2
        if k > 1 and alphas[k - 2] > 0:
            h_before = growth[k - 1] - growth[k - 2]
            expected = (x0_hats[k - 1] - x0_hats[k - 2]) * h / h_before
            b1 = 1 / decay - 1 / h
            rho = (b1 - 1 / decay + 2 * b1 / h) / (1 + h_before / h)
            lacking = (rho - 0.5) * expected + (b1 - rho) * change
        x = x + alphas[k] * decay * lacking
    if 0 < k < N - 1:
        h, h_before = (growth[j + 1] - growth[j] for j in (k, k - 1))
        estimate = x0_hat + (x0_hat - x0_hats[k - 1]) * h / (2 * h_before)
    shrink = sigmas[k + 1] / sigmas[k]
    return shrink * x + (alphas[k + 1] - alphas[k] * shrink) * estimate
''',
        script_before=HISTORY,
    ),
)
