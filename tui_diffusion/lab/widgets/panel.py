"""A bordered panel with a title that changes often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from textual.containers import Vertical

from ...core import numbered_text
from ...core.numbered_text import NumberedText, text_of
from ..output.borders import set_titles
from ..readings import Reading, readings_in

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

    _title_texts: tuple[NumberedText, ...] = ()

    def joined(
        self, parts: Sequence[NumberedText], gap: str = "  ", spare: Iterable[int] = ()
    ) -> NumberedText:
        """Join the title parts that fit into the border; see the function `joined`."""
        room = self.outer_size.width - _AROUND
        if room <= 0:  # the panel is hidden, so its width is unknown
            return numbered_text.joined(parts, gap)
        return joined(parts, room, gap, spare)

    def entitle(self, title: NumberedText, subtitle: NumberedText = "") -> None:
        """Set title and subtitle as plain text."""
        self._title_texts = (title, subtitle)
        set_titles(self, text_of(title), text_of(subtitle))

    def readings(self) -> Iterator[Reading]:
        """Yield the numbers in the title and the subtitle."""
        for title in self._title_texts:
            yield from readings_in(title)


def joined(
    parts: Sequence[NumberedText], room: int, gap: str = "  ", spare: Iterable[int] = ()
) -> NumberedText:
    """Join as many whole parts as fit into ``room`` cells; always include the first one.

    ``spare`` holds the indices of the parts to drop first, in this order; the others are dropped
    from the end.
    """
    left = dict(enumerate(parts))
    for index in (*spare, *range(len(parts) - 1, 0, -1)):
        if cell_len(gap.join(map(text_of, left.values()))) <= room:
            break
        left.pop(index, None)
    return numbered_text.joined([*left.values()], gap)
