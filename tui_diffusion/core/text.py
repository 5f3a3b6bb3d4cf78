"""Text from outside, made safe and short enough to show."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def expanded(text: str) -> Path:
    """Return a text as a path with ``~`` expanded, except that of an unknown user."""
    with suppress(RuntimeError):
        return Path(text).expanduser()
    return Path(text)


def shown(text: object) -> str:
    """Replace control characters in text from outside by '?'."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def threads_text(count: int) -> str:
    """Return "1 thread", "3 threads", …."""
    return f"{count} thread{'s' if count > 1 else ''}"


def shortened(text: str, width: int = 60) -> str:
    """Apply `shown`, and cut the text to ``width`` characters."""
    text = shown(text)
    return text if len(text) <= width else text[: width - 1] + "…"
