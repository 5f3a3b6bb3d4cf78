"""The numbers of a training."""

from __future__ import annotations

from .entry import HO_2020, GlossaryEntry

TRAINING = (
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
        "are chosen for the work, unless OMP_NUM_THREADS sets their number.",
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
        "training.loss sets how the batch is summed up.",
        "sum Σ‖net − target‖²; norm √Σ‖net − target‖²; mean Σ‖net − target‖²/(n·d)",
        "Near the floor, which is not 0. Losses of different methods do not compare.",
        HO_2020,
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
)
