"""What `tui_diffusion.lab.open` hands back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...core import notebook, pictures
from ...core.config.experiment import Experiment
from ...core.methods import Denoiser
from ...core.networks import OwnNetwork
from ...core.short_repr import short_repr
from ...core.trajectory import Trajectory

if TYPE_CHECKING:
    from torch import nn

    from ..app import Lab


@dataclass(frozen=True, eq=False)
class LabResult:
    """The lab as it was left: the experiment in view, its training, and the points on the screen.

    ``state`` is "idle" without a training; ``losses`` has one entry for each of its ``step``
    gradient steps. ``denoiser`` holds the weights that the lab sampled with: those trained, or
    those given. ``run`` is the folder of the run that keeps the training, if one does.
    """

    experiment: Experiment
    state: str
    step: int
    losses: NDArray[np.float32]
    denoiser: Denoiser | None
    trajectory: Trajectory | None
    run: Path | None

    @classmethod
    def of(cls, lab: Lab) -> LabResult:
        """Return what a lab holds; its workers must have ended."""
        workspace, panel = lab.model.workspace, lab.main.denoising
        training, shown = workspace.training, panel.trajectory
        if training is None and (training := lab.model.session.training) is not None:
            shown = None  # its points are those of another experiment
        experiment = workspace.experiment
        if training is not None and workspace.trained() is not training:
            experiment = training.experiment
        step = training.step if training is not None else 0
        losses = training.losses if training is not None else None
        denoiser = workspace.given.denoiser if workspace.given is not None else None
        if training is not None and training.snapshot is not None:
            denoiser = training.snapshot[1]
        run = training.run if training is not None else None
        return cls(
            experiment,
            training.state.value if training is not None else "idle",
            step,
            np.empty(0, np.float32) if losses is None else losses[:step].copy(),
            denoiser,
            shown.raw if shown is not None else None,
            run if run is not None and (run / "run.json").is_file() else None,
        )

    @property
    def network(self) -> nn.Module | None:
        """The network of the denoiser: a module of the script's own class if it gave one."""
        network = getattr(self.denoiser, "network", None)
        if isinstance(network, OwnNetwork):
            return network.bodies[0].module  # type: ignore[return-value]
        return network

    def __repr__(self) -> str:
        return short_repr(self, **self._facts())

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"experiment": self.experiment.name, "state": self.state}
        if self.step:
            facts["step"] = self.step
            facts["loss"] = float(self.losses[-_LAST:].mean(dtype=float))
        if self.run is not None:
            facts["run"] = self.run.name
        return facts

    def _repr_html_(self) -> str:
        return notebook.table("From the lab", self._facts(), self._picture)

    def _picture(self) -> str:
        points = self.trajectory.result.detach().cpu().numpy() if self.trajectory else None
        scatter = "" if points is None else pictures.scatter(points)
        return pictures.curve(self.losses) + scatter


_LAST = 100
"""Losses whose mean is shown."""
