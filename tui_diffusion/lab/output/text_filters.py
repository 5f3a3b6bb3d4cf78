"""Filters that replace characters outside the terminal's character set."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from ..drawing.ascii import to_ascii, to_console


class AsciiFilter(LineFilter):
    """A filter that turns every line of every widget into ASCII."""

    turn = staticmethod(to_ascii)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(self.turn(text), style, control) if control is None else segment
            for segment in segments
            for text, style, control in (segment,)
        ]


class ConsoleFilter(AsciiFilter):
    """A filter that turns every line into the characters of the Linux console."""

    turn = staticmethod(to_console)
