"""The open experiments, the chosen one, and the threads that train, sample and analyse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.config.experiment import Experiment
from ..core.config.presets import Preset, base_of
from .sampling.request import SampleRequest
from .sampling.worker import Worker
from .session.session import Session
from .workspace import Workspace

if TYPE_CHECKING:
    from .sampling.diagnosis import RequestedDiagnosis
    from .sampling.measured_trajectory import MeasuredTrajectory
    from .session.records import Training


class Model:
    """The state of the lab, independent of widgets; ``experiment`` is chosen at the start.

    ``session`` trains, ``sampling`` computes trajectories, and ``diagnoses`` analyses their errors.
    ``loaded`` becomes true when torch has been imported.
    """

    def __init__(
        self,
        experiment: Experiment,
        presets: Mapping[str, Preset],
        session: Session,
        sampling: Worker[SampleRequest, MeasuredTrajectory],
        diagnoses: Worker[SampleRequest, RequestedDiagnosis],
    ) -> None:
        self.presets = dict(presets)
        self.workspaces = {key: Workspace(preset.experiment) for key, preset in presets.items()}
        self.chosen = experiment.name
        self.workspace.experiment = experiment
        self.session = session
        self.sampling = sampling
        self.diagnoses = diagnoses
        self.loaded = False

    @property
    def workspace(self) -> Workspace:
        """The chosen experiment with its training."""
        return self.workspaces[self.chosen]

    @property
    def preset(self) -> Preset:
        """The preset of the chosen experiment."""
        return self.presets[self.chosen]

    def change_preset(self, was: str | None, now: Preset | None) -> None:
        """Remove the preset ``was``, and store the chosen experiment under the name of ``now``.

        Without ``now``, choose the built-in preset that the experiment comes from.
        """
        workspace = self.workspace
        if was is not None:
            del self.presets[was], self.workspaces[was]
        if now is None:
            self.chosen = base_of(workspace.experiment).id
            return
        self.chosen = now.id
        self.presets[now.id] = now
        named = workspace.experiment.model_copy(update={"name": now.id})
        self.workspaces[now.id] = replace(workspace, experiment=named)

    def put(self, experiment: Experiment, training: Training) -> str:
        """Store a training; return the name of its experiment, or of the preset it comes from."""
        name = experiment.name if experiment.name in self.workspaces else base_of(experiment).id
        self.workspaces[name] = Workspace(experiment, training)
        return name

    def close(self) -> bool:
        """Stop all threads; return whether they have ended."""
        ended = self.session.close(0.6)
        return self.sampling.close(0.2) and self.diagnoses.close(0.1) and ended
