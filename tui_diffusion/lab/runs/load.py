"""Loading of a run on disk as a training that the lab can show."""

from __future__ import annotations

from ...core.analysis.loss_floor import stage_floors
from ...core.assemble import make_mixture
from ...core.config.experiment import Experiment
from ...core.runs.run import open_run
from ..session.records import SessionState, Training


def opened(name: str) -> tuple[Experiment, Training]:
    """Return the experiment of a run and its training as it ended.

    Raise `RunError` if the run cannot be opened, `ConfigError` if its point file is gone.
    """
    run = open_run(name)
    make_mixture(run.experiment.data)  # fails if the point file is gone
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
