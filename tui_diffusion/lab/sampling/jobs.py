"""The jobs of the sampling workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.progress import ProgressCallback
from .request import SampleRequest

if TYPE_CHECKING:
    from .diagnosis import RequestedDiagnosis
    from .measured_trajectory import MeasuredTrajectory


def trajectory(request: SampleRequest, progress: ProgressCallback) -> MeasuredTrajectory:
    """Return the trajectory of a request."""
    from .measured_trajectory import measure_trajectory

    return measure_trajectory(request, progress)


def diagnosis(request: SampleRequest, progress: ProgressCallback) -> RequestedDiagnosis:
    """Return the diagnosis of a request's denoiser."""
    from .diagnosis import diagnose

    return diagnose(request, progress)
