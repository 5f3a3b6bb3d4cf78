"""Two lines of numbers: the measured ones, and below each the exact one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.style import Style

from ...core.numbered_text import NamedNumber, NumberedText, text_of
from ...interface.playback import Playback
from ..drawing.palette import Palette
from ..readings import below, named, run_of
from ..sampling.measures import Measurement

StyledTexts = list[tuple[str, Style]]


def measured_lines(
    heads: tuple[NumberedText, str],
    items: Sequence[Measurement],
    cells: Callable[[Measurement], int],
    gap: int,
    width: int,
    palette: Palette,
) -> tuple[StyledTexts, StyledTexts]:
    """Return the two lines with as many whole items as fit into ``width`` cells.

    ``heads`` start the lines; the second one says what the values below are. ``cells`` are those of
    an item's values, ``gap`` those after it.
    """
    label, text, goal = (palette.style(role) for role in ("axis", "text", "goal"))
    head, kind = heads
    used = len(text_of(head))
    here, exact = [run_of(head, label)], [(f" {kind:<{used - 1}}", label)]
    for item in items:
        room = cells(item)
        used += len(item.name) + 1 + room + gap
        if used - gap > width:
            break  # a number that is cut reads as another number
        value, style = run_of(item.text, text)
        here += [(f"{item.name} ", label), (f"{value:<{room + gap}}", style)]
        style = _style_below(item, kind, goal)
        exact += [(f"{item.name_below} ", label), (f"{item.value_below:<{room + gap}}", style)]
    return here, exact


def _style_below(item: Measurement, kind: str, style: Style) -> Style:
    """Return the style of the value below: that of the same number, or a number of its own."""
    name = item.name_below.strip()
    if not item.known:
        return style
    if name == "real":
        return below(style, name)
    return (
        below(style, kind)
        if name == item.name
        else named(style, (NamedNumber(name, item.value_below),))
    )


def head_of(playback: Playback) -> NumberedText:
    """Return the head of the measured numbers, which belong to a level.

    Between levels, points are only interpolated.
    """
    if playback.position == playback.level:
        return " here  "
    return " at ", NamedNumber("level", f"{playback.level:<3}")
