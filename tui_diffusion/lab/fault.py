"""A fault: one line for the person, and where the lab itself failed a file for who mends it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, RenderableType

from ..core.faults import fault_of
from ..core.values import shown


def line(error: Exception) -> str:
    """What went wrong, in one harmless line; what to do where a device or memory is at fault."""
    told = fault_of(error)
    return shown(told or " ".join(str(error).split())) or type(error).__name__


def tell(error: Exception | None, details: Iterable[RenderableType]) -> None:
    """Print the line to standard error, and write the details to the file that it names."""
    file = Path(tempfile.gettempdir()) / f"diffusion-tui-{os.getpid()}.log"
    with file.open("w", encoding="utf-8") as log:
        console = Console(file=log, width=120)
        for renderable in details:
            console.print(renderable)
    what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    print(f"diffusion-tui: the lab failed ({what}); details: {file}", file=sys.stderr)
