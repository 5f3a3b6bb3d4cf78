"""The training panel: the live loss curve."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.widgets import Static

from ..core.experiment import format_value
from .canvas import Canvas
from .glyphs import Glyphs
from .palette import Palette
from .panel import Panel
from .session import State, Training
from .status import number


class LossPanel(Panel):
    """Losses so far: raw as an envelope, smoothed, over all the steps there will be."""

    DEFAULT_CSS = """
    LossPanel { height: 1fr; }
    LossPanel .hint { width: 1fr; height: 1fr; content-align: center middle; color: $text-muted; }
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
        self.stages: tuple[int, ...] = ()
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static("", classes="banner", markup=False)
        yield Static("", classes="hint", markup=False)
        yield Canvas(id="loss-canvas")

    def on_mount(self) -> None:
        self.entitle("Loss")

    def hint(self, text: str) -> None:
        """What to say while there is no loss to draw."""
        self.query_one(".hint", Static).update(text)

    def show(self, training: Training | None, stages: tuple[int, ...] = ()) -> None:
        """Show another training, or none."""
        self.training, self.stages, self._drawn = training, stages, ()
        self.redraw()

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        event.stop()
        self._drawn = ()
        self.redraw()

    def on_show(self, event: events.Show) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Draw what has come since, if the panel can be seen."""
        training = self.training
        self._banner(training)
        done = training.step if training is not None else 0
        self.set_class(bool(done), "drawn")
        canvas = self.query_one(Canvas)
        if training is None or training.losses is None or not done:
            self.entitle("Loss")
            return
        if not canvas.is_on_screen or canvas.size.width < 2:
            return
        key = (id(training), done, self.logarithmic, canvas.size, self.glyphs)
        if key == self._drawn:
            return
        self._drawn = key
        from .pictures.losses import loss_figure
        from .plot import draw

        losses = training.losses[:done]
        width, height = canvas.size
        figure = loss_figure(
            losses, training.steps, width, log=self.logarithmic, stages=self.stages
        )
        canvas.show(draw(figure, width, height, self.palette, self.glyphs))
        self._title(training, figure.curves[-1].ys[-1])

    def _title(self, training: Training, smoothed: float) -> None:
        parts = [f"Loss  {number(smoothed)}", f"rate {format_value(float(f'{training.lr:.2g}'))}"]
        if training.level is not None:
            parts.append(f"network of level {training.level}")
        parts.append("log" if self.logarithmic else "linear")
        self.entitle("  ".join(parts))

    def _banner(self, training: Training | None) -> None:
        banner = self.query_one(".banner", Static)
        text = ""
        if training is not None and training.state is State.DIVERGED:
            text = (
                f"Diverged: the loss of step {training.step:,} is not finite. "
                "Lower training.lr and press t."
            )
        elif training is not None and training.state is State.FAILED:
            text = f"Training failed: {training.error}"
        banner.set_class(bool(text), "shown")
        if str(banner.content) != text:
            banner.update(text)
