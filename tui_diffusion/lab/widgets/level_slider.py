"""The level slider: levels from noise to clean on one line."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from ...interface.glyphs import Glyphs
from ..drawing.palette import Palette
from .canvas import Canvas


class LevelSlider(Canvas):
    """A slider that shows the playback position; a click selects a level."""

    DEFAULT_CSS = """
    LevelSlider { height: 1; width: 1fr; }
    """

    class Picked(Message):
        """A click on a level."""

        def __init__(self, level: int) -> None:
            super().__init__()
            self.level = level

    def __init__(self, palette: Palette, glyphs: Glyphs) -> None:
        super().__init__(id="ruler")
        self.palette = palette
        self.glyphs = glyphs
        self.levels = 1
        self.position = 1.0

    def point(self, position: float, levels: int) -> None:
        """Show the position, a level or between two levels."""
        self.position, self.levels = position, max(levels, 1)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _bounds(self) -> tuple[int, int]:
        """Return the first and the last cell of the track."""
        return 7, max(8, self.size.width - 8)

    def _draw(self) -> None:
        first, last = self._bounds()
        room = last - first
        rail, tick, here = ("-", "+", "O") if self.glyphs == "ascii" else ("─", "┼", "●")
        cells = [rail] * (room + 1)
        if self.levels <= room // 2:
            for k in range(self.levels + 1):
                cells[round(room * k / self.levels)] = tick
        at = round(room * self.position / self.levels)
        style = self.palette.style
        self.show(
            [
                Strip(
                    [
                        Segment(" noise ", style("text")),
                        Segment("".join(cells[:at]), style("axis")),
                        Segment(here, style("mark") + Style(bold=True)),
                        Segment("".join(cells[at + 1 :]), style("axis")),
                        Segment(" clean ", style("text")),
                    ]
                )
            ]
        )

    def on_canvas_clicked(self, event: Canvas.Clicked) -> None:
        event.stop()
        first, last = self._bounds()
        share = min(max((event.x - first) / (last - first), 0), 1)
        self.post_message(self.Picked(round(share * self.levels)))
