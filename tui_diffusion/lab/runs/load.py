"""Loading a run on disk as a training that the lab can show."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.analysis.loss_floor import stage_floors
from ...core.assemble import make_mixture
from ...core.config.experiment import Experiment
from ...core.files import UNREADABLE
from ...core.runs.lock import writer_of
from ...core.runs.manifest import RunError
from ...core.runs.resume import resumed_experiment
from ...core.runs.run import open_run
from ..session.records import Training
from .watch import Watch, state_of

if TYPE_CHECKING:
    from .run_list import RunChoice


def opened(name: str) -> tuple[Experiment, Training]:
    """Return the experiment of a run and its training at the last checkpoint.

    Raise `RunError` if the run cannot be opened, `ConfigError` if its point file is missing.
    """
    run = open_run(name)
    make_mixture(run.experiment.data)  # fails if the point file is gone
    training = Training(
        experiment=run.experiment,
        state=state_of(run),
        step=run.step,
        seconds=run.seconds,
        device=run.device,
        losses=run.losses(),
        memorisation=run.memorisation(),
        snapshot=(run.step, run.denoiser()),
        floors=stage_floors(run.experiment),
        run=run.folder,
        metrics=run.metrics,
    )
    return run.experiment, training


@dataclass(frozen=True)
class LoadedRun:
    """A run that was read, with its training, or None if the training will be resumed.

    ``watch`` follows the training if another process runs it, or may still run it.
    """

    folder: str
    experiment: Experiment
    training: Training | None
    watch: Watch | None = None
    changed_parts: tuple[str, ...] = ()


def load_run(choice: RunChoice) -> LoadedRun:
    """Load the chosen run to open, watch or resume it; raise `ConfigError` or `RunError`."""
    folder = str(choice.run.folder.absolute())
    more = {} if choice.steps is None else {"training.steps": choice.steps}
    run = open_run(folder)
    ended = run.state in ("finished", "diverged")
    if more or (choice.what == "resume" and not ended):
        who = writer_of(run.folder) if run.state == "training" else None
        if who is not None:
            raise RunError(
                f"run {choice.run.label}: {who} trains it; allowed: to watch it, with r and enter"
            )
        resumed = resumed_experiment(run, more)
        return LoadedRun(folder, resumed, None, changed_parts=run.changed_parts)
    experiment, training = opened(folder)
    if ended and choice.what != "watch":
        return LoadedRun(folder, experiment, training, changed_parts=run.changed_parts)
    watch = Watch(training)
    with suppress(RunError, *UNREADABLE):  # it is being written; the next look will do
        watch.look()
    return LoadedRun(folder, experiment, training, watch, run.changed_parts)
