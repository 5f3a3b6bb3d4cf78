"""The experiments that are open: each with its bench, one of them chosen, and who works on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.config.experiment import Experiment
from ..core.config.presets import Preset, base_of
from .sampling.request import Wish
from .sampling.worker import Worker
from .session.session import Session
from .workspace import Bench

if TYPE_CHECKING:
    from .sampling.diagnosis import Study
    from .sampling.measured_trajectory import Film
    from .session.records import Training


class Model:
    """What a lab holds, without a widget: ``experiment`` is chosen, on the bench of its name.

    ``session`` trains, ``sampling`` makes films and ``studies`` studies; `loaded` once torch is.
    """

    def __init__(
        self,
        experiment: Experiment,
        presets: Mapping[str, Preset],
        session: Session,
        sampling: Worker[Wish, Film],
        studies: Worker[Wish, Study],
    ) -> None:
        self.presets = dict(presets)
        self.benches = {key: Bench(preset.experiment) for key, preset in presets.items()}
        self.chosen = experiment.name
        self.bench.experiment = experiment
        self.session = session
        self.sampling = sampling
        self.studies = studies
        self.loaded = False

    @property
    def bench(self) -> Bench:
        """The experiment that is chosen."""
        return self.benches[self.chosen]

    @property
    def preset(self) -> Preset:
        """What the chosen experiment began as."""
        return self.presets[self.chosen]

    def change_preset(self, was: str | None, now: Preset | None) -> None:
        """Take the preset ``was`` away, and put what is on the bench under the name of ``now``.

        Without ``now`` the preset is chosen that the experiment comes from.
        """
        bench = self.bench
        if was is not None:
            del self.presets[was], self.benches[was]
        if now is None:
            self.chosen = base_of(bench.experiment).id
            return
        self.chosen = now.id
        self.presets[now.id] = now
        named = bench.experiment.model_copy(update={"name": now.id})
        self.benches[now.id] = replace(bench, experiment=named)

    def put(self, experiment: Experiment, training: Training) -> str:
        """Put a training on a bench; the bench's name, which may be that of its origin."""
        name = experiment.name if experiment.name in self.benches else base_of(experiment).id
        self.benches[name] = Bench(experiment, training)
        return name

    def close(self) -> bool:
        """End all threads; whether they have ended."""
        ended = self.session.close(0.6)
        return self.sampling.close(0.2) and self.studies.close(0.1) and ended
