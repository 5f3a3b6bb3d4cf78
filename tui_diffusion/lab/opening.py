"""A run on disk as a training that the lab can show, and on the bench of its experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.datasets import make_mixture
from ..core.experiment import ConfigError, Experiment
from ..core.floor import stage_floors
from ..core.manifest import RunError
from ..core.presets import base_of
from ..core.resuming import continued
from ..core.runs import open_run
from .bench import Bench
from .session import State, Training

if TYPE_CHECKING:
    from .app import Lab
    from .runs import Choice


def opened(name: str) -> tuple[Experiment, Training]:
    """The experiment of a run and its training as it was left; raises `RunError`."""
    run = open_run(name)
    make_mixture(run.experiment.data)  # points from a file have to be there still
    ends = {"finished": State.FINISHED, "diverged": State.DIVERGED}
    training = Training(
        experiment=run.experiment,
        state=ends.get(run.state, State.STOPPED),
        step=run.step,
        seconds=run.seconds,
        device=run.device,
        losses=run.losses(),
        snapshot=(run.step, run.denoiser()),
        floors=stage_floors(run.experiment),
        run=run.folder,
        metrics=run.metrics,
    )
    return run.experiment, training


def take_run(lab: Lab, choice: Choice | None) -> None:
    """Open a run on the bench of its experiment, or go on with its training there."""
    if choice is None:
        return
    folder = str(choice.run.folder.absolute())
    more = {} if choice.steps is None else {"training.steps": choice.steps}
    try:
        experiment, training = opened(folder)
        if more or (choice.what == "resume" and training.state is State.STOPPED):
            experiment = continued(open_run(folder), more)
            training = lab.session.start(experiment, resume=folder)
    except (ConfigError, RunError) as error:
        lab.refuse("Not opened", str(error))
        return
    name = experiment.name if experiment.name in lab.benches else base_of(experiment).id
    lab.benches[name] = Bench(experiment, training)
    lab.choose(name)
    lab.following.mark()
