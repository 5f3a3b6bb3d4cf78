"""The lab's own screen as a picture."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console
from textual.screen import Screen


def svg(screen: Screen[Any]) -> str:
    """What a screen shows, also where another one is over it, as the source of an SVG."""
    width, height = screen.app.size
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        safe_box=False,
    )
    console.print(screen._compositor.render_update(full=True, screen_stack=[]))
    return console.export_svg(title=str(screen.app.title))
