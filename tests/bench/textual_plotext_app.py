"""The same denoising steps drawn by textual-plotext, to compare what is sent."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual_plotext import PlotextPlot

from tui_diffusion.core import forward_process, get_preset


class Rival(App[None]):
    """A scatter of every level, stepped with ``l``."""

    BINDINGS = [("l", "step", "step")]

    def compose(self) -> ComposeResult:
        yield PlotextPlot()

    def on_mount(self) -> None:
        self.level = 0
        self.trajectory = forward_process(get_preset("ddpm-multimodal").experiment, points=2000).x
        self.draw()

    def action_step(self) -> None:
        self.level += 1
        self.draw()

    def draw(self) -> None:
        widget = self.query_one(PlotextPlot)
        widget.plt.clear_data()
        points = self.trajectory[self.level]
        widget.plt.scatter(points[:, 0].tolist(), points[:, 1].tolist(), marker="braille")
        widget.plt.xlim(-4, 4)
        widget.plt.ylim(-4, 4)
        widget.plt.title(f"level {self.level}")
        widget.refresh()


if __name__ == "__main__":
    Rival().run()
