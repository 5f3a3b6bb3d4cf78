"""The trainings of one cell: the losses of all seeds, and the points of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment
from ...core.files import UNREADABLE
from ...core.progress import ProgressCallback
from ...core.runs.manifest import RunError
from ...core.runs.run import open_run
from ..sampling.measured_trajectory import MeasuredTrajectory, measure_trajectory
from ..sampling.request import SampleRequest

_POINTS = 1000
"""Maximum number of points of a cell, which are drawn small."""


@dataclass(frozen=True)
class CellRequest:
    """The runs of a cell by seed, and the seed whose points are wanted.

    ``experiments`` are those of the cell, in the order of ``folders``: its runs may sample in
    another way.
    """

    cell: int
    folders: tuple[Path, ...]
    experiments: tuple[Experiment, ...] = field(repr=False)
    shown: int

    @property
    def key(self) -> tuple[object, ...]:
        """What the answer depends on."""
        return self.folders, self.cell, self.shown


@dataclass(frozen=True, eq=False)
class CellDetails:
    """The losses of a cell, one for each seed, and the trajectory of one seed if it has one."""

    request: CellRequest
    losses: Sequence[NDArray[np.float32]]
    seeds: Sequence[int]
    trajectory: MeasuredTrajectory | None


def read_cell(request: CellRequest, progress: ProgressCallback) -> CellDetails:
    """Read the runs of a cell and sample from one; runs that cannot be read are left out."""
    losses, seeds, trajectory = [], [], None
    for index, (folder, experiment) in enumerate(
        zip(request.folders, request.experiments, strict=True)
    ):
        progress(index, len(request.folders))
        try:
            run = open_run(folder)
            losses.append(run.losses())
            seeds.append(experiment.seed)
            if index == request.shown and run.state != "diverged":
                points = min(experiment.sampling.points, _POINTS)
                sampling = SampleRequest(
                    experiment, "network", experiment.seed, points, run.step, run.denoiser()
                )
                trajectory = measure_trajectory(sampling, progress)
        except (RunError, ConfigError, *UNREADABLE):
            continue
    return CellDetails(request, losses, seeds, trajectory)
