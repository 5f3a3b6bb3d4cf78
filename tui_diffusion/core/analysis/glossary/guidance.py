"""Guidance: what a sample follows, and where guidance points."""

from __future__ import annotations

from .entry import KARRAS_2022, GlossaryEntry

_HO = "Ho and Salimans 2022"
_KARRAS_2024 = "Karras et al. 2024"
_DISTANCE = "unit of the data"

GUIDANCE = (
    GlossaryEntry(
        "label",
        "Class that is sampled: all, in proportion to their weights, or the number of one. The "
        "network is told the class of each point (network.labels).",
        keys=("label",),
    ),
    GlossaryEntry(
        "guidance",
        "Weight w of guidance, which moves the estimate of the network away from that of its "
        "guide. It sharpens the classes and loses variety.",
        "x0_hat = guide + w (network − guide)",
        "1: none. A few units make classes clear; more leaves the data.",
        _HO,
        keys=("guidance",),
    ),
    GlossaryEntry(
        "guide",
        "Denoiser that guidance leads away from: the network without the label (no-label, "
        "classifier-free guidance), or a smaller and younger network (own, or another run: "
        "autoguidance).",
        source=_KARRAS_2024,
        keys=("guide",),
    ),
    GlossaryEntry(
        "label dropout",
        "Share of the training points whose label is hidden, so that the network also learns the "
        "data as a whole, as the guide of classifier-free guidance.",
        good="About 0.1; none for a network that another run guides.",
        source=_HO,
        also=("hidden labels",),
    ),
    GlossaryEntry(
        "conditional",
        "Energy distance of the sample from p(x|c), the data of its class: what sampling without "
        "guidance aims at.",
        "energy distance(sample, p(x|c))",
        "With w = 1, that of true points. With more it grows: guidance leaves the data.",
        unit=_DISTANCE,
        keys=("conditional",),
    ),
    GlossaryEntry(
        "tilted",
        "Energy distance of the sample from the tilted density, whose score is the guided one. "
        "Guidance is often taken to sample it, and does not: the tilted densities of two noise "
        "levels are not noised versions of each other.",
        "energy distance(sample, p(x|c)^w p(x)^(1−w)/Z)",
        "No goal.",
        _HO,
        unit=_DISTANCE,
        keys=("tilted",),
    ),
    GlossaryEntry(
        "guided",
        "Energy distance of the sample from what the guided ODE of exact denoisers ends in, from "
        "the start of sampling: what guidance really does to the distribution.",
        "energy distance(sample, guided ODE);  x0_hat = guide + w (main − guide)",
        "That of true points. The rest is the fault of the networks or of the steps; noise in the "
        "steps leads elsewhere.",
        KARRAS_2022,
        unit=_DISTANCE,
        keys=("guided",),
    ),
    GlossaryEntry(
        "guidance angle",
        "Angle between the guidance of the networks at this level and what it should be: the exact "
        "guidance if the guide hides the label, or the exact correction of the network's error if "
        "the guide is only weaker.",
        "cos angle = E[a·b]/√(E‖a‖² E‖b‖²);  a = (w − 1)(main − guide);  b = (w − 1)(exact main − "
        "exact guide) or exact − main",
        "0°. At 90° guidance does nothing good; beyond it does harm.",
        _KARRAS_2024,
        unit="degrees",
        keys=("angle",),
    ),
    GlossaryEntry(
        "guidance length",
        "Length of the guidance of the networks at this level, as a change of x0_hat.",
        "√E‖(w − 1)(main − guide)‖²",
        "That of the exact one.",
        _KARRAS_2024,
        unit=_DISTANCE,
        keys=("length",),
    ),
    GlossaryEntry(
        "exact guidance",
        "Length of what the guidance should be, see guidance angle.",
        "√E‖b‖²",
        "It falls to 0 where the noise no longer hides the class.",
        unit=_DISTANCE,
        keys=("exact",),
    ),
    GlossaryEntry(
        "guidance ratio",
        "Length of the guidance over that of what it should be.",
        "√(E‖a‖²/E‖b‖²)",
        "1. For a weaker guide, w sets it: too much overshoots.",
        keys=("ratio",),
    ),
)
