"""The numbers of a finite training set."""

from __future__ import annotations

from .entry import GlossaryEntry

_BONNAIRE = "Bonnaire et al. 2025"

MEMORISATION = (
    GlossaryEntry(
        "train points",
        "Number of points in the fixed training set: all that the network ever sees "
        "(data.train_points, or the rows of a file that are not held out).",
        good="The more, the longer it takes to learn them by heart.",
        keys=("train_points",),
    ),
    GlossaryEntry(
        "copied",
        "Share of the sample that copies a training point: much nearer to one of them than to any "
        "other. Beside it is what as many true points score by chance.",
        "share of points with ‖x − nearest‖ < ‖x − second nearest‖ / 3",
        "The score of true points, about a ninth in 2D. 1: the sample is the training set.",
        "Yoon et al. 2023",
        also=("copied share", "copies"),
        keys=("copied",),
    ),
    GlossaryEntry(
        "to population",
        "Distance of the denoiser's x0_hat from the exact one of the population, at noised points "
        "of the population; over all levels, the root mean square. Unknown for points of a file.",
        "√E‖x0_hat − E[x_0|x]‖²",
        "0: the network generalises perfectly.",
        also=("distance to the population",),
        keys=("to_population",),
    ),
    GlossaryEntry(
        "to training set",
        "The same distance from the exact denoiser of the training set, which returns its points. "
        "The network begins to copy at a level where it is nearer to this one, and nearer than the "
        "two are to each other.",
        "√E‖x0_hat − Σ_i x_i softmax_i(−‖x − α x_i‖²/2σ²)‖²",
        "Above the distance to the population. 0: the network has learned the set by heart.",
        _BONNAIRE,
        also=("distance to the training set",),
        keys=("to_training_set",),
    ),
    GlossaryEntry(
        "optima apart",
        "Distance of the exact denoisers of population and training set from each other. "
        "Of a network further away from both, it cannot be told which one it has learned.",
        "√E‖E[x_0|x] − Σ_i x_i softmax_i(−‖x − α x_i‖²/2σ²)‖²",
        "Falls with the number of training points.",
        keys=("apart",),
    ),
    GlossaryEntry(
        "train loss",
        "Expected loss of the network on its training set. Its floor is the loss of the exact "
        "denoiser of that set, below the floor of the population.",
        "E[loss] over the points of the set and all noise",
        "Near the floor of the population. Below it, the network learns the points themselves.",
        also=("loss on the training set",),
        keys=("train_loss", "train_floor"),
    ),
    GlossaryEntry(
        "held-out loss",
        "Expected loss of the network on data that it has not seen: fresh points of the "
        "population, or the held-out rows of a file.",
        "E[loss] over unseen points and all noise",
        "Near its floor. Where it rises while the train loss falls, the network memorises.",
        _BONNAIRE,
        also=("loss on held-out data",),
        keys=("heldout_loss", "heldout_floor"),
    ),
)
