"""The samplers that add noise in every step, from the Gaussian chains to Langevin dynamics."""

from __future__ import annotations

from .ode_samplers import ADDED, BETWEEN_LEVELS, HISTORY, REST, WEIGHTS
from .papers import HO, KARRAS, LU, LU_PLUS, SONG
from .sampler_part import SamplerPart

_NOISE = "σ'·√(1 − r²)·z, with r = (σ'/α')/(σ/α)"

NOISY_SAMPLERS = (
    SamplerPart(
        name="ddpm",
        function="ddpm",
        help="draw from the Gaussian posterior, the original chain",
        uses=("variance", "quiet"),
        papers=(HO,),
        formula="x ← α'·x0_hat + a·σ'²/σ·eps_hat + √b·σ'/σ·z, with a = α/α', b = σ² − a²σ'²",
        script='''\
    """Algorithm 2 of Ho et al. 2020, for any pair of levels."""
    x0_hat, eps_hat = $estimates(x, k)
'''
        + ADDED
        + """\
    mean = alphas[k + 1] * x0_hat + scale * sigmas[k + 1] ** 2 / sigmas[k] * eps_hat
    $quiet
    return mean + $variance.sqrt() * z
""",
    ),
    SamplerPart(
        name="euler-ancestral",
        function="euler_ancestral",
        help="euler to less noise, then fresh noise, in effect ddpm",
        uses=("quiet",),
        papers=(SONG,),
        formula=f"x ← α'·x0_hat + σ'·r·eps_hat + {_NOISE}",
        script='''\
    """An Euler step to less noise, then fresh noise."""
    x0_hat, eps_hat = $estimates(x, k)
'''
        + REST
        + """\
    $quiet
    mean = alphas[k + 1] * x0_hat + sigmas[k + 1] * rest * eps_hat
    return mean + sigmas[k + 1] * (1 - rest**2).sqrt() * z
""",
    ),
    SamplerPart(
        name="dpm2-ancestral",
        function="dpm2_ancestral",
        help="dpm2 to less noise, then fresh noise, for 20 levels or more",
        evaluations=2,
        uses=("quiet",),
        papers=(LU, SONG),
        formula="x ← α'·x/α + (σ'·r − α'·σ/α)·eps_hat at α'·x0_hat + σ'·eps_hat on the next level, "
        f"+ {_NOISE}",
        script='''\
    """DPM-Solver-2 (Lu et al. 2022) to less noise, then fresh noise."""
    x0_hat, eps_hat = $estimates(x, k)
'''
        + REST
        + """\
    mean = alphas[k + 1] * x0_hat + sigmas[k + 1] * rest * eps_hat
    if k < N - 1 and rest > 1e-6:
        x0_ahead, _ = $estimates(alphas[k + 1] * x0_hat + sigmas[k + 1] * eps_hat, k + 1)
        mean = mean + alphas[k + 1] * (1 / rest - rest) * (x0_ahead - x0_hat)
    $quiet
    return mean + sigmas[k + 1] * (1 - rest**2).sqrt() * z
""",
    ),
    SamplerPart(
        name="dpm++2s-ancestral",
        function="dpmpp_2s_ancestral",
        help="two evaluations, then fresh noise, for 15 levels or more",
        evaluations=2,
        uses=("quiet",),
        papers=(LU_PLUS, SONG),
        formula="x ← (σ'/σ)·r·x + α'·(1 − r²)·x0_hat at α'·x0_hat + σ'·eps_hat on the next level, "
        f"+ {_NOISE}",
        script='''\
    """DPM-Solver++(2S) (Lu et al. 2022) to less noise, then fresh noise."""
    x0_hat, eps_hat = $estimates(x, k)
    x_next = alphas[k + 1] * x0_hat + sigmas[k + 1] * eps_hat
    if k < N - 1:
        x0_hat, _ = $estimates(x_next, k + 1)
'''
        + REST
        + """\
    $quiet
    mean = sigmas[k + 1] / sigmas[k] * rest * x + alphas[k + 1] * (1 - rest**2) * x0_hat
    return mean + sigmas[k + 1] * (1 - rest**2).sqrt() * z
""",
    ),
    SamplerPart(
        name="dpm++sde",
        function="dpmpp_sde",
        help="the SDE, two evaluations, one of them halfway, for 10 levels or more",
        methods=BETWEEN_LEVELS,
        evaluations=2,
        noises=2,
        uses=("quiet",),
        papers=(LU_PLUS,),
        formula="x ← (σ'/σ)·r·x + α'·(1 − r²)·x0_hat at xₘ, such a step to √(α·α') and √(σ·σ'), + "
        f"{_NOISE}",
        script='''\
    """DPM-Solver++ for the SDE; the noise of the whole step contains that of its first half."""
    x0_hat, _ = $estimates(x, k)
    $quiet
    first, z = z.chunk(2, dim=1)
'''
        + REST
        + """\
    if rest > 1e-6:
        alpha, sigma = (alphas[k] * alphas[k + 1]).sqrt(), (sigmas[k] * sigmas[k + 1]).sqrt()
        middle = sigma / sigmas[k] * rest.sqrt() * x + alpha * (1 - rest) * x0_hat
        x0_hat, _ = $estimates_at(middle + sigma * (1 - rest).sqrt() * first, alpha, sigma)
        z = (rest / (1 + rest)).sqrt() * first + (1 / (1 + rest)).sqrt() * z
    mean = sigmas[k + 1] / sigmas[k] * rest * x + alphas[k + 1] * (1 - rest**2) * x0_hat
    return mean + sigmas[k + 1] * (1 - rest**2).sqrt() * z
""",
    ),
    SamplerPart(
        name="dpm++2m-sde",
        function="dpmpp_2m_sde",
        help="the SDE, one evaluation, looking one step back, for 15 levels or more",
        looks_back=1,
        uses=("quiet",),
        papers=(LU_PLUS,),
        formula="x ← (σ'/σ)·r·x + α'·(1 − r²)·D, with D = x0_hat + (x0_hat − the one before)·"
        f"h/(2·h before), h the growth of ln(α/σ), + {_NOISE}",
        script='''\
    """SDE-DPM-Solver++(2M) (Lu et al. 2022): it looks one step back."""
    x0_hat, _ = $estimates(x, k)
    x0_hats[k] = estimate = x0_hat
    if 0 < k < N - 1:
        h, h_before = (growth[j + 1] - growth[j] for j in (k, k - 1))
        estimate = x0_hat + (x0_hat - x0_hats[k - 1]) * h / (2 * h_before)
'''
        + REST
        + """\
    $quiet
    mean = sigmas[k + 1] / sigmas[k] * rest * x + alphas[k + 1] * (1 - rest**2) * estimate
    return mean + sigmas[k + 1] * (1 - rest**2).sqrt() * z
""",
        script_before=HISTORY,
    ),
    SamplerPart(
        name="dpm++3m-sde",
        function="dpmpp_3m_sde",
        help="the SDE, one evaluation, looking two steps back, for 20 levels or more",
        looks_back=2,
        uses=("quiet",),
        papers=(LU_PLUS,),
        formula="x ← (σ'/σ)·r·x + α'·Σⱼ wⱼ·x0_hatⱼ over the last three steps, wⱼ = ∫ Lⱼ(λ)·2·"
        f"e^(2λ − 2λ') dλ, λ = ln(α/σ), + {_NOISE}",
        script='''\
    """DPM-Solver++(3M) for the SDE: a parabola in ln(alpha/sigma) through x0_hat."""
    x0_hat, _ = $estimates(x, k)
    x0_hats[k] = x0_hat
'''
        + REST
        + """\
    mean = sigmas[k + 1] / sigmas[k] * rest * x + alphas[k + 1] * (1 - rest**2) * x0_hat
    used = [j for j in range(k, max(k - 3, -1), -1) if alphas[j] > 0]
    if len(used) > 1 and k < N - 1:
        h = growth[k + 1] - growth[k]
        moments = [-torch.expm1(-2 * h)]
        for n in (1, 2):
            moments.append(h**n - n / 2 * moments[-1])
        shares = weights(growth[used] - growth[k], torch.stack(moments))
        for j, share in zip(used[1:], shares[1:]):
            mean = mean + alphas[k + 1] * share * (x0_hats[j] - x0_hat)
    $quiet
    return mean + sigmas[k + 1] * (1 - rest**2).sqrt() * z
""",
        script_before=WEIGHTS + HISTORY,
    ),
    SamplerPart(
        name="edm-stochastic",
        function="edm_stochastic",
        help="heun with new noise before each step, which corrects earlier errors",
        methods=BETWEEN_LEVELS,
        evaluations=2,
        uses=("s_churn", "s_min", "s_max", "s_noise"),
        papers=(KARRAS,),
        formula="x ← x + √(σ̂² − σ²)·s_noise·z, then a Heun step from σ̂ = σ·(1 + min(s_churn/N, "
        "√2 − 1)) while s_min ≤ σ/α ≤ s_max",
        script='''\
    """Karras et al. 2022, Algorithm 2: more noise, then Heun's step."""
    $quiet
    alpha, sigma = alphas[k], sigmas[k]
    churns = $s_min * alpha <= sigma <= $s_max * alpha
    raised = sigma * (1 + (min($s_churn / N, 2**0.5 - 1) if churns else 0.0))
    x = x + (raised**2 - sigma**2).sqrt() * $s_noise * z
    x0_hat, eps_hat = $estimates_at(x, alpha, raised)
    da, ds = alphas[k + 1] - alpha, sigmas[k + 1] - raised
    x_next = x + da * x0_hat + ds * eps_hat
    if k < N - 1:
        x0_ahead, eps_ahead = $estimates(x_next, k + 1)
        x_next = x + da * (x0_hat + x0_ahead) / 2 + ds * (eps_hat + eps_ahead) / 2
    return x_next
''',
    ),
    SamplerPart(
        name="euler-maruyama",
        function="euler_maruyama",
        help="the SDE in its plainest form, for 15 levels or more",
        uses=("quiet",),
        papers=(SONG, KARRAS),
        formula="x ← α'·x/α + 2·(σ' − α'·σ/α)·eps_hat + α'·√(2·s·(s − s'))·z, with s = σ/α; the "
        "last step takes x0_hat",
        script='''\
    """Euler-Maruyama for the reverse SDE in sigma/alpha; the last step takes x0_hat."""
    x0_hat, eps_hat = $estimates(x, k)
    mean, spread = alphas[k + 1] * x0_hat, sigmas[k + 1]
    if alphas[k] > 0 and k < N - 1:
        s, s_next = (sigmas[j] / alphas[j] for j in (k, k + 1))
        mean = mean + alphas[k + 1] * (2 * s_next - s) * eps_hat
        spread = alphas[k + 1] * (2 * s * (s - s_next).clamp_min(0)).sqrt()
    $quiet
    return mean + spread * z
''',
    ),
    SamplerPart(
        name="predictor-corrector",
        function="predictor_corrector",
        help="a Langevin step, then one of ddpm, for 20 levels or more",
        evaluations=2,
        noises=2,
        uses=("snr", "quiet"),
        papers=(SONG,),
        formula="x ← x − 2·snr²·σ·eps_hat + 2·snr·σ·z, then the ddpm step with the variance b = σ² "
        "− (α/α')²·σ'²",
        script='''\
    """Song et al. 2021, Algorithm 2: correct at this level, predict the next."""
    $quiet
    first, second = z.chunk(2, dim=1)
    _, eps_hat = $estimates(x, k)
    x = x - 2 * $snr**2 * sigmas[k] * eps_hat + 2 * $snr * sigmas[k] * first
    x0_hat, eps_hat = $estimates(x, k)
'''
        + ADDED
        + """\
    mean = alphas[k + 1] * x0_hat + scale * sigmas[k + 1] ** 2 / sigmas[k] * eps_hat
    return mean + added.sqrt() * second if k < N - 1 else mean
""",
    ),
    SamplerPart(
        name="langevin",
        function="langevin",
        help="Langevin steps while the noise falls, for hundreds of levels",
        uses=("snr", "quiet"),
        papers=(
            "Song and Ermon 2019: Generative Modeling by Estimating Gradients of the Data "
            "Distribution. NeurIPS.",
            "Song and Ermon 2020: Improved Techniques for Training Score-Based Generative Models. "
            "NeurIPS.",
        ),
        formula="x ← x − 2·snr²·σ·eps_hat + 2·snr·σ·z; the last step takes x0_hat",
        script='''\
    """Annealed Langevin dynamics (Song and Ermon 2019); the last step takes x0_hat."""
    x0_hat, eps_hat = $estimates(x, k)
    if k == N - 1:
        return alphas[N] * x0_hat
    $quiet
    return x - 2 * $snr**2 * sigmas[k] * eps_hat + 2 * $snr * sigmas[k] * z
''',
    ),
)
