"""More training after the end, or after a stop: the question whether to go on or to train anew."""

from __future__ import annotations

from typing import Literal

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static

from ..core.experiment import Experiment
from .screens import Modal
from .session import State, Training

Way = Literal["on", "anew"]


def can_go_on(training: Training | None, experiment: Experiment) -> bool:
    """Whether this training has ended before the steps that are set now, all else being as set."""
    if training is None or training.run is None or training.snapshot is None:
        return False
    if training.state not in (State.STOPPED, State.FINISHED):
        return False
    from ..core.resuming import part_that_changed

    left = training.step < experiment.training.steps >= training.steps
    return left and not part_that_changed(training.experiment, experiment)


def newly_possible(training: Training | None, before: Experiment, now: Experiment) -> str:
    """What to say where a change of the settings made it possible to go on, or ''."""
    if training is None or not can_go_on(training, now) or can_go_on(training, before):
        return ""
    return f"t goes on from step {training.step:,}, or trains anew."


class GoOnScreen(Modal[Way | None]):
    """Asks which of the two is meant."""

    DEFAULT_CSS = """
    GoOnScreen Vertical {
        width: 56; max-width: 96%; height: auto; border: round $accent; background: $surface;
        padding: 1 2; border-title-color: $text;
    }
    GoOnScreen Static { height: auto; }
    GoOnScreen.ascii Vertical { border: ascii $accent; }
    """
    BINDINGS = [
        Binding("g,enter", "answer('on')", "go on"),
        Binding("t", "answer('anew')", "train anew"),
        Binding("escape,q", "dismiss", "neither"),
    ]

    def __init__(self, training: Training, experiment: Experiment, *, plain: bool) -> None:
        super().__init__()
        self.training = training
        self.steps = experiment.training.steps
        self.set_class(plain, "ascii")

    def compose(self) -> ComposeResult:
        done = self.training.step
        with Vertical() as box:
            box.border_title = "Train"
            yield Static(
                f"{done:,} of {self.steps:,} steps are trained.\n\n"
                f"g or enter  go on: {self.steps - done:,} steps more\n"
                "t           train anew from the start\n"
                "escape      neither",
                markup=False,
            )

    def action_answer(self, way: Way) -> None:
        self.dismiss(way)
