"""Conditioning and guidance, as the sampling fields of an experiment ask for them.

A network that was trained with labels denoises each point as one of its class, and `guidance` moves
its estimate away from that of a guide. The ideal denoiser does the same: the exact denoiser of each
point's class in place of the network; as the guide, the exact one of what the guide was trained
on, which is the whole data without labels. A guide that is only weaker, as in autoguidance, has the
main denoiser's own exact counterpart, so that guidance changes nothing there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .assemble import make_mixture, mixture_for
from .config.errors import ConfigError
from .config.experiment import Experiment
from .guidance import ClassDenoiser, GuidedDenoiser
from .guide_run import guide_run
from .methods import Denoiser, IdealDenoiser, Method, NetworkDenoiser, Prediction, device_of
from .mixtures import GaussianMixture
from .networks import Network
from .randomness import generator
from .schedules import Level

Labels = Tensor | int | None
"""The classes of points (n,), one class for all, or none."""


# --- which class -------------------------------------------------------------------------------


def label_of(experiment: Experiment) -> int | None:
    """Return the class that is sampled; None if all are, or if the network has no labels."""
    label = experiment.sampling.label
    return int(label) if experiment.network.labels and label != "all" else None


def label_asked(experiment: Experiment) -> int | str | None:
    """Return the class that is sampled, or ``all``; None if the network has no labels."""
    label = label_of(experiment)
    return "all" if label is None and experiment.network.labels else label


def for_label(experiment: Experiment, label: int | None) -> Experiment:
    """Return the experiment that samples one class; None: all."""
    text = "all" if label is None else str(label)
    sampling = experiment.sampling.model_copy(update={"label": text})
    return experiment.model_copy(update={"sampling": sampling})


def truth_of(experiment: Experiment, mixture: GaussianMixture | None = None) -> GaussianMixture:
    """Return the distribution that a sample should follow: that of the data, or of the class.

    ``mixture`` takes the place of the experiment's data.
    """
    device = "cpu" if mixture is None else mixture.means.device
    return of_label(mixture_for(experiment, mixture, device), label_of(experiment))


def of_label(mixture: GaussianMixture, label: int | None) -> GaussianMixture:
    """Return the distribution of a class; None: of all."""
    return mixture if label is None else mixture.of_class(label)


def shares(experiment: Experiment, mixture: GaussianMixture) -> dict[int | None, float]:
    """Return the share of each label in a sample; that of None is 1 without labels."""
    label = label_of(experiment)
    if label is not None or not experiment.network.labels:
        return {label: 1.0}
    weights = mixture.class_weights().tolist()
    return {label: weight for label, weight in enumerate(weights) if weight}


def draw_labels(
    experiment: Experiment, mixture: GaussianMixture, count: int, seed: int
) -> Tensor | None:
    """Draw the labels of the points of a sample, (count,); None without labels.

    The same seed gives the same labels on every device.
    """
    if not experiment.network.labels:
        return None
    device, label = mixture.means.device, label_of(experiment)
    if label is not None:
        return torch.full((count,), label, device=device)
    weights, random = mixture.class_weights().cpu(), generator(seed, "labels")
    return torch.multinomial(weights, count, replacement=True, generator=random).to(device)


def class_means(mixture: GaussianMixture, labels: Tensor | None) -> Tensor:
    """Return the mean of the data, (d,), or of the class of each point, (n, d)."""
    if labels is None:
        return mixture.mean()
    means = mixture.means.new_zeros(mixture.classes, mixture.dim)
    for label in {*labels.tolist()}:
        means[label] = mixture.of_class(label).mean()
    return means[labels]


def true_points(
    mixture: GaussianMixture, count: int, random: torch.Generator, labels: Tensor | None
) -> Tensor:
    """Draw true points (count, d) of the classes ``labels`` (count,), or of the whole data."""
    if labels is None:
        return mixture.sample(count, random)
    x0 = torch.empty((count, mixture.dim), device=mixture.means.device)
    for label in sorted({*labels.tolist()}):
        of = labels == label
        x0[of] = mixture.of_class(label).sample(int(of.sum()), random)
    return x0


# --- which denoiser ----------------------------------------------------------------------------


def conditioned(denoiser: Denoiser, labels: Labels) -> Denoiser:
    """Return a network or an ideal denoiser of the whole data as that of points of some classes.

    Any other denoiser, and a network that has its labels, stay as they are. Raise ValueError if a
    network does not know a class.
    """
    if labels is None:
        return denoiser
    if isinstance(denoiser, NetworkDenoiser) and denoiser.labels is None:
        known, greatest = denoiser.network.classes, int(torch.as_tensor(labels).max())
        if greatest >= known:
            raise ValueError(
                f"the denoiser's network must know class {greatest} (got one of {known} classes)"
            )
        return replace(denoiser, labels=labels)
    if isinstance(denoiser, IdealDenoiser):
        if isinstance(labels, int):
            return IdealDenoiser(denoiser.mixture.of_class(labels), denoiser.method)
        return ClassDenoiser(denoiser.mixture, denoiser.method, labels)
    return denoiser


def guided(experiment: Experiment, denoiser: Denoiser, labels: Labels) -> Denoiser:
    """Return the denoiser of points of some classes, guided as the experiment asks.

    ``denoiser`` is a network or the ideal denoiser of the whole data; any other stays as it is.
    Raise `ConfigError` if the guide is a run that cannot be used.
    """
    label = label_of(experiment)
    if isinstance(labels, Tensor) and label is not None:
        labels = label  # one class for all costs less than the same class for each
    main, sampling = conditioned(denoiser, labels), experiment.sampling
    if not sampling.guided:
        return main
    guide: Denoiser | None = None
    if isinstance(denoiser, NetworkDenoiser):
        guide = _guide(experiment, denoiser, labels)
    elif isinstance(denoiser, IdealDenoiser):
        guide = _exact_guide(experiment, denoiser, labels)
    if guide is None:
        return main
    return GuidedDenoiser(
        main, guide, sampling.guidance, sampling.guidance_from, sampling.guidance_to
    )


def _guide(experiment: Experiment, denoiser: NetworkDenoiser, labels: Labels) -> Denoiser | None:
    """Return the guide of a network; None if it has no label to hide."""
    match experiment.sampling.guide:
        case "no-label":
            return None if labels is None else replace(denoiser, labels=None)
        case "own":
            if denoiser.guide is None:
                raise ConfigError(
                    "sampling.guide: 'own' needs a denoiser with a guide; allowed: no-label, or a "
                    "run",
                    "sampling.guide",
                )
            return NetworkDenoiser(denoiser.guide, denoiser.method, labels)
    run = guide_run(experiment, device_of(denoiser))
    known = labels if run.experiment.network.labels else None
    return _InTermsOf(denoiser.method, replace(run.denoiser, labels=known))


def _exact_guide(
    experiment: Experiment, denoiser: IdealDenoiser, labels: Labels
) -> Denoiser | None:
    """Return the exact counterpart of the guide; None if it is that of the main denoiser."""
    match experiment.sampling.guide:
        case "no-label":
            return None if labels is None else denoiser
        case "own":
            return None
    device = denoiser.mixture.means.device
    of = guide_run(experiment, device).experiment
    known = labels if of.network.labels else None
    if of.data == experiment.data:
        return None if known is labels else conditioned(denoiser, known)
    return conditioned(IdealDenoiser(make_mixture(of.data, device), denoiser.method), known)


@dataclass(frozen=True)
class _InTermsOf:
    """A denoiser whose output is that of another method, for the same estimates."""

    method: Method
    denoiser: NetworkDenoiser

    @property
    def network(self) -> Network:
        """The network, whose device is that of the denoiser."""
        return self.denoiser.network

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        at = self.denoiser(x, level)
        return replace(at, output=self.method.target(at.x0_hat, at.eps_hat, level))

    def of(self, part: slice) -> _InTermsOf:
        """Return the denoiser of some of the points."""
        return replace(self, denoiser=self.denoiser.of(part))
