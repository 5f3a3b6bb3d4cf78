"""The experiment of a guide that is trained along with a network; loads no torch."""

from __future__ import annotations

from .experiment import Experiment

_OTHER_SEED = 1 << 62
"""Flipped in the seed, so that the guide starts from other weights and sees other points."""


def guide_of(experiment: Experiment) -> Experiment:
    """Return the experiment of the guide: a smaller network that takes a share of the steps."""
    network, training = experiment.network, experiment.training
    fewest = experiment.levels if network.per_level else 1
    steps = max(fewest, round(training.guide_share * training.steps))
    smaller = {"width": network.guide_width, "depth": network.guide_depth, "guide": False}
    return experiment.model_copy(
        update={
            "network": network.model_copy(update=smaller),
            "training": training.model_copy(update={"steps": steps}),
            "seed": experiment.seed ^ _OTHER_SEED,
        }
    )
