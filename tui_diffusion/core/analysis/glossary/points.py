"""The numbers of the points at a level, and of one point."""

from __future__ import annotations

from .entry import HO_2020, KARRAS_2022, GlossaryEntry

POINTS_AT_A_LEVEL = (
    GlossaryEntry(
        "mean",
        "Average of the points at this level, for each coordinate, in the data's own units; below "
        "it the exact one.",
        "x̄ = Σ x / n;  exact: α·mean of the data",
        "As near to the exact one as chance allows: within about 2·std/√n.",
        keys=("mean",),
    ),
    GlossaryEntry(
        "std",
        "Standard deviation of the points at this level, for each coordinate, in the data's own "
        "units; below it the exact one. For several modes it shows their distance, not their "
        "width.",
        "√(Σ (x − x̄)² / n);  exact: √(α²·var of the data + σ²)",
        "The exact one. Smaller: the points have contracted; larger: noise is left.",
        keys=("std",),
    ),
    GlossaryEntry(
        "squared distance to the nearest mode",
        "Squared distance of a point to the nearest mode, averaged: the post's measure. Below it "
        "is the score of as many true points. Points of a file are measured at unit size.",
        "mean over points of min_m ‖x − μ_m‖²",
        "The score of true points: d·std² where the data have narrow modes. Less means that the "
        "points are too close to the centres.",
        "Bouvier 2024",
        also=("mode²", "to mode²"),
        keys=("nearest_mode_distance",),
    ),
    GlossaryEntry(
        "energy distance",
        "How far the points are from the exact distribution, in position, width and shape. ± is "
        "how far chance moves it from one sample to the next (two std); below it is the score of "
        "as many true points, which is 0 on average (root mean square). At most 4,096 points "
        "count. Points of a file are measured at unit size, where each column has std 1.",
        "2·E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖, without bias and exact in Y",
        "0 within its ±; chance can make it negative. More points make the ± smaller.",
        "Székely and Rizzo 2013",
        also=("energy",),
        keys=("energy_distance",),
    ),
    GlossaryEntry(
        "energy distance of true points",
        "The score of as many true points, which is 0 on average: the root mean square.",
        "√(2·E[h²]/(n·(n − 1))), with h the distance of two points centred in both",
        "A sample that scores two or three times as much differs from the truth.",
        also=("real", "of real points"),
    ),
    GlossaryEntry(
        "sliced Wasserstein distance",
        "How far points have to be moved to become a true sample, averaged over 64 directions "
        "onto which both are projected.",
        "mean over directions of mean |sorted x·u − sorted y·u|",
        "About the score of true points.",
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
        "About the score of true points, near 0.",
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
    GlossaryEntry(
        "point",
        "The number of the followed point.",
        also=("◆",),
    ),
    GlossaryEntry("x", "The position of the followed point at this level."),
    GlossaryEntry(
        "x0_hat",
        "The denoiser's prediction of the point's clean data. Below it, the best possible "
        "prediction from the same x.",
        "x0_hat = (x − σ·eps_hat)/α;  ideal: E[x_0 | x]",
        "The ideal one. At high noise, that is rightly a blend of all the data.",
        KARRAS_2022,
    ),
    GlossaryEntry(
        "eps_hat",
        "The denoiser's prediction of the noise in the point, in units of sigma. Below it, the "
        "ideal one. The score is −eps_hat/σ.",
        "eps_hat = (x − α·x0_hat)/σ;  ideal: E[ε | x]",
        "The ideal one.",
        HO_2020,
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
        HO_2020,
    ),
)
