"""A small guard process that restores the terminal if the lab itself cannot.

``kill -9``, an abort inside a library or a lack of memory end the lab without cleanup. The guard is
forked before any heavy import and waits for the end of a pipe, which the system closes when the lab
ends in any way.
"""

from __future__ import annotations

import os
import signal
import sys
import termios
import warnings
from contextlib import suppress
from typing import Any, NoReturn

_RESET = (
    b"\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?2048l"
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1016l\x1b[?1006l\x1b[?1004l"
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
)
"""Switches off what Textual's driver switches on, the keyboard protocol before the screen."""
_WORDS = (
    b"diffusion-tui: the lab was killed or crashed; a training goes on from its last checkpoint "
    b"with: diffusion-tui --resume\r\n"
)
_HELD, _FREE = b"1", b"0"


class Guard:
    """The lab's end of the pipe, which tells the guard whether the lab uses the terminal."""

    def __init__(self, pipe: int, process: int) -> None:
        self._pipe, self._process = pipe, process

    @classmethod
    def start(cls) -> Guard | None:
        """Fork the guard; return None without a terminal, or if the fork fails."""
        try:
            terminal = next(
                f.fileno() for f in (sys.__stderr__, sys.__stdout__) if f and f.isatty()
            )
            flags = termios.tcgetattr(terminal)
            source, sink = os.pipe()
            with warnings.catch_warnings():
                # Python warns of locks that threads hold in the child; it takes none.
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
        except (OSError, StopIteration, termios.error):
            return None
        if child == 0:
            _watch(source, terminal, flags)
        os.close(source)
        return cls(sink, child)

    def hold(self) -> None:
        """Tell the guard that the lab uses the terminal."""
        self._say(_HELD)

    def release(self) -> None:
        """Tell the guard that the lab has released the terminal."""
        self._say(_FREE)

    def close(self) -> None:
        """End the guard, in a process that goes on without the lab."""
        self.release()
        with suppress(OSError):
            os.close(self._pipe)
            # Another child of this process may hold the pipe open, so that its end never comes.
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)

    def _say(self, word: bytes) -> None:
        with suppress(OSError):  # the guard may have been killed
            os.write(self._pipe, word)


def _watch(source: int, terminal: int, flags: list[Any]) -> NoReturn:
    """Wait for the end of the lab, and restore the terminal if the lab was using it."""
    try:
        os.setsid()  # signals to the lab's terminal or process group must not reach the guard
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTTOU):
            signal.signal(number, signal.SIG_IGN)
        os.dup2(source, 0)
        os.dup2(terminal, 1)
        os.closerange(2, 1024)
        last = _FREE
        while data := os.read(0, 64):
            last = data[-1:]
        if last == _HELD:
            # A shell may already use the terminal with flags of its own; reset only the lab's
            # flags.
            if not termios.tcgetattr(1)[3] & termios.ISIG:
                termios.tcsetattr(1, termios.TCSAFLUSH, flags)
            os.write(1, _RESET + _WORDS)
    finally:
        os._exit(0)
