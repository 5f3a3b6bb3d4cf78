"""Sends less to the terminal than Textual does by itself, for the same screen."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color, ColorSystem
from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.strip import Strip

from .palette import CUBE


class SpanCompositor(Compositor):
    """Sends just the stretch of a line that a widget asked to have repainted.

    Textual cuts such a stretch at its right end only and starts at the widget's left edge; for a
    plot that changes at its right end that is the whole line. It also names both colours of every
    run of text and resets them after it; here only what changes from run to run is named.
    """

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return update and _SpanUpdate(update.chops, update.spans, update.chop_ends)


class _SpanUpdate(ChopsUpdate):
    def render_segments(self, console: Console) -> str:
        writer = _Writer(console._color_system)
        for y, first, end in self.spans:
            for chop_end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                start, stop = max(first, x), min(end, chop_end)
                if strip is None or start >= stop:
                    continue
                writer.move(start, y)
                writer.write(strip.crop(start - x, stop - x))
        return writer.text()


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
