"""Sizes of the terminal at which the layout changes."""

from __future__ import annotations

from textual.geometry import Size

WIDE = 100
"""Columns from which all panels are shown together."""


SMALLEST = (60, 18)
"""Columns and lines under which a screen only says what it needs."""


def too_small(size: Size) -> str:
    """What is needed, where there is no room for a screen; '' where there is."""
    if size.width >= SMALLEST[0] and size.height >= SMALLEST[1]:
        return ""
    needed = f"{SMALLEST[0]}×{SMALLEST[1]}"
    return f"diffusion-tui needs {needed}; this is {size.width}×{size.height}"
