"""Error output of native libraries, kept off the screen while the lab holds the terminal.

Drivers and libraries write to file descriptor 2, past Python: a failed assertion in a CUDA kernel
prints a line per thread. The lab draws through the same descriptor, so it draws through a copy, and
the descriptor itself leads nowhere meanwhile.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper

_STDERR = 2


class NativeOutput:
    """The standard error of native libraries: diverted, or as it was."""

    def __init__(self) -> None:
        self._terminal: TextIOWrapper | None = None

    def divert(self) -> TextIOWrapper | None:
        """Discard what is written to descriptor 2; return a file that writes to its terminal.

        Return None, and divert nothing, if the descriptor is no terminal.
        """
        if self._terminal is None and os.isatty(_STDERR):
            usual = sys.__stderr__
            self._terminal = os.fdopen(
                os.dup(_STDERR),
                "w",
                buffering=1,  # by lines, as the usual one
                encoding=getattr(usual, "encoding", None) or "utf-8",
                errors=getattr(usual, "errors", None),
            )
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, _STDERR)
            os.close(nowhere)
        return self._terminal

    def restore(self) -> None:
        """Let descriptor 2 lead to its terminal again."""
        terminal, self._terminal = self._terminal, None
        if terminal is None:
            return
        os.dup2(terminal.fileno(), _STDERR)
        with suppress(OSError):  # the terminal may be gone
            terminal.close()
