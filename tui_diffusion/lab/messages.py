"""Messages of the workers to the lab; each is posted by another thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .sampling.diagnosis import RequestedDiagnosis
    from .sampling.measured_trajectory import MeasuredTrajectory
    from .sweeps.details import CellDetails


class SessionUpdate(Message, namespace="lab"):
    """The session has progressed; a newer message replaces a pending one."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SessionUpdate)


class SweepUpdate(Message, namespace="lab"):
    """The sweep has progressed; a newer message replaces a pending one."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SweepUpdate)


class CellReady(Message, namespace="lab"):
    """The trainings of a cell of a sweep have been read."""

    def __init__(self, details: CellDetails) -> None:
        super().__init__()
        self.details = details


class PartsFound(Message, namespace="lab"):
    """The parts of installed packages have been loaded, or could not be."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__()
        self.problems = problems


class TrajectoryReady(Message, namespace="lab"):
    """A trajectory is ready."""

    def __init__(self, trajectory: MeasuredTrajectory) -> None:
        super().__init__()
        self.trajectory = trajectory


class DiagnosisReady(Message, namespace="lab"):
    """A diagnosis is ready."""

    def __init__(self, diagnosis: RequestedDiagnosis) -> None:
        super().__init__()
        self.diagnosis = diagnosis


class RunsCounted(Message, namespace="lab"):
    """The runs on disk have been counted, by experiment."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        super().__init__()
        self.counts = counts


class RequestFailed(Message, namespace="lab"):
    """A trajectory or a diagnosis failed."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
