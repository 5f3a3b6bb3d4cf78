"""The glossary: meaning, formula, desired value and source of every number.

The lab, ``evaluate`` and the README use this one glossary. Formulas are on x = α x_0 + σ ε;
expectations E run over points. Loads nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class GlossaryEntry:
    """A number by its name in the interface.

    ``also``: alternative names; ``keys``: its fields in the JSON of a report. ``good``: the desired
    value; ``unit``: the unit, if there is one; ``source``: the paper, if there is one.
    """

    name: str
    about: str
    formula: str = ""
    good: str = ""
    source: str = ""
    unit: str = ""
    also: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


_HO = "Ho, Jain and Abbeel 2020"
_KARRAS = "Karras et al. 2022"

_ENTRIES = (
    # --- a training ---------------------------------------------------------------------------
    GlossaryEntry(
        "step",
        "Gradient steps done, of the total. Each uses one fresh batch; the post calls them "
        "epochs. Beside the points, it is the step whose weights produced them.",
        "w ← w − lr · ∇loss(batch), for sgd",
        also=("steps trained",),
    ),
    GlossaryEntry(
        "steps a second",
        "How fast the training goes: gradient steps over the seconds spent in training.",
        "steps / seconds",
        "Thousands, for networks as small as these.",
        unit="steps/s",
    ),
    GlossaryEntry(
        "time left",
        "How long the rest of the training takes, at the speed so far.",
        "(steps − step) / steps a second",
        unit="minutes:seconds",
    ),
    GlossaryEntry(
        "time taken",
        "How long the training took; pauses do not count.",
        unit="seconds, or minutes:seconds",
        also=("time",),
    ),
    GlossaryEntry(
        "threads",
        "CPU threads that torch computes with; cpu ×1 in the status line is one, on the CPU. They "
        "are chosen for the work, unless OMP_NUM_THREADS says how many.",
        good="1 for a small network: handing work to a second costs more than it gains.",
    ),
    GlossaryEntry(
        "times its floor",
        "The latest losses, averaged, as a multiple of the least that is possible. The floor of "
        "narrow data is near 0, and a good training ends at tens of times it. Chance alone moves "
        "the number by some percent.",
        "loss / floor",
        "Near 1 the network knows all that can be known. Compares trainings of one experiment.",
    ),
    GlossaryEntry(
        "expected loss over its floor",
        "The loss that the network's weights have on average, as a multiple of the least that is "
        "possible. Unlike the latest losses, it hardly depends on chance.",
        "E[loss] / floor = 1 + excess / floor",
        "1 is perfect; never below. Compares networks that learn the same thing.",
        also=("expected / floor",),
    ),
    GlossaryEntry(
        "final loss",
        "Average of the last 100 losses of the training. Each is the loss of one batch and varies"
        " by chance.",
        good="Near the floor. Losses of different methods do not compare.",
    ),
    GlossaryEntry(
        "loss",
        "How wrong the network's output is over a batch, here smoothed over the latest steps. "
        "training.loss says how the batch is summed up.",
        "sum Σ‖net − target‖²; norm √Σ‖net − target‖²; mean Σ‖net − target‖²/(n·d)",
        "Near the floor, which is not 0. Losses of different methods do not compare.",
        _HO,
        also=("Loss",),
        keys=("loss",),
    ),
    GlossaryEntry(
        "floor",
        "The least loss that any network can reach. A noisy point does not tell which noise was "
        "drawn, so even the best possible output is off by this much.",
        "E‖target − E[target | x]‖², summed up like the loss",
        "Exact, and fixed by the data and the schedule: no training lowers it.",
        also=("least of any network",),
        keys=("floor",),
    ),
    GlossaryEntry(
        "excess",
        "The loss above its floor: what the network still has to learn at this level.",
        "loss − floor = E‖net − E[target | x]‖²",
        "0 is perfect; never below.",
        keys=("excess",),
    ),
    GlossaryEntry(
        "lr",
        "The current learning rate: how far a step follows the gradient. It may decay during the "
        "training (training.decay).",
        "w ← w − lr · ∇loss, for sgd",
        "If it is too high, the loss jumps or is no longer finite; if too low, it hardly falls.",
    ),
    GlossaryEntry(
        "network of level",
        "Networks for single levels train one after another; this is the level of the current one.",
    ),
    GlossaryEntry(
        "GPU load",
        "Share of the recent time in which the GPU was busy, with the work of any program.",
        good="Networks this small leave most of a GPU idle.",
        unit="percent",
    ),
    GlossaryEntry(
        "GPU memory",
        "Memory in use on the GPU by all programs together, of the total.",
        unit="GiB",
    ),
    # --- levels -------------------------------------------------------------------------------
    GlossaryEntry(
        "level",
        "The position between noise and data: level 0 is the noisiest, level N is clean. DDPM's t"
        " is N minus the level. As in the papers, x_0 is the clean data and not level 0.",
        "x = α_k·x_0 + σ_k·ε at level k = 0 … N;  σ_N = 0",
        keys=("level",),
    ),
    GlossaryEntry(
        "sigma",
        "Standard deviation of the noise in the points at this level.",
        "σ in x = α·x_0 + σ·ε",
        "Far above the spread of the data, nothing of them is visible.",
        _KARRAS,
        unit="that of the data; for points of a file, the std of a column",
        also=("σ",),
        keys=("sigma",),
    ),
    GlossaryEntry(
        "sigma/alpha",
        "How noisy the points are at this level, whatever the schedule: the noise, in units of "
        "what is left of the data.",
        "σ/α in x/α = x_0 + (σ/α)·ε",
        "Two trainings at the same level may have different noise; this number compares them.",
    ),
    GlossaryEntry(
        "alpha",
        "The factor of the data at this level; 1 if noise is only added.",
        "α in x = α·x_0 + σ·ε;  α = √alpha_bar",
        keys=("alpha",),
    ),
    GlossaryEntry(
        "alpha_bar",
        "Share of the variance that is still the data's at this level, for data of unit "
        "variance; the rest is noise.",
        "ᾱ_t = Π_{s≤t} (1 − β_s) = α²;  σ² = 1 − ᾱ",
        "Near 0 at level 0, where sampling starts from pure noise; 1 when clean.",
        _HO,
        also=("ᾱ",),
        keys=("alpha_bar",),
    ),
    GlossaryEntry(
        "beta",
        "Variance of the noise that the forward process adds on the way from the next cleaner "
        "level to this one.",
        "x_t = √(1 − β_t)·x_{t−1} + √β_t·ε",
        "Small steps are easy to undo; near 1 nearly everything is lost at once.",
        _HO,
    ),
    GlossaryEntry(
        "start off by",
        "How far the noise that sampling starts from is from the true noisiest level, in that "
        "level's std. o shows whether this harms the sample; s starts from the exact level.",
        "energy distance(start, noisiest level) / std of the noisiest level",
        "Below 0.001 no sample shows the difference, and the title says start good.",
        keys=("share",),
    ),
    GlossaryEntry(
        "playing",
        "How many levels are played in a second; [ and ] change it.",
    ),
    GlossaryEntry(
        "sub-steps",
        "The fraction of a level that each step of the view moves; f changes it. Between levels, "
        "points are interpolated in straight lines.",
        "x = (1 − s)·x(level k) + s·x(level k + 1)",
    ),
    # --- points -------------------------------------------------------------------------------
    GlossaryEntry(
        "mean",
        "Average of the points at this level, a coordinate each, in the data's own units; below it "
        "the exact one.",
        "x̄ = Σ x / n;  exact: α·mean of the data",
        "As near to the exact one as chance allows: within about 2·std/√n.",
        keys=("mean",),
    ),
    GlossaryEntry(
        "std",
        "Standard deviation of the points at this level, a coordinate each, in the data's own "
        "units; below it the exact one. For several modes it tells their distance, not their "
        "width.",
        "√(Σ (x − x̄)² / n);  exact: √(α²·var of the data + σ²)",
        "The exact one. Smaller: the points have contracted; larger: noise is left.",
        keys=("std",),
    ),
    GlossaryEntry(
        "squared distance to the nearest mode",
        "Squared distance of a point to the nearest mode, averaged: the post's measure. Below it "
        "what as many true points score. Points of a file are measured at unit size.",
        "mean over points of min_m ‖x − μ_m‖²",
        "What true points score: d·std² where the data have narrow modes. Less means that the "
        "points are too close to the centres.",
        "Bouvier 2024",
        also=("mode²", "to mode²"),
        keys=("nearest_mode_distance",),
    ),
    GlossaryEntry(
        "energy distance",
        "How far the points are from the exact distribution, in position, width and shape. ± is "
        "how far chance moves it from one sample to the next (two std); below it stands what as "
        "many true points score, which is 0 on average (root mean square). At most 4,096 points "
        "count. Points of a file are measured at unit size, where each column has std 1.",
        "2·E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖, without bias and exact in Y",
        "0 within its ±; chance can make it negative. More points make the ± smaller.",
        "Székely and Rizzo 2013",
        also=("energy",),
        keys=("energy_distance",),
    ),
    GlossaryEntry(
        "energy distance of true points",
        "What as many true points score, which is 0 on average: the root mean square.",
        "√(2·E[h²]/(n·(n − 1))), with h the distance of two points centred in both",
        "A sample that scores two or three times as much differs from the truth.",
        also=("real", "of real points"),
    ),
    GlossaryEntry(
        "sliced Wasserstein distance",
        "How far points have to be moved to become a true sample, averaged over 64 directions "
        "onto which both are projected.",
        "mean over directions of mean |sorted x·u − sorted y·u|",
        "About what true points score.",
        "Bonneel et al. 2015",
        unit="that of the data; points of a file are measured at unit size",
        keys=("sliced_wasserstein",),
    ),
    GlossaryEntry(
        "mode weights",
        "Share of the points nearest to each mode.",
        "#{x nearest to μ_m} / n",
        "The weights of the mixture: a quarter each for the four Gaussians.",
        keys=("mode_weights",),
    ),
    GlossaryEntry(
        "mode weights, total variation",
        "How far the shares of the modes are from their weights: the share of points that would "
        "have to change mode.",
        "½·Σ_m |share of m − weight of m|",
        "About what true points score, near 0.",
        also=("mode weights (TV)",),
        keys=("mode_tv",),
    ),
    GlossaryEntry(
        "share off every mode",
        "Share of the points further than 5 std from every mode: lost between them.",
        "#{x: min_m ‖x − μ_m‖/s_m > 5} / n",
        "0: of true points hardly one in 100,000 is.",
        also=("off every mode",),
        keys=("off_mode",),
    ),
    GlossaryEntry(
        "std within a mode over the true one",
        "Width of the spikes, over the width they should have, among points that are on a mode.",
        "√(mean ‖x − centre of its mode‖² / d) / s",
        "1. Less: contracted; more: noise is left.",
        also=("std in mode / true",),
        keys=("in_mode_std_ratio",),
    ),
    GlossaryEntry(
        "points",
        "How many points are drawn, or denoised together (sampling.points).",
        keys=("points",),
    ),
    GlossaryEntry(
        "points not finite",
        "Points that sampling took beyond what float32 can hold. They are left out of every other "
        "measure.",
        good="0. Another sampler, more levels or a lower learning rate keep points finite.",
        keys=("not_finite",),
    ),
    GlossaryEntry(
        "of truth",
        "The ring in the plane holds this share of the exact distribution at this level.",
        "P(log p(x) above the ring's) = 95 %",
        "About one point in twenty should be outside.",
    ),
    GlossaryEntry(
        "integral",
        "The exact density of this level, integrated over the line: a check of the picture.",
        "∫ p_k(x) dx",
        "1 to six digits.",
    ),
    # --- one point ----------------------------------------------------------------------------
    GlossaryEntry(
        "point",
        "Which of the points is followed.",
        also=("◆",),
    ),
    GlossaryEntry("x", "The position of the followed point at this level."),
    GlossaryEntry(
        "x0_hat",
        "The denoiser's prediction of the point's clean data. Below it, the best possible "
        "prediction from the same x.",
        "x0_hat = (x − σ·eps_hat)/α;  ideal: E[x_0 | x]",
        "The ideal one. At high noise, that is rightly a blend of all the data.",
        _KARRAS,
    ),
    GlossaryEntry(
        "eps_hat",
        "The denoiser's prediction of the noise in the point, in units of sigma. Below it, the "
        "ideal one. The score is −eps_hat/σ.",
        "eps_hat = (x − α·x0_hat)/σ;  ideal: E[ε | x]",
        "The ideal one.",
        _HO,
    ),
    GlossaryEntry(
        "moves",
        "How far the denoiser moves the point in the step from this level to the next.",
        "mean of x(level k + 1) − x(level k)",
    ),
    GlossaryEntry(
        "noise",
        "The fresh noise that the step then adds; the next level is x + moves + noise.",
        "√β̃·z for DDPM, z ~ N(0, 1)",
        "0 for samplers that draw none, and in the last quiet steps.",
        _HO,
    ),
    # --- where the error comes from -------------------------------------------------------------
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
        "Energy distance between what sampling starts from and the true noisiest level.",
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
)

GLOSSARY: Mapping[str, GlossaryEntry] = {entry.name: entry for entry in _ENTRIES}
"""Every entry by its name, in the order of the README."""

_BY_NAME = {name: entry for entry in _ENTRIES for name in (entry.name, *entry.also)}
_BY_KEY = {key: entry for entry in _ENTRIES for key in entry.keys}


def meaning(name: str) -> GlossaryEntry:
    """Return the entry of a name shown in the lab; raise KeyError if it has none."""
    return _BY_NAME[name]


def of_key(key: str) -> GlossaryEntry:
    """Return the entry of a field in the JSON of a report; raise KeyError if it has none.

    ``…_real`` is the score of true points, ``…_chance`` the statistical error.
    """
    return _BY_KEY[key.removesuffix("_real").removesuffix("_chance")]
