"""The training panel: the live loss curve, and the diagnosis of the error."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, nan
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.widgets import Static

from ...core.config.experiment import Experiment
from ...core.config.value_types import format_value
from ...core.numbered_text import NamedNumber, NumberedText
from ...core.training.divergence import what_diverged
from ...interface.glyphs import Glyphs
from ..drawing.palette import Palette
from ..formatting import number
from ..readings import Reading
from ..session.records import SessionState, Training
from ..widgets.canvas import Canvas
from ..widgets.panel import Panel
from ..widgets.text_line import times_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from textual.strip import Strip

    from ...core.memorisation_rows import Rows
    from ..drawing.downsampling import Series
    from ..sampling.diagnosis import RequestedDiagnosis

LOSS_VIEWS = ("loss", "excess", "error", "schedule", "evaluations", "guidance")
"""The views, in the order of the key ``o``."""

MEMORISATION = "memorisation"
"""The last view, if there is a training set."""

TITLES = {
    "excess": "Excess loss per level",
    "error": "Where the error comes from",
    "schedule": "Noise, and how errors grow",
    "evaluations": "Error against evaluations",
    "guidance": "Guidance per level",
    MEMORISATION: "Population and training set",
}
"""Titles of the views that show a diagnosis."""


_OF_POPULATION = ("excess", "error", "evaluations")
"""Views that compare with the exact distribution of the data."""

_UNKNOWN = "Population unknown: the points come from a file. O shows the training set."
"""Why these views are empty for a file whose rows are split."""


def loss_views(experiment: Experiment) -> tuple[str, ...]:
    """Return the views of an experiment's training."""
    return (*LOSS_VIEWS, MEMORISATION) if experiment.data.finite else LOSS_VIEWS


def view_by(view: str, by: int, experiment: Experiment) -> str:
    """Return the view ``by`` places on; the first follows the last."""
    views = loss_views(experiment)
    at = views.index(view) if view in views else len(views) - (by > 0)
    return views[(at + by) % len(views)]


class LossPanel(Panel):
    """The losses over all planned steps, raw (as an envelope) and smoothed.

    The other views show a diagnosis: excess loss per level, attribution, schedule, the error of
    samplers against evaluations, the guidance per level, and the distance to the optima of
    population and training set.
    """

    DEFAULT_CSS = """
    LossPanel { height: 1fr; }
    LossPanel .hint {
        width: 1fr; height: 1fr; padding: 0 2; content-align: center middle; text-align: center;
        color: $text-muted;
    }
    LossPanel .banner {
        width: 1fr; height: auto; max-height: 3; padding: 0 1; display: none;
        background: $error; color: $text;
    }
    LossPanel .banner.shown { display: block; }
    LossPanel Canvas { display: none; }
    LossPanel.drawn Canvas { display: block; }
    LossPanel.drawn .hint { display: none; }
    """

    def __init__(self, palette: Palette, glyphs: Glyphs, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.palette = palette
        self.glyphs = glyphs
        self.logarithmic = True
        self.training: Training | None = None
        self._stages: tuple[int, ...] = ()
        self.view = "loss"
        self.diagnosis: RequestedDiagnosis | None = None
        self.level = 0
        self._invitation = ""
        self._drawn: tuple[object, ...] = ()
        self._series: Series | None = None
        self._losses: NDArray[np.float32] | None = None

    def compose(self) -> ComposeResult:
        yield Static("", classes="banner", markup=False)
        yield Static("", classes="hint", markup=False)
        yield Canvas(id="loss-canvas")

    def on_mount(self) -> None:
        self.entitle("Loss")

    def hint(self, text: str) -> None:
        """Set the text that shows before any training."""
        self._invitation = text
        self._wait()

    def _wait(self) -> None:
        """Write why nothing is drawn."""
        training = self.training
        text = self._invitation
        if self.view != "loss":
            text = "measuring …"
        elif training is not None and training.state.active:
            text = f"{training.state.value} …"
        hint = self.query_one(".hint", Static)
        if str(hint.content) != text:
            hint.update(text)

    def show(self, training: Training | None) -> None:
        """Show another training, or none."""
        if training is not self.training:
            self._series = None
        self.training, self._stages, self._drawn = training, _stages(training), ()
        self.redraw()

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        event.stop()
        self._drawn = ()
        self.redraw()

    def on_show(self, event: events.Show) -> None:
        self.redraw()

    def choose(self, view: str) -> None:
        """Show a view by its name."""
        self.view = view
        self.redraw()

    def action_log_scale(self) -> None:
        """Switch between a logarithmic and a linear axis."""
        self.logarithmic = not self.logarithmic
        self.redraw()

    def show_diagnosis(self, diagnosis: RequestedDiagnosis | None) -> None:
        """Set the diagnosis, or None if there is none for the current experiment."""
        self.diagnosis = diagnosis and diagnosis.with_parts_of(self.diagnosis)
        self.redraw()

    def at(self, level: int) -> None:
        """Mark a level."""
        self.level = level
        if self.view != "loss":
            self.redraw()

    @property
    def measurements(self) -> Rows | None:
        """What was measured over the training, if its network is the one that is shown.

        After a change of settings another one is asked for, and another training set.
        """
        training, diagnosis = self.training, self.diagnosis
        other = self.view != "loss" and (diagnosis is None or diagnosis.request.trained is None)
        return None if training is None or other else training.memorisation

    def redraw(self) -> None:
        """Redraw if the panel is visible and anything has changed."""
        training = self.training
        memorisation = training and training.memorisation
        self._banner(training)
        has_losses = training is not None and training.losses is not None and training.step > 0
        self.set_class(has_losses if self.view == "loss" else self.diagnosis is not None, "drawn")
        self._wait()
        canvas = self.query_one(Canvas)
        if not self.has_class("drawn") or self.view != "loss":
            self.entitle(TITLES.get(self.view, "Loss"), self.view)
        if not self.has_class("drawn") or not canvas.is_on_screen or canvas.size.width < 2:
            return
        size = (canvas.size, self.glyphs, id(self.palette))
        if self.view != "loss":
            key: tuple[object, ...] = (
                *(self.view, id(self.diagnosis), id(memorisation), self.level),
                *size,
            )
        else:
            done = training.step if training is not None else 0
            key = (id(training), done, id(memorisation), self.logarithmic, *size)
        if key != self._drawn:
            self._drawn = key
            canvas.show(self._picture(*canvas.size))

    def _picture(self, width: int, height: int) -> list[Strip]:
        training, diagnosis = self.training, self.diagnosis
        view_state = (width, height, self.palette, self.glyphs)
        if self.view != "loss" and diagnosis is not None:
            from ..views.diagnosis import attribution, excess, schedule
            from ..views.diagrams import message
            from ..views.evaluations import evaluations
            from ..views.guidance import guidance

            if self.view in _OF_POPULATION and diagnosis.request.experiment.data.population_unknown:
                return message(_UNKNOWN, width, height, self.palette)
            if self.view == "excess":
                return excess(diagnosis, self.level, *view_state)
            if self.view == "guidance":
                return guidance(diagnosis, self.level, *view_state)
            if self.view == "evaluations":
                return evaluations(diagnosis, *view_state)
            if self.view == MEMORISATION:
                from ..views.memorisation import memorisation

                return memorisation(diagnosis, self.measurements, self.level, *view_state)
            if self.view == "error":
                return attribution(diagnosis, *view_state)
            return schedule(diagnosis, self.level, *view_state)
        from ..drawing.downsampling import Series
        from ..drawing.plot import draw_plot
        from ..views.losses import loss_figure

        assert training is not None and training.losses is not None
        losses, step = training.losses, training.step
        if self._series is None or losses is not self._losses or step < self._series.size:
            self._series, self._losses = Series(len(losses)), losses
        figure = loss_figure(
            self._series.take(losses[:step]),
            training.steps,
            width,
            log=self.logarithmic,
            stages=self._stages,
            floors=training.floors,
            memorisation=training.memorisation,
        )
        self._title(training)
        return draw_plot(figure, *view_state)

    def _title(self, training: Training) -> None:
        latest, times = training.latest, training.times_floor
        assert latest is not None
        lr = ("lr ", NamedNumber("lr", format_value(float(f"{training.lr:.2g}"))))
        parts: list[NumberedText] = [("Loss  ", NamedNumber("Loss", number(latest))), lr]
        if training.level is not None:
            level = NamedNumber("network of level", f"{training.level}")
            parts.append(("network of level ", level))
        if training.floor is not None and times is not None:
            floor = NamedNumber("floor", number(training.floor))
            multiple = NamedNumber("times its floor", times_text(times).removesuffix("×"))
            parts.insert(1, ("floor ", floor, " (", multiple, "×)"))
        spare = [parts.index(lr)]
        rows = training.memorisation
        if rows is not None and len(rows):
            for name in ("train", "held-out"):
                value = float(rows[f"{name.replace('-', '')}_loss"][-1])
                if isfinite(value):
                    spare.append(len(parts))
                    parts.append((f"{name} ", NamedNumber(f"{name} loss", number(value))))
        title = self.joined(parts, spare=spare)
        self.entitle(title, "log" if self.logarithmic else "linear")

    def readings(self) -> Iterator[Reading]:
        """Yield the numbers in the titles and in the picture."""
        yield from super().readings()
        if self.has_class("drawn"):
            yield from self.query_one(Canvas).readings()

    def _banner(self, training: Training | None) -> None:
        banner = self.query_one(".banner", Static)
        text = ""
        if training is not None and training.state is SessionState.DIVERGED:
            last = training.losses[training.step - 1] if training.losses is not None else nan
            what = what_diverged(float(last), training.step)
            text = f"Diverged: {what}. Lower training.lr and press t."
        elif training is not None and training.state is SessionState.FAILED:
            text = f"Training failed: {training.error}"
        banner.set_class(bool(text), "shown")
        if str(banner.content) != text:
            banner.update(text)


def _stages(training: Training | None) -> tuple[int, ...]:
    """Return the steps at which the training of the next network begins."""
    if training is None or not training.experiment.network.per_level:
        return ()
    from ...core.training.stages import stages

    return tuple(stage.start for stage in stages(training.experiment))[1:]
