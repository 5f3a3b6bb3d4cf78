"""The probability-flow ODE of a sampling: of one class, or of all classes together.

With labels each class has its own ODE and its own density q_c. All classes together have the
density Σ_c w_c q_c, with w_c the share of the class.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...assemble import mixture_for, schedule_for
from ...conditioning import for_label, guided, shares
from ...config.experiment import Experiment
from ...methods import Denoiser
from ...mixtures import GaussianMixture
from ...schedules import Schedule
from ..mixing import log_mixed
from ..start_mismatch import start_of
from .probability_flow import STEPS, Flow, NoFieldError, probability_flow

MOST_CLASSES = 16
"""Most classes whose densities are added up: each takes as long as a network without labels."""


@dataclass(frozen=True)
class MixedFlow:
    """The ODEs of some classes with their shares; ``start`` is where all of them begin."""

    parts: tuple[tuple[float, Flow], ...]
    start: GaussianMixture

    @property
    def clean(self) -> float:
        """The least angle."""
        return self.parts[0][1].clean

    @property
    def noisy(self) -> float:
        """The greatest angle."""
        return self.parts[0][1].noisy

    @property
    def scale(self) -> float:
        """√(α² + σ²) of the noisiest level."""
        return self.parts[0][1].scale

    @property
    def sigma(self) -> float:
        """σ/α of the cleanest level with a density; 0 if clean data have one."""
        return self.parts[0][1].sigma

    def log_density(self, u: Tensor, angle: float | None = None, steps: int = STEPS) -> Tensor:
        """Return log q at points u (n, d), as `Flow.log_density` does."""
        return log_mixed((share, flow.log_density(u, angle, steps)) for share, flow in self.parts)


def sampling_flow(
    experiment: Experiment,
    denoiser: Denoiser,
    *,
    mixture: GaussianMixture | None = None,
    schedule: Schedule | None = None,
) -> Flow | MixedFlow:
    """Return the ODE that sampling follows, with the classes and the guidance of the experiment.

    ``denoiser`` is the network or the ideal denoiser of the whole data. Raise `NoFieldError` as
    `probability_flow` does, and for too many classes.
    """
    whole = mixture_for(experiment, mixture)
    by_label = shares(experiment, whole)
    if len(by_label) > MOST_CLASSES:
        raise NoFieldError(
            f"the densities of {len(by_label)} classes take too long (most: {MOST_CLASSES})"
        )
    parts = []
    for label, share in by_label.items():
        of, alone = guided(experiment, denoiser, label), for_label(experiment, label)
        flow = probability_flow(alone, of, mixture=whole, schedule=schedule)
        parts.append((share, flow))
    if len(parts) == 1:
        return parts[0][1]
    levels = schedule_for(experiment, schedule, denoiser)
    return MixedFlow(tuple(parts), start_of(experiment, whole, levels))
