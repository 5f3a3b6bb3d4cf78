"""Borders: strong ones for the high-contrast theme, and titles that change often.

When a title changes, Textual repaints the whole widget with its children; `set_titles` repaints
only the cells of the title.
"""

from __future__ import annotations

from textual._styles_cache import StylesCache
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

STARK = """
.-stark Panel:blur, .-stark Pane, .-stark #experiments, .-stark #form {
    border: round $foreground 70%;
}
.-stark * { scrollbar-color: $foreground 70%; }
.-stark FormHelp { border-top: solid $foreground 70%; }
.-stark Lines > .lines--rule { color: $foreground 70%; }
"""
"""Strong borders, where other themes have faint ones; the focused panel keeps its own."""


def set_titles(widget: Widget, title: str, subtitle: str = "") -> None:
    """Set the title and the subtitle of a widget's border as plain text."""
    width, height = widget.outer_size
    old = widget._border_title
    if old is None or old.plain != title:
        widget._border_title = new = Content(title)
        reach = min(_longest(old, new) + 4, width)
        widget.refresh(Region(-1, -1, reach, 1))
    old = widget._border_subtitle
    if old is None or old.plain != subtitle:
        widget._border_subtitle = new = Content(subtitle)
        reach = min(_longest(old, new) + 4, width)
        widget.refresh(Region(width - 1 - reach, height - 2, reach, 1))


def _longest(old: Content | None, new: Content) -> int:
    return max(old.cell_length if old else 0, new.cell_length)


def forget_borders() -> None:
    """Empty Textual's cache of borders, which keeps every line of closed screens in memory."""
    StylesCache.get_inner_outer.cache_clear()
