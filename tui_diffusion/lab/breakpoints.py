"""Sizes of the terminal at which the layout changes."""

from __future__ import annotations

from textual.geometry import Size

WIDE = 100
"""Minimum number of columns at which all panels show together."""


SMALLEST = (60, 18)
"""Minimum number of columns and lines; below it, a screen only names the size it needs."""


def too_small(size: Size) -> str:
    """Return a message with the size needed if ``size`` is too small for a screen, else ''."""
    if size.width >= SMALLEST[0] and size.height >= SMALLEST[1]:
        return ""
    needed = f"{SMALLEST[0]}×{SMALLEST[1]}"
    return f"diffusion-tui needs {needed}; this is {size.width}×{size.height}"
