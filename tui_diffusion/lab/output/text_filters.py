"""Filters that replace what a terminal of plain ASCII cannot show."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from ..terminal.ascii import to_ascii, to_console


class AsciiFilter(LineFilter):
    """Turns every line of every widget into ASCII, whoever drew it."""

    turn = staticmethod(to_ascii)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(self.turn(text), style, control) if control is None else segment
            for segment in segments
            for text, style, control in (segment,)
        ]


class ConsoleFilter(AsciiFilter):
    """Turns every line into what the Linux console can show."""

    turn = staticmethod(to_console)
