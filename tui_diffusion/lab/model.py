"""The state of the lab: the workspaces of all experiments, the chosen one, and the workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.config.experiment import Experiment, with_parts_as_loaded
from ..core.config.presets import Preset, base_of
from .sampling.request import SampleRequest
from .sampling.worker import Worker
from .session.session import Session
from .workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.parts.loading import Loaded
    from .sampling.diagnosis import RequestedDiagnosis
    from .sampling.measured_trajectory import MeasuredTrajectory
    from .session.records import SessionState, Training


class Model:
    """The state of the lab, without widgets. At first the workspace of ``experiment`` is chosen.

    ``session`` trains, ``sampling`` computes trajectories, and ``diagnoses`` diagnoses the error.
    `loaded` is True once torch has loaded.
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
        """The workspace of the chosen experiment."""
        return self.workspaces[self.chosen]

    @property
    def states(self) -> tuple[SessionState, ...]:
        """The states of the session and of every training that is watched. Thread-safe."""
        workspaces = list(self.workspaces.values())
        watched = [w.training.state for w in workspaces if w.watch and w.training]
        return self.session.state, *watched

    @property
    def preset(self) -> Preset:
        """The preset of the chosen experiment."""
        return self.presets[self.chosen]

    def change_preset(self, old: str | None, new: Preset | None) -> None:
        """Remove the preset named ``old``, and move the chosen workspace to the preset ``new``.

        Without ``new``, choose the built-in preset that the experiment derives from.
        """
        workspace = self.workspace
        if old is not None:
            del self.presets[old], self.workspaces[old]
        if new is None:
            self.chosen = base_of(workspace.experiment).id
            return
        self.chosen = new.id
        self.presets[new.id] = new
        experiment = workspace.experiment.model_copy(update={"name": new.id})
        self.workspaces[new.id] = replace(workspace, experiment=experiment)

    def take_parts(self, loaded: Loaded) -> None:
        """Take a part file that has changed, in every experiment; raise `ConfigError` or do it."""
        from ..core.parts.loading import take

        anew: dict[str, tuple[Preset, Experiment]] = {}

        def check() -> None:
            for key, preset in self.presets.items():
                own = with_parts_as_loaded(preset.experiment)
                now = with_parts_as_loaded(self.workspaces[key].experiment)
                anew[key] = replace(preset, experiment=own), now

        take(loaded, check)
        for key, (preset, experiment) in anew.items():
            self.presets[key] = preset
            self.workspaces[key].experiment = experiment

    def own(self, folder: Path) -> Training | None:
        """Return the training in progress of this lab if it is written to a folder."""
        training = self.session.training
        if training is None or training.run is None or not training.state.active:
            return None
        return training if training.run.absolute() == folder.absolute() else None

    def put(self, experiment: Experiment, training: Training) -> str:
        """Put a training into the workspace of its experiment, or of the preset it derives from.

        Return the name of that workspace.
        """
        name = experiment.name if experiment.name in self.workspaces else base_of(experiment).id
        self.workspaces[name].forget()
        variation = self.workspaces[name].variation
        self.workspaces[name] = Workspace(experiment, training, variation=variation)
        return name

    def close(self) -> bool:
        """Close all threads; return whether they have ended."""
        for workspace in self.workspaces.values():
            workspace.forget()
        ended = [self.session.close(0.6), self.sampling.close(0.2), self.diagnoses.close(0.1)]
        return all(ended)
