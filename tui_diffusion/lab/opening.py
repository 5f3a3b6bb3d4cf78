"""A run on disk as a training that the lab can show."""

from __future__ import annotations

from ..core.datasets import make_mixture
from ..core.experiment import Experiment
from ..core.floor import stage_floors
from ..core.resuming import continued
from ..core.runs import open_run
from .session import State, Training


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


def going_on(name: str, steps: int | None) -> Experiment:
    """The experiment with which a run goes on, to more steps where they are given.

    Raises `RunError` or `ConfigError` where it cannot.
    """
    return continued(open_run(name), {} if steps is None else {"training.steps": steps})
