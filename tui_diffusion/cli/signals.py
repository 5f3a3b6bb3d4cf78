"""The end of a command: its exit code, its message on standard error, and its signals.

Ctrl+Z suspends a training, and ``fg`` resumes it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any

from ..core.signals import ENDING, SAVING


class Exit(IntEnum):
    """Exit codes."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    DIVERGED = 3
    INTERRUPTED = 130


def complain(message: str) -> None:
    """Print one line to standard error, if it is still open."""
    with suppress(OSError):
        print(f"diffusion-tui: {' '.join(message.split())}", file=sys.stderr, flush=True)


class Interrupted(KeyboardInterrupt):
    """A signal that ends the program at once."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Interruption:
    """Signal handling between two reports of a training, where weights, losses and clock agree.

    ``signal_number`` is the number of the signal that requests the end, or 0. ``resting`` is set by
    Ctrl+Z until `rest`. ``saving`` is set by SIGUSR1 and SIGUSR2, which schedulers send some time
    before the end. A second signal takes effect at once, as does any signal except SIGUSR1 and
    SIGUSR2 while ``at_once`` is set. Signals that the parent process ignored, such as SIGHUP, stay
    ignored.
    """

    def __init__(self) -> None:
        self.signal_number = 0
        self.resting = False
        self.saving = False
        self.at_once = True
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        handlers: dict[signal.Signals, Callable[..., None]] = {
            **dict.fromkeys(ENDING, self._ask),
            **dict.fromkeys(SAVING, self._save),
            signal.SIGTSTP: self._rest,
        }
        for number, handler in handlers.items():
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def rest(self) -> None:
        """Suspend the process as the system does, until the shell resumes it."""
        self.resting = False
        # SIGSTOP would also suspend a process without a shell that could resume it.
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)

    def _ask(self, number: int, *_: object) -> None:
        if self.at_once or (self.signal_number and number == signal.SIGINT):
            raise Interrupted(number)
        self.signal_number = self.signal_number or number

    def _save(self, *_: object) -> None:
        self.saving = True

    def _rest(self, *_: object) -> None:
        if self.at_once or self.resting:
            self.rest()
        else:
            self.resting = True
