"""Rows of one line with a cursor: what the list of experiments and the form are drawn with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ...core.text import shown

Piece = tuple[str, str]
"""Text that is already as wide as it shall be, and what it is, by which it is
coloured: '' or a ``lines--`` component class of `Lines`."""


def fit(text: str, width: int, *, right: bool = False, plain: bool = False) -> str:
    """``text`` in exactly ``width`` cells: padded, or cut with an ellipsis, never wrapped.

    What cannot be printed becomes '?', so that no text can reach the terminal as a command.
    """
    width = max(width, 0)
    text = shown(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + ("~" if plain else "…") if width else ""
    padding = " " * (width - length)
    return padding + text if right else text + padding


def middle(text: str, width: int) -> str:
    """``text`` cut in its middle: names of runs differ at their ends."""
    if len(text) <= width:
        return text
    tail = max((width - 1) * 3 // 5, 0)
    return f"{text[: max(width - 1 - tail, 0)]}…{text[len(text) - tail :]}"[: max(width, 0)]


class Lines(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of one line with a cursor; a subclass says how many there are and what is on them.

    One widget draws every row, because mounting a widget a row would be seen at start. Left,
    right, home and end are left to the app, which steps through the denoising with them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Previous", show=False),
        Binding("down", "move(1)", "Next", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("enter", "open", "Open", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--dim",
        "lines--changed",
        "lines--error",
        "lines--title",
        "lines--heading",
        "lines--rule",
        "lines--cursor",
    }

    DEFAULT_CSS = """
    Lines {
        background: transparent;
        color: $foreground;
        overflow-x: hidden;
        & > .lines--dim { color: $text-muted; }
        & > .lines--changed { color: $text-accent; text-style: bold; }
        & > .lines--error { color: $text-error; text-style: bold; }
        & > .lines--title { text-style: bold; }
        & > .lines--heading { color: $text-primary; }
        & > .lines--rule { color: $foreground 20%; }
        & > .lines--cursor { background: $foreground 10%; }
        &:focus > .lines--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: bold;
        }
    }
    """

    ALLOW_SELECT = False

    cursor: int = 0
    """The row under the cursor."""

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002
        """``plain``: nothing but ASCII."""
        super().__init__(id=id)
        self.plain = plain

    # --- what a subclass says --------------------------------------------------------------------

    def count(self) -> int:
        """Number of rows."""
        raise NotImplementedError

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        """What is on a row; the pieces should fill ``width``."""
        raise NotImplementedError

    def selectable(self, row: int) -> bool:
        """Whether the cursor may stand on a row."""
        return True

    def moved(self) -> None:
        """The cursor stands on another row now, by key or by mouse."""

    def action_open(self) -> None:
        """The row under the cursor is to be opened: Enter, or a click on it."""

    # --- the cursor ------------------------------------------------------------------------------

    def fit(self, text: str, width: int, *, right: bool = False) -> str:
        """`fit` in this widget's set of characters."""
        return fit(text, width, right=right, plain=self.plain)

    def section(self, text: str, width: int) -> list[Piece]:
        """A heading with a rule behind it."""
        rule = "-" if self.plain else "─"
        return [(f"{text} ", "heading"), (rule * (width - len(text) - 2), "rule"), (" ", "")]

    def recount(self) -> None:
        """Take over another number of rows."""
        self.virtual_size = Size(0, self.count())
        self.refresh(layout=self.styles.is_auto_height)
        self.follow()

    def move_to(self, row: int) -> None:
        """Put the cursor on a row and keep it in sight; does not call `moved`."""
        before, self.cursor = self.cursor, row
        self.refresh_line(before)
        self.refresh_line(row)
        self.follow()

    def follow(self) -> None:
        """Scroll as little as brings the cursor into sight, with a heading right above it."""
        height = self.scrollable_content_region.height
        top = self.cursor
        if top > 0 and not self.selectable(top - 1):
            top -= 1
        if not height:
            return
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)
        elif self.cursor >= self.scroll_offset.y + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def action_move(self, by: int) -> None:
        """Go to the next row in a direction, or stay."""
        row = self.cursor + by
        while 0 <= row < self.count() and not self.selectable(row):
            row += by
        if 0 <= row < self.count():
            self.move_to(row)
            self.moved()

    def action_page(self, direction: int) -> None:
        """Go a page on or back, or to the last or first row."""
        page = max(self.scrollable_content_region.height - 1, 1)
        rows = [row for row in range(self.count()) if self.selectable(row)]
        if rows:
            wanted = self.cursor + direction * page
            self.move_to(min(rows, key=lambda row: abs(row - wanted)))
            self.moved()

    def on_mount(self) -> None:
        self.recount()

    def on_resize(self) -> None:
        self.follow()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        offset = event.get_content_offset(self)
        row = offset.y + self.scroll_offset.y if offset is not None else -1
        if not (0 <= row < self.count() and self.selectable(row)):
            return
        if row == self.cursor:
            self.action_open()
        else:
            self.move_to(row)
            self.moved()

    # --- drawing ---------------------------------------------------------------------------------

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self.count()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        row = y + self.scroll_offset.y
        base = self.rich_style
        if row >= self.count():
            return Strip.blank(width, base)
        if row == self.cursor and self.can_focus:
            base = self.get_component_rich_style("lines--cursor")
        # One style for the whole row under the cursor: the colours of its pieces are chosen to
        # be read on the background, not on the cursor.
        plain = base if row == self.cursor and self.has_focus else None
        segments = [
            Segment(text, plain or self._style(kind, base)) for text, kind in self.paint(row, width)
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, kind: str, base: Style) -> Style:
        if not kind:
            return base
        style = self.get_component_rich_style(f"lines--{kind}")
        return style + Style.from_color(bgcolor=base.bgcolor)
