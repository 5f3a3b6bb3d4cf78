"""Sends less to the terminal than Textual does by itself, for the same screen.

Textual repaints the whole of a widget that asks for it, and the whole screen when a window opens or
closes; it also names both colours of every run of text and resets them after it. Here only cells
that do not show yet what they should are sent, and only what changes from run to run is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from rich.color import Color, ColorSystem
from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from .canvas import cells_of, differing
from .palette import CUBE


class Shown:
    """The cells that the terminal shows, as far as they were sent."""

    def __init__(self) -> None:
        self._rows: dict[int, list[object]] = {}

    def forget(self) -> None:
        """Somebody else may have written on the terminal."""
        self._rows.clear()

    def least(self, update: Any) -> Any:
        """Textual's update, sending only what is not shown yet."""
        if isinstance(update, ChopsUpdate | LayoutUpdate):
            return _Update(update, self)
        return update

    def news(self, x: int, y: int, strip: Strip) -> Iterator[tuple[int, Strip]]:
        """The stretches of a strip at (x, y) that are not shown yet; from now on they are."""
        row = self._rows.setdefault(y, [])
        end = x + strip.cell_length
        row.extend([None] * (end - len(row)))
        # A character that is not one cell wide counts as never shown.
        new: Sequence[object] = cells_of(strip) or [None] * strip.cell_length
        spans = differing(row[x:end], new) if None not in new else [(0, len(new))]
        row[x:end] = new
        for first, stop in spans:
            yield x + first, strip.crop(first, stop)


class _Update(CompositorUpdate):
    """An update that is compared with what is shown at the moment it is sent."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate, shown: Shown) -> None:
        self.update = update
        self.shown = shown

    def render_segments(self, console: Console) -> str:
        writer = _Writer(console._color_system)
        for x, y, strip in self._stretches():
            for start, piece in self.shown.news(x, y, strip.discard_meta()):
                writer.move(start, y)
                writer.write(piece)
        return writer.text()

    def _stretches(self) -> Iterator[tuple[int, int, Strip]]:
        """Where each of its parts begins, x and y, and the part."""
        update = self.update
        if isinstance(update, LayoutUpdate):
            for y, line in enumerate(update.strips, update.region.y):
                yield update.region.x, y, Strip.join(line)
            return
        for y, first, end in update.spans:
            chops = zip(update.chop_ends[y], update.chops[y].items(), strict=False)
            for chop_end, (x, strip) in chops:
                start, stop = max(first, x), min(end, chop_end)
                if strip is not None and start < stop:
                    yield start, y, strip.crop(start - x, stop - x)


class _Writer:
    """Text with the codes that lead from each style to the next."""

    def __init__(self, system: ColorSystem | None) -> None:
        self._system = system
        self._sent: list[str] = []
        self._style = Style.null()

    def move(self, x: int, y: int) -> None:
        self._sent.append(Control.move_to(x, y).segment.text)

    def write(self, strip: Strip) -> None:
        for text, style, control in strip:
            if control:
                self._sent.append(text)
                continue
            wanted = style or Style.null()
            if wanted is not self._style:
                self._sent.append(_change(self._style, wanted, self._system))
                self._style = wanted
            self._sent.append(text)

    def text(self) -> str:
        self._sent.append(_change(self._style, Style.null(), self._system))
        return "".join(self._sent)


@lru_cache(maxsize=4096)
def _change(old: Style, new: Style, system: ColorSystem | None) -> str:
    """The codes that turn one style into another; '' where they look the same."""
    if system is None:
        return ""
    # Attributes can only be taken away together, and a link ends with its own code.
    if (old._attributes, old._set_attributes) != (new._attributes, new._set_attributes) or (
        old.link or new.link
    ):
        return "\x1b[0m" + _whole(new, system)
    codes: list[str] = []
    for was, now, foreground in (
        (old.color, new.color, True),
        (old.bgcolor, new.bgcolor, False),
    ):
        if was == now:
            continue
        if now is None:
            codes.append("39" if foreground else "49")
        else:
            codes += _codes(now, system, foreground)
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _codes(colour: Color, system: ColorSystem, foreground: bool) -> tuple[str, ...]:
    """The codes of a colour; by its number where it is one of the 256."""
    if system is ColorSystem.TRUECOLOR and colour.triplet and set(colour.triplet) <= set(CUBE):
        red, green, blue = (CUBE.index(part) for part in colour.triplet)
        return ("38" if foreground else "48", "5", str(16 + 36 * red + 6 * green + blue))
    return colour.downgrade(system).get_ansi_codes(foreground)


def _whole(style: Style, system: ColorSystem) -> str:
    """The codes of a style on its own."""
    codes = style._make_ansi_codes(system)
    return f"\x1b[{codes}m" if codes else ""
