"""The numbers of a noise level."""

from __future__ import annotations

from .entry import HO_2020, KARRAS_2022, GlossaryEntry

NOISE_LEVELS = (
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
        KARRAS_2022,
        unit="that of the data; for points of a file, the std of a column",
        also=("σ",),
        keys=("sigma",),
    ),
    GlossaryEntry(
        "sigma/alpha",
        "How noisy the points are at this level, in any schedule: the noise relative to the "
        "remaining signal.",
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
        HO_2020,
        also=("ᾱ",),
        keys=("alpha_bar",),
    ),
    GlossaryEntry(
        "beta",
        "Variance of the noise that the forward process adds on the way from the next cleaner "
        "level to this one.",
        "x_t = √(1 − β_t)·x_{t−1} + √β_t·ε",
        "Small steps are easy to undo; near 1 nearly everything is lost at once.",
        HO_2020,
    ),
    GlossaryEntry(
        "start off by",
        "Distance of the start of sampling from the true noisiest level, in that level's std. "
        "The part 'start' of the sample's error shows whether this harms the sample.",
        "energy distance(start, noisiest level) / std of the noisiest level",
        "Below 0.001 no sample shows the difference, and the title reads start good.",
        keys=("share",),
    ),
    GlossaryEntry(
        "playing",
        "The speed of the playback.",
        unit="levels/s",
    ),
    GlossaryEntry(
        "sub-steps",
        "The fraction of a level that each step of the view moves. Between levels, points are "
        "interpolated in straight lines.",
        "x = (1 − s)·x(level k) + s·x(level k + 1)",
    ),
)
