"""Text from outside, made harmless and short enough to show."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def expanded(text: str) -> Path:
    """The path that a person wrote, with ``~`` for a home; nobody's home is left as it is."""
    with suppress(RuntimeError):
        return Path(text).expanduser()
    return Path(text)


def shown(text: object) -> str:
    """Text from outside made harmless: control characters become '?'."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def threads_text(count: int) -> str:
    """1 thread, 3 threads."""
    return f"{count} thread{'s' if count > 1 else ''}"


def shortened(text: str, width: int = 60) -> str:
    """`shown`, and short enough for one line."""
    text = shown(text)
    return text if len(text) <= width else text[: width - 1] + "…"
