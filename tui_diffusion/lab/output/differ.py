"""Terminal output with fewer bytes than Textual's, for the same screen.

Textual repaints the whole of a changed widget, and the whole screen when a window opens or closes;
it also sets both colours for every run of text and resets them after it. This module sends only
cells that differ from the terminal's content and only the style attributes that change, and draws a
line style by style if that is shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rich.color import Color, ColorSystem
from rich.console import Console
from rich.control import Control
from rich.style import NULL_STYLE, Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from ..drawing.palette import CUBE
from ..drawing.strip_changes import differing, strip_cells


class TerminalContent:
    """The cells that the terminal shows, as far as they are known."""

    def __init__(self) -> None:
        self._rows: dict[int, list[object]] = {}

    def forget(self) -> None:
        """Discard the known content, because another program may have written to the terminal."""
        self._rows.clear()

    def least(self, update: Any) -> Any:
        """Reduce Textual's update to the cells that differ."""
        if isinstance(update, ChopsUpdate | LayoutUpdate):
            return _Update(update, self)
        return update

    def changes(self, x: int, y: int, strip: Strip) -> Iterator[tuple[int, Strip]]:
        """Yield the parts of a strip at (x, y) that differ, and record them as shown."""
        row = self._rows.setdefault(y, [])
        end = x + strip.cell_length
        row.extend([None] * (end - len(row)))
        # A character that is not one cell wide always counts as different.
        new: Sequence[object] = strip_cells(strip) or [None] * strip.cell_length
        spans = differing(row[x:end], new) if None not in new else [(0, len(new))]
        row[x:end] = new
        for first, stop in spans:
            yield x + first, strip.crop(first, stop)


class _Update(CompositorUpdate):
    """An update that is compared with the terminal's content when it is sent."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate, shown: TerminalContent) -> None:
        self.update = update
        self.shown = shown

    def render_segments(self, console: Console) -> str:
        pen = OutputCursor(console._color_system)
        lines: dict[int, list[CellRun]] = {}
        for x, y, strip in self._stretches():
            for start, piece in self.shown.changes(x, y, strip.discard_meta()):
                lines.setdefault(y, []).extend(_runs(start, piece))
        for y, runs in lines.items():
            pen = draw_line(pen, y, runs)
        return pen.finished

    def _stretches(self) -> Iterator[tuple[int, int, Strip]]:
        """Yield the position (x, y) and the strip of each part."""
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


@dataclass(frozen=True)
class CellRun:
    """A run of text in one style, from its first column to the column after it."""

    x: int
    end: int
    text: str
    style: Style


def _runs(x: int, strip: Strip) -> list[CellRun]:
    runs = []
    for segment in strip:
        if segment.control:
            continue
        end = x + segment.cell_length
        runs.append(CellRun(x, end, segment.text, segment.style or Style.null()))
        x = end
    return runs


def _by_style(first: Style, runs: Sequence[CellRun]) -> list[CellRun]:
    """Return the runs of a line style by style, starting with the current style.

    A cursor move over another colour takes four bytes; a colour change takes up to twenty.
    """
    order = {first: 0}
    for run in runs:
        order.setdefault(run.style, len(order))
    return sorted(runs, key=lambda run: order[run.style])


@dataclass(frozen=True)
class OutputCursor:
    """The output so far, the current style, and the cursor position if it is known."""

    system: ColorSystem | None
    sent: str = ""
    style: Style = NULL_STYLE
    at: tuple[int, int] | None = None

    def drawing(self, y: int, runs: Sequence[CellRun]) -> OutputCursor:
        """Return the pen after drawing these runs of one line, in this order."""
        sent, style, at = [self.sent], self.style, self.at
        for run in runs:
            sent.append(_move(at, run.x, y))
            if run.style is not style:
                sent.append(_change(style, run.style, self.system))
                style = run.style
            sent.append(run.text)
            at = run.end, y
        return OutputCursor(self.system, "".join(sent), style, at)

    @property
    def finished(self) -> str:
        """The output so far, followed by a style reset."""
        return self.sent + _change(self.style, NULL_STYLE, self.system)


def draw_line(pen: OutputCursor, y: int, runs: Sequence[CellRun]) -> OutputCursor:
    """Return the pen after drawing a line from left to right, or by style if that is shorter."""
    onward, by_style = pen.drawing(y, runs), pen.drawing(y, _by_style(pen.style, runs))
    return by_style if len(by_style.sent) < len(onward.sent) else onward


def _move(at: tuple[int, int] | None, x: int, y: int) -> str:
    """Return the cursor movement; beyond the last column the cursor position is undefined."""
    if at == (x, y):
        return ""
    if at is not None and at[1] == y and at[0] < x:
        by = x - at[0]
        return f"\x1b[{by}C" if by > 1 else "\x1b[C"
    return Control.move_to(x, y).segment.text


@lru_cache(maxsize=4096)
def _change(old: Style, new: Style, system: ColorSystem | None) -> str:
    """Return the codes that turn one style into another, or '' if they look the same."""
    if system is None:
        return ""
    # Attributes can only be reset together, and a link needs its own end code.
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
    """Return the codes of a colour; the 256 colours go by number."""
    if system is ColorSystem.TRUECOLOR and colour.triplet and set(colour.triplet) <= set(CUBE):
        red, green, blue = (CUBE.index(part) for part in colour.triplet)
        return ("38" if foreground else "48", "5", str(16 + 36 * red + 6 * green + blue))
    return colour.downgrade(system).get_ansi_codes(foreground)


def _whole(style: Style, system: ColorSystem) -> str:
    """Return the codes of a whole style."""
    codes = style._make_ansi_codes(system)
    return f"\x1b[{codes}m" if codes else ""
