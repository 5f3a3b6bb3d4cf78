"""Explanations of an experiment: its formulas, what to look for now, and the papers.

The formulas are those of the core's docstrings; a prime marks the next, cleaner level.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

from ...core.config.experiment import Experiment
from ...core.config.presets import PRESETS, base_of
from ...core.config.titles import matching_preset
from ...core.config.value_types import format_value
from ...core.parts.datasets import DATA_PARTS
from ...core.parts.methods import METHOD_PARTS
from ...core.parts.networks import NETWORK_PARTS
from ...core.parts.part import Part
from ...core.parts.registries import NAMED_BY, parts_used
from ...core.parts.samplers import SAMPLER_PARTS
from ...core.parts.schedules import SCHEDULE_PARTS
from ...core.text import shown, threads_text
from ...core.training.divergence import what_diverged
from ..session.records import SessionState, Training
from ..workspace import Workspace
from .look_for import AFTER, BEFORE, DURING

# --- formulas --------------------------------------------------------------------------------

LOSSES = {
    "sum": "Σ‖net − target‖² over the batch",
    "norm": "√Σ‖net − target‖² over the batch",
    "mean": "mean of (net − target)² over batch and coordinates",
}

_DDPM = "x ← (x − βₜ/√(1 − ᾱₜ)·eps_hat)/√(1 − βₜ) + "


def formulas(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Name and formula, in the order in which they are used."""
    schedule, sampling = SCHEDULE_PARTS[experiment.schedule.kind], experiment.sampling
    data = DATA_PARTS[experiment.data.name]
    if data.file is not None and data.what:
        yield "data", data.what
    yield "levels", schedule.formula
    yield "noising", schedule.noising
    yield "learns", METHOD_PARTS[experiment.method.name].learns
    network = NETWORK_PARTS[experiment.network.name]
    if network.file is not None:
        yield "network", network.formula
    if experiment.network.labels:
        share = experiment.training.label_dropout
        hidden = f", hidden from {share:.2g} of the training points" if share else ""
        yield "label", f"the network also receives the class of each point{hidden}"
    yield "loss", LOSSES[experiment.training.loss]
    yield "step", _step(experiment)
    if sampling.guided:
        yield "guidance", _guidance(experiment)
    if sampling.repeats:
        yield "", f"and the last step {sampling.repeats} times more"


def _step(experiment: Experiment) -> str:
    """Return the sampler's rule; for DDPM on betas, in the notation of the paper."""
    sampling = experiment.sampling
    part, posterior = SAMPLER_PARTS[sampling.sampler], sampling.posterior
    rule, in_betas = part.formula, SCHEDULE_PARTS[experiment.schedule.kind].in_betas
    if part.name == "ddpm" and in_betas:
        added = "√β̃ₜ·z, β̃ₜ = βₜ·(1 − ᾱₜ₋₁)/(1 − ᾱₜ)" if posterior else "√βₜ·z"
        rule = _DDPM + added
    elif part.name == "ddpm" and not posterior:
        rule = rule.replace("√b·σ'/σ·z", "√b·z")
    quiet = sampling.quiet if "quiet" in part.uses else 0
    return f"{rule}; z = 0 in the last {quiet}" if quiet else rule


def _guidance(experiment: Experiment) -> str:
    """Return the rule of guidance, the guide, and the noise at which it applies."""
    sampling = experiment.sampling
    guide = {"no-label": "network without label", "own": "guide trained along"}.get(
        sampling.guide, f"run {shown(sampling.guide)}"
    )
    rule = f"x0_hat ← guide + w·(x0_hat − guide), w = {format_value(sampling.guidance)}; {guide}"
    low, high = sampling.guidance_from, sampling.guidance_to
    if low == 0 and high >= 1e6:
        return rule
    return f"{rule}; for σ/α from {format_value(low)} to {format_value(high)}"


def own_parts(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Yield the name and the docstring of every part that is not built in."""
    for kind, part in parts_used(experiment.get):
        if part.file is not None:
            where = f"{shown(part.file.name)}, line {part.line}"
            more = f"\n\n{part.explanation}" if part.explanation else ""
            yield f"{NAMED_BY[kind]} = {part.name} ({where})", f"{part.help}.{more}"


# --- papers ----------------------------------------------------------------------------------


_MEMORISATION = (
    "Yoon et al. 2023: Diffusion Probabilistic Models Generalize when They Fail to Memorize.",
    "Bonnaire et al. 2025: Why Diffusion Models Don't Memorize: The Role of Implicit Dynamical "
    "Regularization in Training. arXiv 2505.17638.",
)
"""The sources of what is measured with a fixed training set."""


def papers(experiment: Experiment) -> list[str]:
    """Return the sources of the experiment: the post's script, then papers by year and author."""
    used: list[Part] = [part for _, part in parts_used(experiment.get)]
    known = {paper for part in used for paper in part.papers}
    known.update(_MEMORISATION if experiment.data.finite else ())
    sources = sorted(known, key=_by_year)
    preset = base_of(experiment)
    if preset.script:
        sources.insert(0, f"Bouvier 2024: Introduction to Diffusion Models; {preset.script}.py.")
    return sources


def _by_year(paper: str) -> tuple[str, str]:
    """Order papers, written as ``Authors YEAR: Title``, by year and authors."""
    authors = paper.partition(":")[0]
    return authors[-4:], authors


# --- what to look for ------------------------------------------------------------------------

_OTHER_DATA = (
    "Press ←: the data blur, level by level, until nothing tells them from noise. The clean "
    "estimate (v) shows what can still be known of them at each.",
    "At the clean end the outline of the data appears first, small and sharp features last.",
    "Press i for the ideal denoiser, from the same noise: where its points differ, the network has "
    "more to learn.",
)
"""What to look for before, during and after training, if the settings match no preset."""


_FIXED_SET = (
    "A fixed training set: the crosses (×), if there are few, are all that a network will see. i "
    "shows the optimum of the population first, then that of the set, which copies it.",
    "First the points fill the gaps between the crosses: it generalises. When the held-out loss "
    "turns up while that on the training set falls on, it begins to learn the points by heart.",
    "The share copied beside that of true points, which chance brings near the set: above it, the "
    "network memorises. The last view of the training (O) shows at which levels.",
)
"""The same for a fixed training set."""


def current_advice(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Yield headlines and texts on the current state of the experiment, the most urgent first."""
    experiment, training = workspace.experiment, workspace.training
    preset = base_of(experiment)
    if training is not None and training.state is SessionState.DIVERGED:
        yield "Diverged", _diverged(training)
    elif training is not None and training.state is SessionState.FAILED:
        error = training.error or "The training failed."
        yield "Failed", f"{error} The settings are unchanged; press t to train again."
    elif training is not None and training.snapshot is not None and workspace.trained() is None:
        yield (
            "Changed since it was trained",
            "The settings no longer fit the trained network, so the points are true data again. "
            "t trains a network for these settings.",
        )
    if workspace.source_ideal:
        yield _ideal_advice(workspace)
    if experiment.data.population_unknown:
        yield (
            "The population is unknown",
            "Of what the rows of the file were drawn from only they are known. Every number and "
            "picture called exact is that of all rows, the held-out ones too, each a narrow spot; "
            "there is no floor but that of the training set.",
        )
    if matching_preset(experiment) is None:
        yield from _conditioned(experiment)
    if cause(experiment, "mean"):
        yield "Set the start as well", cause(experiment, "mean")
    before, during, after = BEFORE[preset.id], DURING[preset.id], AFTER[preset.id]
    if matching_preset(experiment) is None:
        before, during, after = _FIXED_SET if experiment.data.finite else _OTHER_DATA
    trained = workspace.trained()
    match trained.state if trained is not None else None:
        case None if training is not None and training.state.active:
            yield "About to train, look for", during
        case None:
            yield "Before training, look for", before
        case SessionState.LOADING | SessionState.TRAINING:
            yield "While it trains, look for", during
        case SessionState.PAUSED:
            yield "Paused, p goes on; look for", during
        case SessionState.STOPPED:
            yield "It was stopped early; look for", f"{during} When it is done: {after}"
        case SessionState.FINISHED:
            yield "After training, look for", after


def _conditioned(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Yield what a label and guidance change in the points and in what is exact."""
    sampling = experiment.sampling
    if experiment.network.labels and sampling.label != "all":
        yield (
            f"You see class {sampling.label} alone",
            "Points, exact density and numbers are those of this class. sampling.label = all shows "
            "every class; that needs no new training.",
        )
    if sampling.guided:
        yield (
            f"Guided, w = {format_value(sampling.guidance)}",
            "Points are led away from what the guide would make of them, and end closer together "
            "than the data. guided density (v) shows what guidance aims at and what it makes, "
            "guidance (o) how well it points at every level. sampling.guidance = 1 ends it.",
        )


def _ideal_advice(workspace: Workspace) -> tuple[str, str]:
    """Return what the ideal denoiser shows that takes the network's place."""
    if workspace.ideal_of == "training set":
        return (
            "You see the ideal denoiser of the training set",
            "It has the lowest loss on the training points of any denoiser, and returns nothing "
            "but these points: a network makes new ones only as far as it misses it. i goes back.",
        )
    after = "goes on to that of the training set" if len(workspace.optima) > 1 else "goes back"
    return (
        "You see the ideal denoiser",
        "It knows the data and takes E[x₀ | x] at every step: no network does better. Any error "
        f"left comes from the start or from the steps. i {after}.",
    )


_NAIVE_STD = (
    "Too small, by the post's own rule: its target σᵢ₊₁·ε leaves n·(1 − σᵢ₊₁/σᵢ) of the noise n, "
    "less than the next level has, so points contract onto the mean. Set method.name to "
    "naive-exact, press s for the exact start as well, and train again."
)
_NAIVE_START = (
    "naive-exact keeps the post's start: points begin around 0 and not around the data's mean, "
    "and end short of it (at 0.987 for 1 in one dimension). s starts from the exact noisiest "
    "level; that needs no new training."
)


def cause(experiment: Experiment, name: str) -> str:
    """Return why a number of the sample is off if the method is known to cause it, else ''."""
    method, exact = experiment.method.name, experiment.sampling.start == "exact"
    if method == "naive" and name == "std" and len(experiment.data.means) == 1:
        return _NAIVE_STD  # with several modes, the std measures their distance
    about_start = name in ("mean", "std", "start off by")
    return _NAIVE_START if method == "naive-exact" and not exact and about_start else ""


def where(training: Training | None) -> str:
    """Return the device and threads of a training with the reason, or '' if unknown."""
    if training is None or not training.reason:
        return ""
    threads = f", {threads_text(training.threads)}" if training.threads else ""
    return f"{training.device}{threads}: {training.reason}."


def _diverged(training: Training) -> str:
    """Explain why the training diverged, and the remedy."""
    lr = training.experiment.training.lr
    preset = PRESETS.get(training.experiment.name)
    default = preset.experiment.training.lr if preset is not None else lr
    last = nan if training.losses is None else float(training.losses[training.step - 1])
    what = what_diverged(last, training.step).capitalize()
    text = (
        f"{what}: every step went further past the lowest point than the one before. "
        f"training.lr is {format_value(lr)}"
    )
    text += f", the preset's {format_value(default)}. " if lr != default else ". "
    return text + "Lower it, for example to a tenth, and press t. The last finite weights are kept."


def seen(workspace: Workspace, source: str, level: int, levels: int) -> str:
    """Describe the points on the screen at a level from 0 to ``levels``."""
    where = "the noisiest level" if level == 0 else "clean" if level == levels else "in between"
    whose = {
        "forward": "true data, noised",
        "ideal": "the ideal denoiser's",
        "network": "the network's",
    }[source]
    if source == "ideal" and workspace.ideal_of == "training set":
        whose += ", that of the training set"
    training = workspace.trained()
    if source == "network" and training is not None and training.times_floor is not None:
        whose += f", whose loss is {training.times_floor:.3g} times its floor"
    return f"Level {level} of {levels}, {where}: the points are {whose}."
