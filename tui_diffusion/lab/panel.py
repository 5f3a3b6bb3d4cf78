"""A bordered panel whose title may change often."""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region


class Panel(Vertical, can_focus=True):
    """A column of widgets with a border, a title in it above and a subtitle below.

    Textual repaints a whole widget, children and all, when its title changes; here only the
    stretch of the border that the title covers is sent.
    """

    DEFAULT_CSS = """
    Panel {
        border: round $foreground 30%; border-title-color: $text;
        border-subtitle-color: $text-muted;
    }
    Panel:focus { border: round $accent; }
    """

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Show this title and subtitle, taken as plain text."""
        width, height = self.outer_size
        old = self._border_title.cell_length if self._border_title else 0
        if self._border_title is None or self._border_title.plain != title:
            self._border_title = Content(title)
            reach = max(old, self._border_title.cell_length) + 4
            self.refresh(Region(-1, -1, min(reach, width), 1))
        old = self._border_subtitle.cell_length if self._border_subtitle else 0
        if self._border_subtitle is None or self._border_subtitle.plain != subtitle:
            self._border_subtitle = Content(subtitle)
            reach = min(max(old, self._border_subtitle.cell_length) + 4, width)
            self.refresh(Region(width - 1 - reach, height - 2, reach, 1))
