"""A bordered panel with a title that changes often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from textual.containers import Vertical

from ..output.borders import set_titles

_AROUND = 6
"""Cells of the border outside the title: a corner, a line and a blank at either end."""


class Panel(Vertical, can_focus=True):
    """A column of widgets in a border, with a title above and a subtitle below."""

    DEFAULT_CSS = """
    Panel {
        border: round $foreground 30%; border-title-color: $text;
        border-subtitle-color: $text-muted;
    }
    Panel:focus { border: round $accent; }
    """

    def joined(self, parts: Sequence[str], gap: str = "  ", spare: Iterable[int] = ()) -> str:
        """Join the title parts that fit into the border; see the function `joined`."""
        room = self.outer_size.width - _AROUND
        if room <= 0:  # the panel is hidden, so its width is unknown
            return gap.join(parts)
        return joined(parts, room, gap, spare)

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Set title and subtitle as plain text."""
        set_titles(self, title, subtitle)


def joined(parts: Sequence[str], room: int, gap: str = "  ", spare: Iterable[int] = ()) -> str:
    """Join as many whole parts as fit into ``room`` cells; always include the first one.

    ``spare`` holds the indices of the parts to drop first, in this order; the others are dropped
    from the end.
    """
    left = dict(enumerate(parts))
    for index in (*spare, *range(len(parts) - 1, 0, -1)):
        if cell_len(gap.join(left.values())) <= room:
            break
        left.pop(index, None)
    return gap.join(left.values())
