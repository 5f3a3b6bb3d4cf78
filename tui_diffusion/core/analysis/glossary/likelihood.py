"""The likelihood of the data, in nats."""

from __future__ import annotations

from .entry import GlossaryEntry

_SONG = "Song, Durkan, Murray and Ermon 2021"
_NATS = "nats a point"

LIKELIHOOD = (
    GlossaryEntry(
        "nll",
        "Negative log-likelihood: the mean of −log q over the data, where q is the density of what "
        "the network generates along its ODE from the start of sampling. It is how surprising the "
        "data are to the network, and comparable between methods and networks. In the data's own "
        "units.",
        "−E[log q(x)];  log q(x) = log start(x_start) + ∫ divergence along the path of x",
        "The entropy, which no network can go below.",
        "Chen et al. 2018; Song et al. 2021",
        unit=_NATS,
        keys=("nll",),
    ),
    GlossaryEntry(
        "entropy",
        "The nll of the exact density: the least that any network can reach. It may be negative, "
        "as a density is not a probability.",
        "−E[log p(x)]",
        "It is a property of the data.",
        unit=_NATS,
        keys=("entropy",),
    ),
    GlossaryEntry(
        "kl",
        "Kullback-Leibler divergence of the network's density from that of the data: nll minus "
        "entropy. Without noise in its training below some level, the network has a density only "
        "there; kl is then of the data with that noise.",
        "E[log p(x) − log q(x)]",
        "0 within its ±, which holds two std of chance and the difference of two step sizes.",
        unit=_NATS,
        also=("true kl",),
        keys=("kl",),
    ),
    GlossaryEntry(
        "nats",
        "What the network's excess at this level adds to the bound on kl. The bound holds for "
        "sampling with noise in every of many small steps; the ODE of the kl beside it adds none, "
        "and may be better or worse.",
        "∫ e/s³ ds over the level's share, with s = σ/α, e = E‖x0_hat − E[x_0|x]‖²",
        "Small. The highest bar shows where more training would help the likelihood most.",
        _SONG,
        unit=_NATS,
        keys=("nats",),
    ),
    GlossaryEntry(
        "bound",
        "Upper bound on kl for sampling with noise: the divergence of the noisiest level from the "
        "start of sampling, and the nats of all levels.",
        "KL(noisiest level ‖ start) + ∫ e/s³ ds",
        "Not far above kl.",
        _SONG,
        unit=_NATS,
        also=("bound on kl",),
        keys=("bound",),
    ),
)
