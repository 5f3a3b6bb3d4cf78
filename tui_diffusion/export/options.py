"""How a file is to be, and reading that as a person writes it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..core.config.errors import ConfigError
from ..core.text import shown


class ExportError(ConfigError):
    """A file that cannot be written as wished: one line that says why and what is allowed."""


@dataclass(frozen=True)
class Options:
    """How a file is to be; None leaves it to the format.

    ``size`` in pixels; ``fps`` and ``seconds`` of films; ``force`` replaces a file that is there.
    ``view`` is one of `views` and ``level`` where it looks, from 0 (noise) to N (clean), which it
    is by itself. ``light`` and ``transparent`` are the ground.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    seconds: float | None = None
    force: bool = False
    view: str | None = None
    level: float | None = None
    light: bool = False
    transparent: bool = False


AS_USUAL = Options()
"""Everything as the format has it."""


def read_size(text: str | None) -> tuple[int, int] | None:
    """``640x480`` as two numbers; raises `ExportError`."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*([0-9]{1,6})\s*[xX×]\s*([0-9]{1,6})\s*", text)
    if found is None:
        raise ExportError(f"--size: {shown(text)[:60]!r} is not allowed; allowed: such as 640x480")
    return int(found[1]), int(found[2])


def read_number(name: str, text: str | None) -> float | None:
    """A number given as an option; raises `ExportError`."""
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
    """A level as a person writes it; raises `ExportError`."""
    if text is None:
        return None
    if not re.fullmatch(r"\s*[0-9]{1,6}\s*", text):
        raise ExportError(
            f"--level: {shown(text)[:60]!r} is not allowed; allowed: 0 (noise) to the last level"
        )
    return float(text)
