"""The background work of a comparison: reading the runs, sampling and measuring."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.message import Message

from ...output.errors import line
from ...sampling.measured_trajectory import MeasuredTrajectory
from ...sampling.measures import measure
from ...sampling.worker import Worker
from .subjects import Candidate, Subject, TrajectoryRequest, measure_subject, read_subjects


class Read(Message, namespace="compare_screen"):
    """The runs have been read; ``faults`` holds a one-line error for each unreadable run."""

    def __init__(self, subjects: list[Subject], faults: list[str]) -> None:
        super().__init__()
        self.subjects = subjects
        self.faults = faults


class SubjectSampled(Message, namespace="compare_screen"):
    """A trajectory has been sampled."""

    def __init__(self, request: TrajectoryRequest, trajectory: MeasuredTrajectory) -> None:
        super().__init__()
        self.request = request
        self.trajectory = trajectory


class Measured(Message, namespace="compare_screen"):
    """A level of a trajectory has been measured."""


class Failed(Message, namespace="compare_screen"):
    """A trajectory could not be sampled, or the runs could not be read."""

    def __init__(self, request: object, error: Exception) -> None:
        super().__init__()
        self.request = request
        self.text = line(error)


class Workers:
    """Three threads that post their results; trajectories are sampled one after another.

    ``trajectories`` holds each trajectory, or the error of its sampling, by the index of its
    subject. ``noise`` counts the requests for fresh noise.
    """

    def __init__(self, post: Callable[[Message], None]) -> None:
        self.subjects: list[Subject] = []
        self.trajectories: dict[int, MeasuredTrajectory | str] = {}
        self.noise = 0

        def fail(request: object, error: Exception) -> None:
            post(Failed(request, error))

        self._reader = Worker(read_subjects, lambda result: post(Read(*result)), fail)
        self._sampler = Worker(measure_subject, lambda result: post(SubjectSampled(*result)), fail)
        self._meter = Worker(measure, lambda _: post(Measured()), lambda *_: None)

    def start(self, sources: Sequence[Candidate]) -> None:
        """Start the threads, and read these runs."""
        for worker in (self._reader, self._sampler, self._meter):
            worker.start()
        self._reader.ask(sources)

    def close(self) -> None:
        """End the threads without waiting for them."""
        for worker in (self._reader, self._sampler, self._meter):
            worker.close(0)

    @property
    def seed(self) -> int:
        """The seed of the noise that all trajectories start from."""
        return (self.subjects[0].experiment.seed + self.noise) % 2**63

    def sample(self, index: int = 0) -> None:
        """Request the trajectory of a subject, if there is one; `take` requests the next."""
        if index < len(self.subjects):
            self._sampler.ask(TrajectoryRequest(index, self.subjects[index], self.seed))

    def take(self, request: TrajectoryRequest, trajectory: MeasuredTrajectory | str) -> bool:
        """Store a trajectory, or its error; return False if the request is outdated."""
        if request.seed != self.seed:
            return False
        self.trajectories[request.index] = trajectory
        self.sample(request.index + 1)
        return True

    def measure(self, trajectory: MeasuredTrajectory, level: int) -> None:
        """Request the measurements of a trajectory at a level."""
        self._meter.ask((trajectory, level))
