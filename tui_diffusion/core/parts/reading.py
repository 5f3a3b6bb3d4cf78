"""Reading a part file without running it."""

from __future__ import annotations

from pathlib import Path

from ..config.errors import ConfigError
from ..files import read_plain, reason_of
from ..text import expanded, shown
from .part import PartFile

LARGEST = 2**20
"""Maximum size in bytes of a part file."""


def read_part_file(path: Path | str) -> PartFile:
    """Read a part file without running it; raise `ConfigError`."""
    file = expanded(str(path))
    try:
        if file.suffix != ".py":
            raise ValueError("its name does not end in .py")
        file = file.resolve()
        return PartFile(file, read_plain(file, LARGEST, follow=True))
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"parts {shown(str(path))!r}: {reason_of(error)}; allowed: a file of Python, such as "
            "my_parts.py"
        ) from None
