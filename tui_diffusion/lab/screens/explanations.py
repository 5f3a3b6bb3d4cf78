"""Explanations of an experiment: its formulas, what to look for now, and the papers.

The formulas are those of the core's docstrings; a prime marks the next, cleaner level.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...core.config.experiment import Experiment
from ...core.config.presets import PRESETS, base_of
from ...core.config.titles import matching_preset
from ...core.config.value_types import format_value
from ...core.text import threads_text
from ..session.records import SessionState, Training
from ..workspace import Workspace

# --- formulas --------------------------------------------------------------------------------

_BETAS = "ᾱₜ = Π(1 − βₛ) over s ≤ t"

SCHEDULES = {
    "karras": "σᵢ = (σ_max^(1/ρ) + i/(N−1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ, and σ_N = 0",
    "beta": f"β₁ … β_N as listed, least noisy first; {_BETAS}",
    "karras-beta": "βᵢ = (β_min^(1/ρ) + i/(N−1)·(β_max^(1/ρ) − β_min^(1/ρ)))^ρ; " + _BETAS,
    "linear-beta": f"β evenly spaced from β_min to β_max; {_BETAS}",
    "cosine": "ᾱ(u) = cos²(π/2·(u + s)/(1 + s))/ᾱ(0), s = 0.008, every β at most 0.999",
    "flow": "t_k = (1 − k/N)^ρ, from 1 to 0",
}

NOISING = {"karras": "x = x₀ + σ·ε", "flow": "x = (1 − t)·x₀ + t·ε"}
"""Noising by schedule; every other schedule has betas."""

METHODS = {
    "naive": "net(x, σᵢ) → σᵢ₊₁·ε, which is the post's n·σᵢ₊₁/σᵢ for the noise n = σᵢ·ε",
    "naive-exact": "net(x, σᵢ) → (σᵢ − σᵢ₊₁)·ε, exactly one level of the noise",
    "ddpm": "net(x, αₜ) → ε, with αₜ = 1 − βₜ; eps_hat = net",
    "edm": "x0_hat = m + c_skip·(x − m) + c_out·net(c_in·(x − m), ln σ) → x₀, with "
    "c_in = 1/√(σ² + s²), c_skip = s²·c_in², c_out = σ·s·c_in, where m and s are the data's mean "
    "and std; training draws ln σ ~ N(noise_mean, noise_std²)",
    "flow": "net(x, t) → ε − x₀, the velocity; training draws ln(t/(1 − t)) ~ N(noise_mean, "
    "noise_std²)",
}
"""The target of the network, by method."""

LOSSES = {
    "sum": "Σ‖net − target‖² over the batch",
    "norm": "√Σ‖net − target‖² over the batch",
    "mean": "mean of (net − target)² over batch and coordinates",
}

_DDPM = "x ← (x − βₜ/√(1 − ᾱₜ)·eps_hat)/√(1 − βₜ) + "

SAMPLERS = {
    "naive": "x ← x − net(x, σᵢ)",
    "ddpm": "x ← α'·x0_hat + a·σ'²/σ·eps_hat + √b·σ'/σ·z, with a = α/α', b = σ² − a²σ'²",
    "ddim": "x ← α'·x0_hat + √(σ'² − s²)·eps_hat + s·z, with s = η·σ'/σ·√(σ² − (α/α')²·σ'²)",
    "euler": "x ← x + (α' − α)·x0_hat + (σ' − σ)·eps_hat",
    "heun": "an Euler step x + (α' − α)·x0_hat + (σ' − σ)·eps_hat, taken again with the mean of "
    "the estimates here and there",
    "dpm++2m": "x ← (σ'/σ)·x + (α' − α·σ'/σ)·D, with D = x0_hat + (x0_hat − the one before)·"
    "h/(2·h before), h the growth of ln(α/σ)",
}


def formulas(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Yield name and formula, in the order of use."""
    kind, sampling = experiment.schedule.kind, experiment.sampling
    yield "levels", SCHEDULES[kind]
    yield "noising", NOISING.get(kind, "x = √ᾱ·x₀ + √(1 − ᾱ)·ε")
    yield "learns", METHODS[experiment.method.name]
    yield "loss", LOSSES[experiment.training.loss]
    yield "step", _step(experiment)
    if sampling.repeats:
        yield "", f"and the last step {sampling.repeats} times more"


def _step(experiment: Experiment) -> str:
    """Return the sampler's rule; for DDPM on betas, in the notation of the paper."""
    sampling = experiment.sampling
    if sampling.sampler != "ddpm":
        return SAMPLERS[sampling.sampler]
    posterior = sampling.variance == "posterior"
    if experiment.schedule.kind in NOISING:
        rule = SAMPLERS["ddpm"] if posterior else SAMPLERS["ddpm"].replace("√b·σ'/σ·z", "√b·z")
    else:
        added = "√β̃ₜ·z, β̃ₜ = βₜ·(1 − ᾱₜ₋₁)/(1 − ᾱₜ)" if posterior else "√βₜ·z"
        rule = _DDPM + added
    return f"{rule}; z = 0 in the last {sampling.quiet}" if sampling.quiet else rule


# --- papers ----------------------------------------------------------------------------------

_PAPERS = {
    "Ho, Jain and Abbeel 2020: Denoising Diffusion Probabilistic Models. NeurIPS.":
        ("ddpm", "beta", "linear-beta"),
    "Nichol and Dhariwal 2021: Improved Denoising Diffusion Probabilistic Models. ICML.":
        ("cosine",),
    "Karras, Aittala, Aila and Laine 2022: Elucidating the Design Space of Diffusion-Based "
    "Generative Models. NeurIPS.": ("karras", "karras-beta", "edm", "heun", "naive-exact"),
    "Liu, Gong and Liu 2022: Flow Straight and Fast: Learning to Generate and Transfer Data with "
    "Rectified Flow.": ("flow",),
    "Esser et al. 2024: Scaling Rectified Flow Transformers for High-Resolution Image Synthesis. "
    "ICML.": ("flow",),
    "Song, Meng and Ermon 2021: Denoising Diffusion Implicit Models. ICLR.": ("ddim",),
    "Lu et al. 2022: DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic "
    "Models.": ("dpm++2m",),
}  # fmt: skip
"""The papers, each with the methods, schedules and samplers that it introduced."""


def papers(experiment: Experiment) -> list[str]:
    """Return the papers behind the method, schedule and sampler, the post's script first."""
    used = {experiment.method.name, experiment.schedule.kind, experiment.sampling.sampler}
    sources = [paper for paper, parts in _PAPERS.items() if used & {*parts}]
    preset = base_of(experiment)
    if preset.script:
        sources.insert(0, f"Bouvier 2024: Introduction to Diffusion Models; {preset.script}.py.")
    return sources


# --- what to look for ------------------------------------------------------------------------

BEFORE = {
    "naive-1d": "Press ← from the clean end: the spike at 1 drowns in noise, ten levels of it. A "
    "network will have to find the way back, one level at a time.",
    "naive-2d": "Press ←: the spot at (−1, 1) grows into a cloud around itself. Sampling, however, "
    "starts from a cloud around the origin; after training, level 0 shows how far off that is.",
    "naive-multimodal": "Press ← through twenty levels: four spots become one cloud. There a point "
    "no longer shows which mode it came from, and on the way back it has to choose one.",
    "ddpm-1d": "Press ←: alpha_bar falls to almost 0, and with it the mean from 1 to 0, while the "
    "std grows to 1. The greatest beta, 0.999, removes almost all of the remaining signal.",
    "ddpm-1d-per-level": "There are eight betas, and a network for each. Press ← to level 0: "
    "alpha_bar is still 0.024, so the mean there is 0.15 and not 0; sampling accounts for that.",
    "ddpm-multimodal": "Press ← through twenty levels: the four spots shrink towards the origin "
    "while noise grows about them, until nothing tells them apart.",
    "ddpm-1d-detailed": "Press v to pdf and cdf, then ← and →: density, integral, mean and std of "
    "every level are exact. None of it needs a network.",
    "edm-1d": "Press ←: forty levels from sigma 0.001 to 2, crowded at the clean end, where the "
    "data's own width of 0.01 lies.",
    "edm-multimodal": "Press ←: sigma goes up to 5, far beyond the data, so that pure noise is the "
    "right start. The picture keeps the data large; - shows all of the noise.",
    "edm-moons": "Press ←: where the two arcs blur into each other, a point's arc can only be "
    "guessed. The clean estimate (v) shows the best guess there is.",
    "edm-swiss-roll": "Press ←: neighbouring turns of the spiral merge first, the whole becomes a "
    "disc next, then a round cloud.",
    "edm-checkerboard": "Press ←: the corners round off at the first levels, then the squares "
    "merge. Sampling restores these features in reverse order.",
    "edm-spirals": "Press ←: the arms run together from the middle outwards, where they are "
    "closest.",
    "edm-drawing": "Press ←: the spots grow until they touch, then lines run together, then the "
    "whole is a cloud. Where spots touch, a point has to choose one on the way back.",
    "flow-multimodal": "Press ←: every point moves in a straight line from the data to its own "
    "noise, as x is (1 − t)·x₀ + t·ε. The way back bends, as the network predicts only averages.",
    "flow-moons": "Press ←: the arcs shrink as the noise grows, and at t = 1 nothing is left of "
    "them. Because these paths are straight, few steps are enough on the way back.",
}
"""What to look for before training, by experiment: the points are noised true data."""

DURING = {
    "naive-1d": "At the clean end a flat heap becomes a spike at 1, soon narrower than the data's. "
    "The raw loss flickers: each step draws one level, and the levels' losses differ in size.",
    "naive-2d": "Points drawn about the origin at first move to (−1, 1): watch mean and std close "
    "in on the exact ones below them.",
    "naive-multimodal": "One cloud at the clean end splits into four. The learning rate falls by "
    "5 % every 100 steps, and the smoothed loss fluctuates less.",
    "ddpm-1d": "The noisy levels are learned at once, the clean ones last: there the output must "
    "go from −2 to 2 while x changes by a few hundredths. The std at the end falls slowly.",
    "ddpm-1d-per-level": "The least noisy level comes first and takes 20,000 steps; upright lines "
    "mark where the next network takes over. Levels not yet taught send the points astray.",
    "ddpm-multimodal": "Four clouds form early and sharpen late: the clean levels take longest. "
    "The close-up (v) shows how wide the spikes are by now.",
    "ddpm-1d-detailed": "Nine networks, one after another, the first with 25,000 of the 41,000 "
    "steps; upright lines mark their turns.",
    "edm-1d": "The target has unit variance at every level, so the loss begins near 1. The std at "
    "the clean end comes within a few percent before the training is over.",
    "edm-multimodal": "Four spots are there early; the rest of the time goes into their width. The "
    "points are drawn with an average of the last hundred weights or so, calmer than the latest.",
    "edm-moons": "First a cloud with the data's outline, then two arcs, thick, then as thin as the "
    "data. The averaged weights improve most as the learning rate nears 0.",
    "edm-swiss-roll": "The outer turn shows first, the inner ones last, where turns are close "
    "together.",
    "edm-checkerboard": "Stripes appear first, then squares; edges and corners sharpen last.",
    "edm-spirals": "The outer ends of the arms show first; near the middle the two separate last.",
    "edm-drawing": "A blot appears first, then the outline as a line, and finally the spots along "
    "it. The ddpm sampler adds fresh noise at every level, which moves points between two spots to "
    "one of them.",
    "flow-multimodal": "Four spots are there early, with points strung out between them; the "
    "bridges grow thinner to the end.",
    "flow-moons": "A joint outline of both arcs appears first, then each arc; the points between "
    "them become fewer until the end.",
}
"""What to look for during training, by experiment."""


_OTHER_DATA = (
    "Press ←: the data blur, level by level, until nothing tells them from noise. The clean "
    "estimate (v) shows what can still be known of them at each.",
    "At the clean end the outline of the data appears first, small and sharp features last.",
    "Press i for the ideal denoiser, from the same noise: where its points differ, the network has "
    "more to learn.",
)
"""What to look for before, during and after training, if the settings match no preset."""


def moments(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Yield headlines and texts on the current state of the experiment, the most urgent first."""
    experiment, training = workspace.experiment, workspace.training
    preset = base_of(experiment)
    if training is not None and training.state is SessionState.DIVERGED:
        yield "Diverged", _diverged(training)
    elif training is not None and training.state is SessionState.FAILED:
        error = training.error or "The training failed."
        yield "Failed", f"{error} The settings are unchanged; press t to train again."
    elif training is not None and training.snapshot is not None and workspace.trained() is None:
        yield (
            "Changed since it was trained",
            "The settings no longer fit the trained network, so the points are true data again. "
            "t trains a network for these settings.",
        )
    if workspace.source_ideal:
        yield (
            "You see the ideal denoiser",
            "It knows the data and takes E[x₀ | x] at every step: no network does better. Any "
            "error left comes from the start or from the steps. i goes back.",
        )
    if cause(experiment, "mean"):
        yield "Set the start as well", cause(experiment, "mean")
    before, during, after = BEFORE[preset.id], DURING[preset.id], preset.look_for
    if matching_preset(experiment) is None:
        before, during, after = _OTHER_DATA
    trained = workspace.trained()
    match trained.state if trained is not None else None:
        case None if training is not None and training.state.active:
            yield "About to train, look for", during
        case None:
            yield "Before training, look for", before
        case SessionState.LOADING | SessionState.TRAINING:
            yield "While it trains, look for", during
        case SessionState.PAUSED:
            yield "Paused, p goes on; look for", during
        case SessionState.STOPPED:
            yield "It was stopped early; look for", f"{during} When it is done: {after}"
        case SessionState.FINISHED:
            yield "After training, look for", after


_NAIVE_STD = (
    "Too small, by the post's own rule: its target σᵢ₊₁·ε leaves n·(1 − σᵢ₊₁/σᵢ) of the noise n, "
    "less than the next level has, so points contract onto the mean. Set method.name to "
    "naive-exact, press s for the exact start as well, and train again."
)
_NAIVE_START = (
    "naive-exact keeps the post's start: points begin around 0 and not around the data's mean, "
    "and end short of it (at 0.987 for 1 in one dimension). s starts from the exact noisiest "
    "level; that needs no new training."
)


def cause(experiment: Experiment, name: str) -> str:
    """Return why a number of the sample is off if the method is known to cause it, else ''."""
    method, exact = experiment.method.name, experiment.sampling.start == "exact"
    if method == "naive" and name == "std" and len(experiment.data.means) == 1:
        return _NAIVE_STD  # with several modes, the std measures their distance
    about_start = name in ("mean", "std", "start off by")
    return _NAIVE_START if method == "naive-exact" and not exact and about_start else ""


def where(training: Training | None) -> str:
    """Return the device and threads of a training with the reason, or '' if unknown."""
    if training is None or not training.reason:
        return ""
    threads = f", {threads_text(training.threads)}" if training.threads else ""
    return f"{training.device}{threads}: {training.reason}."


def _diverged(training: Training) -> str:
    """Return what has happened and how to fix it."""
    lr = training.experiment.training.lr
    preset = PRESETS.get(training.experiment.name)
    default = preset.experiment.training.lr if preset is not None else lr
    text = (
        f"The loss of step {training.step:,} is not finite: every step went further past the "
        f"lowest point than the one before. training.lr is {format_value(lr)}"
    )
    text += f", the preset's {format_value(default)}. " if lr != default else ". "
    return text + "Lower it, for example to a tenth, and press t. The last finite weights are kept."


def seen(workspace: Workspace, source: str, level: int, levels: int) -> str:
    """Return what the points on the screen are, at level 0 to ``levels``."""
    where = "the noisiest level" if level == 0 else "clean" if level == levels else "in between"
    whose = {
        "forward": "true data, noised",
        "ideal": "the ideal denoiser's",
        "network": "the network's",
    }[source]
    training = workspace.trained()
    if source == "network" and training is not None and training.times_floor is not None:
        whose += f", whose loss is {training.times_floor:.3g} times its floor"
    return f"Level {level} of {levels}, {where}: the points are {whose}."
