"""The diagnosis of a denoiser's error: its loss over the floor at every level, and its effect."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from ...core.analysis.attribution import Attribution, attribute
from ...core.analysis.error_growth import Amplification, amplification
from ...core.analysis.loss_floor import LevelLoss, level_losses
from ...core.analysis.start_mismatch import StartMismatch, start_mismatch
from ...core.assemble import make_ideal, make_mixture
from ...core.methods import device_of
from ...core.training.devices import use_threads
from .request import SampleRequest


@dataclass(frozen=True, eq=False)
class RequestedDiagnosis:
    """The diagnosis of one denoiser; without a network, ``losses`` and ``attribution`` are empty.

    ``attribution`` is omitted during the training, because it takes three samplings.
    """

    request: SampleRequest
    losses: tuple[LevelLoss, ...]
    amplification: tuple[Amplification, ...]
    start: StartMismatch
    attribution: Attribution | None
    seconds: float


def diagnose(request: SampleRequest) -> RequestedDiagnosis:
    """Diagnose the denoiser of a request."""
    began = monotonic()
    experiment = request.experiment
    use_threads(experiment)
    mixture = make_mixture(experiment.data)
    denoiser = request.denoiser
    if request.source == "ideal":
        denoiser = make_ideal(experiment.method, mixture)
    losses: tuple[LevelLoss, ...] = ()
    attribution = None
    if denoiser is not None:
        losses = tuple(level_losses(experiment, denoiser))
        if not request.live:
            # Use the network's own settings; the current ones may have changed since.
            device = device_of(denoiser)
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
    )
