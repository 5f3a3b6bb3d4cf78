"""A run on disk as a training that the lab can show, and on the bench of its experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.analysis.loss_floor import stage_floors
from ...core.assemble import make_mixture
from ...core.config.experiment import Experiment
from ...core.runs.run import open_run
from ..session.records import SessionState, Training

if TYPE_CHECKING:
    pass


def opened(name: str) -> tuple[Experiment, Training]:
    """The experiment of a run and its training as it was left; raises `RunError`."""
    run = open_run(name)
    make_mixture(run.experiment.data)  # points from a file have to be there still
    ends = {"finished": SessionState.FINISHED, "diverged": SessionState.DIVERGED}
    training = Training(
        experiment=run.experiment,
        state=ends.get(run.state, SessionState.STOPPED),
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
