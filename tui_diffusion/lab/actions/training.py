"""What is done to the training: begin it, hold it, end it, and look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...core.config.errors import ConfigError
from ..going_on import can_go_on

if TYPE_CHECKING:
    from ..app import Lab


def train(lab: Lab) -> None:
    """Train what is set, anew."""
    problems = lab.form.problems
    if problems:
        path, error = next(iter(problems.items()))
        lab.form.select(path)
        lab.layout.show("setup")
        lab.refuse("Not trained", str(error))
        return
    try:
        if lab.bench.reread():
            lab.show_bench()
    except ConfigError as error:
        lab.refuse("Not trained", str(error))
        return
    _begin(lab)


def pause(lab: Lab) -> None:
    """Hold the training, or go on with it, also after its end."""
    training = lab.bench.training
    if training is not None and can_go_on(training, lab.bench.experiment):
        _begin(lab, training.run)
    else:
        lab.session.pause()


def _begin(lab: Lab, run: Path | None = None) -> None:
    """Train what is set: anew, or on from where a run ended."""
    bench = lab.bench
    bench.training = lab.session.start(bench.experiment, resume=str(run) if run else None)
    bench.source_ideal = False
    lab.learning.did("choose")  # who trains has chosen
    if lab.tab == "setup":
        lab.layout.show("training")
    lab.following.refresh()


def stop(lab: Lab) -> None:
    """End the training."""
    if lab.session.state.active:
        lab.session.stop()


def study(lab: Lab) -> None:
    """The next view of the loss."""
    lab.loss.next_view()
    lab.loss.at(lab.denoising.level)
    if lab.loss.view != "loss":
        lab.following.ask_study()


def log_scale(lab: Lab) -> None:
    """The loss on the other kind of axis."""
    lab.loss.logarithmic = not lab.loss.logarithmic
    lab.loss.redraw()
