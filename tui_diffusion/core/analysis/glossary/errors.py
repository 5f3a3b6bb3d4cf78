"""The parts of a sample's error, and the growth of errors."""

from __future__ import annotations

from .entry import GlossaryEntry

ERRORS = (
    GlossaryEntry(
        "start",
        "Part of the sample's error that goes away when sampling starts from the true noisiest "
        "level.",
        "error − error(exact start)",
        "0, within its ±. Negative if this error made up for another.",
        keys=("start",),
    ),
    GlossaryEntry(
        "network",
        "Part of the sample's error that goes away when the ideal denoiser takes the network's "
        "place.",
        "error(exact start) − error(exact start, ideal denoiser)",
        "0: train longer, or a larger network, where it is the main part.",
        keys=("network",),
    ),
    GlossaryEntry(
        "discretisation",
        "Part of the error that remains with an exact start and the ideal denoiser: the steps "
        "are too few, or their rule is too coarse.",
        "error(exact start, ideal denoiser)",
        "0: more sampling.levels or a better sampling.sampler where it is the main part.",
        keys=("discretisation",),
    ),
    GlossaryEntry(
        "of it guidance",
        "Part of the discretisation that more steps do not take away: guidance leads the points "
        "away from the distribution of the data.",
        "distance(end of the guided ODE of exact denoisers, exact distribution)",
        "Grows with sampling.guidance; 0 at 1, and for a guide that is only weaker.",
    ),
    GlossaryEntry(
        "total",
        "The whole error of a sample; start, network and discretisation sum to it.",
        "energy distance(sample, exact distribution), without bias",
        "0 within chance; it may be slightly negative.",
        keys=("total",),
    ),
    GlossaryEntry(
        "chance",
        "The error that as many true points reach by chance alone. Behind ±, how far chance moves"
        " a part from one sample to the next. Both are two std.",
        "2·√Var(energy distance)",
        "A part within its ± is drawn grey: it may be 0.",
        also=("±", "± by chance", "true points score"),
        keys=("chance",),
    ),
    GlossaryEntry(
        "start distance",
        "Energy distance between the start of sampling and the true noisiest level.",
        "2·E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖",
        "0.",
        also=("start is off by", "start good"),
        keys=("distance",),
    ),
    GlossaryEntry(
        "signal at the start",
        "The remaining signal of the data at level 0, relative to the noise.",
        "α_0 · std of the data / σ_0",
        "Near 0: then pure noise is the right start.",
        keys=("signal",),
    ),
    GlossaryEntry(
        "error after its step",
        "How large an error of 1 in eps_hat at this level is after the step made with it.",
        "‖change of x(level k + 1)‖ / ‖change of eps_hat‖;  DDPM: β/(√(1 − ᾱ)·√(1 − β))",
        "Small. A β of 0.999 makes it 31.6: there the network has to be right.",
        also=("eps error x", "after its step"),
        keys=("amplification",),
    ),
    GlossaryEntry(
        "error in the sample",
        "The size of that error in the sample, when the ideal denoiser takes all later steps.",
        "‖change of x(level N)‖ / ‖change of eps_hat‖",
        "Small: later steps correct what early ones did.",
        also=("in the end x", "in the sample"),
        keys=("amplification_out",),
    ),
    GlossaryEntry(
        "evaluations",
        "How often sampling calls the denoiser; each call is one pass through the network, which "
        "is what a sample costs. A sampler may call it more than once a step.",
        "steps × evaluations of a step",
        "As few as give an error at the level of true points.",
        unit="calls a point",
        keys=("evaluations",),
    ),
    GlossaryEntry(
        "ideal",
        "The error of a sample from the ideal denoiser with the same sampler, levels and noise: of "
        "the start and the steps alone. As an energy distance is a square, it falls by 2 to the "
        "power of twice the sampler's order when the steps double.",
        "energy distance(sample of the ideal denoiser, exact distribution)",
        "Within chance of 0. What the network has above it is the network's fault.",
        keys=("ideal",),
    ),
)
