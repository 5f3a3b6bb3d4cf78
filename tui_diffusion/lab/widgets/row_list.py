"""A list of one-line rows with a cursor, the base of the experiment list and the form."""

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
"""Text padded to its final width, and its kind.

The kind selects the colour: '' or a ``lines--`` component class of `RowList`.
"""


def fit(text: str, width: int, *, right: bool = False, plain: bool = False) -> str:
    """Fit ``text`` into exactly ``width`` cells: pad it, or cut it with an ellipsis.

    Unprintable characters become '?', so that no text acts as a terminal command.
    """
    width = max(width, 0)
    text = shown(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + ("~" if plain else "…") if width else ""
    padding = " " * (width - length)
    return padding + text if right else text + padding


def middle(text: str, width: int) -> str:
    """Cut ``text`` in the middle, because names of runs differ at their ends."""
    if len(text) <= width:
        return text
    tail = max((width - 1) * 3 // 5, 0)
    return f"{text[: max(width - 1 - tail, 0)]}…{text[len(text) - tail :]}"[: max(width, 0)]


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """One-line rows with a cursor; a subclass defines their number and content.

    One widget draws all rows, because mounting one per row would delay the start. The keys left,
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
    RowList {
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
        """Create the list; ``plain`` restricts it to ASCII."""
        super().__init__(id=id)
        self.plain = plain

    # --- for subclasses --------------------------------------------------------------------------

    def count(self) -> int:
        """Return the number of rows."""
        raise NotImplementedError

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        """Yield the pieces of a row, which should fill ``width`` cells."""
        raise NotImplementedError

    def selectable(self, row: int) -> bool:
        """Return whether the cursor may stand on a row."""
        return True

    def moved(self) -> None:
        """Handle a cursor move by key or mouse."""

    def action_open(self) -> None:
        """Open the row under the cursor, after Enter or a click on it."""

    # --- the cursor ------------------------------------------------------------------------------

    def fit(self, text: str, width: int, *, right: bool = False) -> str:
        """Call `fit` with this widget's character set."""
        return fit(text, width, right=right, plain=self.plain)

    def section(self, text: str, width: int) -> list[Piece]:
        """Return a heading followed by a rule."""
        rule = "-" if self.plain else "─"
        return [(f"{text} ", "heading"), (rule * (width - len(text) - 2), "rule"), (" ", "")]

    def recount(self) -> None:
        """Apply a change of the number of rows."""
        self.virtual_size = Size(0, self.count())
        self.refresh(layout=self.styles.is_auto_height)
        self.follow()

    def move_to(self, row: int) -> None:
        """Move the cursor to a row and scroll it into view, without calling `moved`."""
        before, self.cursor = self.cursor, row
        self.refresh_line(before)
        self.refresh_line(row)
        self.follow()

    def follow(self) -> None:
        """Scroll just enough to show the cursor and a heading directly above it."""
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
        """Move the cursor to the next selectable row in a direction, if there is one."""
        row = self.cursor + by
        while 0 <= row < self.count() and not self.selectable(row):
            row += by
        if 0 <= row < self.count():
            self.move_to(row)
            self.moved()

    def action_page(self, direction: int) -> None:
        """Move the cursor by a page, or to the last or first row."""
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
        # The cursor row has one style: the colours of pieces are legible only on the normal
        # background.
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
