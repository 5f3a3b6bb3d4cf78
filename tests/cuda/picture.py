"""A pseudo-terminal's screen as an SVG."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pyte
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text


def keep(screen: pyte.Screen, name: str) -> Path | None:
    """Write ``name``.svg to the folder that the variable OUT names; None without one."""
    folder = os.environ.get("OUT")
    if not folder:
        return None
    file = Path(folder) / f"{name}.svg"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(svg(screen, name), encoding="utf-8")
    return file


def svg(screen: pyte.Screen, title: str) -> str:
    """Draw all cells with their colours."""
    console = Console(
        record=True, width=screen.columns, file=io.StringIO(), force_terminal=True,
        color_system="truecolor", legacy_windows=False,
    )  # fmt: skip
    for row in range(screen.lines):
        line = Text(no_wrap=True, overflow="ignore")
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            line.append(cell.data, _style(cell))
        console.print(line)
    return console.export_svg(title=title)


def _style(cell: pyte.screens.Char) -> Style:
    return Style(
        color=_colour(cell.fg), bgcolor=_colour(cell.bg), bold=cell.bold, reverse=cell.reverse
    )


def _colour(name: str) -> Color:
    """Return rich's colour of pyte's: ``default``, the name of one of sixteen, or hex digits."""
    if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name):
        return Color.parse(f"#{name}")
    bright = name.removeprefix("bright")
    name = bright if bright == name else f"bright_{bright}"
    return Color.parse(name.replace("brown", "yellow"))
