"""A widget that shows finished lines and repaints only the parts that changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ..drawing.strip_changes import changed_spans
from ..readings import Reading, readings_on


class Canvas(Widget):
    """A widget for lines that its owner draws.

    The owner draws for the size that `Resized` reports and passes the lines to `show`. Lines longer
    or shorter than the widget are cropped or padded.
    """

    DEFAULT_CSS = """
    Canvas { width: 1fr; height: 1fr; }
    """
    can_focus = False

    class Resized(Message):
        """The canvas has a new content size, in cells; the owner must redraw its content."""

        def __init__(self, canvas: Canvas, width: int, height: int) -> None:
            super().__init__()
            self.canvas = canvas
            self.width = width
            self.height = height

        @property
        def control(self) -> Canvas:
            return self.canvas

    class Clicked(Message):
        """A click on the cell `(x, y)` of the content, counted from its upper left corner."""

        def __init__(self, canvas: Canvas, x: int, y: int) -> None:
            super().__init__()
            self.canvas = canvas
            self.x = x
            self.y = y

        @property
        def control(self) -> Canvas:
            return self.canvas

    class Pressed(Message):
        """A click on the name of a key."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: list[Strip] = []

    @property
    def lines(self) -> Sequence[Strip]:
        """The current lines."""
        return self._lines

    def readings(self, below: Canvas | None = None) -> Iterator[Reading]:
        """Yield the numbers of the current lines.

        The lines of ``below`` hold the exact value of each number, in the same columns.
        """
        under = below.lines if below is not None else ()
        for line, exact in zip_longest(self._lines, under, fillvalue=Strip([])):
            yield from readings_on(line, exact)

    def show(self, lines: Sequence[Strip]) -> None:
        """Show `lines` from the top, and repaint only the parts that differ."""
        held, self._lines = self._lines, list(lines)
        width, height = self.size
        blank = Strip.blank(0)
        regions = []
        for y in range(min(height, max(len(held), len(self._lines)))):
            old = held[y] if y < len(held) else blank
            new = self._lines[y] if y < len(self._lines) else blank
            regions += [
                Region(first, y, end - first, 1) for first, end in changed_spans(old, new, width)
            ]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        style = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, style)
        return self._lines[y].crop_extend(0, width, style).apply_style(style)

    def on_resize(self) -> None:
        self.post_message(self.Resized(self, *self.size))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if key := self._key_at(offset.x, offset.y):
            self.post_message(self.Pressed(key))
        else:
            self.post_message(self.Clicked(self, offset.x, offset.y))

    def _key_at(self, x: int, y: int) -> str:
        """Return the key named in a cell, or '': ``key`` in the metadata of the cell's style."""
        if y < len(self._lines):
            for text, style, _ in self._lines[y].crop(x, x + 1):
                if text and style is not None:
                    return str(style.meta.get("key", ""))
        return ""
