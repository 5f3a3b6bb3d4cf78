"""Terms of conditioning, guidance and likelihood, in the lab's words."""

from __future__ import annotations

TERMS = (
    (
        "label",
        "The class of a point. With network.labels the network receives it beside x and the noise "
        "level; sampling.label asks for one class, or for all. Each class has a colour and a mark.",
    ),
    (
        "guidance",
        "Leading points away from a weaker guess: x0_hat = guide + w·(network − guide). The guide "
        "is the network without the label (classifier-free) or a smaller, younger network "
        "(autoguidance); w is sampling.guidance, and 1 is none.",
    ),
    (
        "sharpening",
        "Guidance ends in less variety than it aims at. Its score is that of p(x|c)^w p(x)^(1−w) "
        "with both densities noised first; to noise that product itself would be another thing. "
        "Out of N(0, 2) with the class N(0, 1) and w = 3 the aim has variance 0.5, the ODE ends "
        "with 0.25.",
    ),
    (
        "evaluation",
        "One call of a denoiser for a point: what sampling costs. Heun's sampler takes two a step; "
        "a guide is called as often as the network.",
    ),
    (
        "nll",
        "Negative log-likelihood: the mean of −log of the network's own density over true data, in "
        "nats. No network gets below the entropy of the data; what it is above that is kl.",
    ),
)
"""Each term with its meaning."""
