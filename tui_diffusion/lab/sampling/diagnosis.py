"""The diagnosis of a denoiser's error: its loss over the floor at every level, and its effect."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic

from ...core.analysis.attribution import Attribution, attribute
from ...core.analysis.error_growth import Amplification, amplification
from ...core.analysis.evaluations import COUNTS, SamplerError, errors_by_evaluations
from ...core.analysis.guidance.effect import GuidanceEffect, guidance_effect
from ...core.analysis.likelihood.estimate import Likelihood, likelihood
from ...core.analysis.likelihood.probability_flow import NoFieldError
from ...core.analysis.loss_floor import LevelLoss, level_losses
from ...core.analysis.memorisation.measures import OptimumDistance, optimum_distances
from ...core.analysis.start_mismatch import StartMismatch, start_mismatch
from ...core.methods import device_of
from ...core.progress import ProgressCallback
from ...core.training.devices import use_threads
from ...core.trajectory import denoise
from .request import SampleRequest

_COMPARED, _COUNTS = 1000, COUNTS[:-1]
"""Most points of a sample from each sampler that is compared, and its numbers of evaluations."""


@dataclass(frozen=True, eq=False)
class RequestedDiagnosis:
    """The diagnosis of one denoiser; without a network, ``losses`` and all below are empty.

    ``attribution`` takes three samplings and ``likelihood`` many passes through the network: they
    are omitted during the training, and where another view asks. ``evaluations`` and ``guidance``
    are measured for their own views only, while training of the experiment's own sampler, and
    without a sample. ``distances`` to the optima are of a network with a training set.
    """

    request: SampleRequest
    losses: tuple[LevelLoss, ...]
    amplification: tuple[Amplification, ...]
    start: StartMismatch
    attribution: Attribution | None
    seconds: float
    likelihood: Likelihood | None = None
    evaluations: tuple[SamplerError, ...] = ()
    guidance: GuidanceEffect | None = None
    distances: tuple[OptimumDistance, ...] = ()

    def lacks(self, view: str) -> bool:
        """Return whether a view waits for a slow part that can be computed."""
        unknown = self.request.experiment.data.population_unknown
        if not self.losses or unknown or self.request.study == view:
            return False
        if view == "evaluations":
            return not self.evaluations
        if view == "guidance":
            return self.guidance is None
        missing = {"excess": self.likelihood, "error": self.attribution}.get(view, self)
        return missing is None and not self.request.live

    def with_parts_of(self, earlier: RequestedDiagnosis | None) -> RequestedDiagnosis:
        """Return this diagnosis with the parts that an earlier one of the same denoiser has."""
        if earlier is None or earlier.request != self.request:
            return self
        return replace(
            self,
            attribution=self.attribution or earlier.attribution,
            likelihood=self.likelihood or earlier.likelihood,
            evaluations=self.evaluations or earlier.evaluations,
            guidance=self.guidance or earlier.guidance,
        )


def diagnose(
    request: SampleRequest, progress: ProgressCallback | None = None
) -> RequestedDiagnosis:
    """Diagnose the denoiser of a request."""
    began = monotonic()
    experiment = request.experiment
    use_threads(experiment)
    denoiser = request.denoiser
    if request.source == "ideal":
        denoiser = request.ideal()
    losses: tuple[LevelLoss, ...] = ()
    attribution, likely, evaluations, effect = None, None, list[SamplerError](), None
    distances = list[OptimumDistance]()
    study = request.study
    if experiment.data.population_unknown and study != "guidance":
        study = "quick"  # the rest compares with the population
    if denoiser is not None:
        losses = tuple(level_losses(experiment, denoiser))
        if request.training_set is not None:
            distances = optimum_distances(experiment, denoiser, request.training_set)
        if study == "excess" and not request.live:
            with suppress(NoFieldError):
                likely = likelihood(experiment, denoiser)
        if study == "evaluations":
            evaluations = errors_by_evaluations(
                experiment,
                denoiser,
                _COUNTS,
                samplers=[experiment.sampling.sampler] if request.live else None,
                points=min(request.points, _COMPARED),
                seed=request.seed,
                progress=progress,
            )
        device = device_of(denoiser)
        if study == "guidance":
            sampled = experiment.sampling.guided and not request.live
            trajectory = (
                denoise(
                    experiment, denoiser, points=request.points, seed=request.seed, device=device
                )
                if sampled
                else None
            )
            effect = guidance_effect(experiment, denoiser, trajectory)
        if study in ("", "error") and not request.live:
            # Use the network's own settings; the current ones may have changed since.
            attribution = attribute(
                experiment, denoiser, points=request.points, seed=request.seed, device=device
            )
    return RequestedDiagnosis(
        request,
        losses,
        amplification(experiment),
        start_mismatch(experiment),
        attribution,
        monotonic() - began,
        likely,
        tuple(evaluations),
        effect,
        tuple(distances),
    )
