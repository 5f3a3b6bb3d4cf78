"""Export options, and functions that parse them from text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..core.config.errors import ConfigError
from ..core.text import shown


class ExportError(ConfigError):
    """A file that cannot be written as requested; the message names the allowed values."""


@dataclass(frozen=True)
class ExportOptions:
    """Options of an exported file; None selects the default of the format.

    ``size`` is in pixels. ``fps`` and ``seconds`` apply to animations. ``force`` replaces an
    existing file. ``view`` is one of `views`; ``level`` is the level that it shows, from 0 (noise)
    to N (clean, the default). ``light`` and ``transparent`` select the background.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    seconds: float | None = None
    force: bool = False
    view: str | None = None
    level: float | None = None
    light: bool = False
    transparent: bool = False


AS_USUAL = ExportOptions()
"""The defaults of every format."""


def read_size(text: str | None) -> tuple[int, int] | None:
    """Parse ``640x480`` as width and height. Raise `ExportError`."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*([0-9]{1,6})\s*[xX×]\s*([0-9]{1,6})\s*", text)
    if match is None:
        raise ExportError(f"--size: {shown(text)[:60]!r} is not allowed; allowed: such as 640x480")
    return int(match[1]), int(match[2])


def read_number(name: str, text: str | None) -> float | None:
    """Parse a numeric option. Raise `ExportError`."""
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ExportError(f"--{name}: {shown(text)[:60]!r} is not allowed; allowed: a number")
    return number


def read_level(text: str | None) -> float | None:
    """Parse a level. Raise `ExportError`."""
    if text is None:
        return None
    if not re.fullmatch(r"\s*[0-9]{1,6}\s*", text):
        raise ExportError(
            f"--level: {shown(text)[:60]!r} is not allowed; allowed: 0 (noise) to the last level"
        )
    return float(text)
