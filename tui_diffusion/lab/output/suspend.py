"""Signals: the way out, and into the background and back by ctrl+z, ``kill -TSTP`` and ``fg``.

Textual suspends in the signal's own handler, which may strike while its output queue is locked,
and takes every SIGCONT for a return, so that one that nothing went before starts a second reader of
the keys. Here both are done by the event loop, in one piece: the terminal is given back, the
process stops, and the next line runs when it is in the foreground again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ...core.signals import ENDING, SAVING

if TYPE_CHECKING:
    from .terminal_app import TerminalApp

Rest = Callable[[], threading.Event | None]
"""Has what works beside the screen pause, and gives what lets it go on."""


def catch_signals(app: TerminalApp, save: Callable[[], None], rest: Rest) -> None:
    """Leave on a signal as on `q`, so that the terminal is as it was found; save; suspend."""
    loop = asyncio.get_running_loop()
    try:
        for number in ENDING:
            loop.add_signal_handler(number, app.exit, 128 + number)
        for number in SAVING:
            loop.add_signal_handler(number, save)
        Suspension(app, rest).catch_signals()
    except (NotImplementedError, RuntimeError, ValueError):
        return  # not the main thread, as in tests, or no signals on this system


class Suspension:
    """Stops the app and brings it back; used from the main thread alone."""

    def __init__(self, app: TerminalApp, rest: Rest) -> None:
        self._app = app
        self._rest = rest
        self._loop = asyncio.get_running_loop()
        self._away = False

    def catch_signals(self) -> None:
        """Take over SIGTSTP and SIGCONT, from the main thread."""
        self._loop.add_signal_handler(signal.SIGTSTP, self._leave)
        # Not by the loop: while this is away it must be known at once that the return is its own.
        signal.signal(signal.SIGCONT, lambda *_: self._continued())

    @staticmethod
    def has_shell() -> bool:
        """Whether somebody is there to bring the lab back: it does not lead its session."""
        return os.getpgrp() != os.getsid(0)

    @staticmethod
    def ask() -> None:
        """Have everyone in the foreground stopped, as the terminal does for ctrl+z."""
        os.killpg(os.getpgrp(), signal.SIGTSTP)

    def _continued(self) -> None:
        if not self._away:
            # It was SIGSTOP, which cannot be caught, and the shell has had the terminal since.
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._return)

    def _leave(self) -> None:
        """Give the terminal back, stop until in the foreground again, and return."""
        self._away = True
        resting = self._rest()
        self._release()
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        self._return()
        if resting:
            resting.set()

    def _return(self) -> None:
        """Take the terminal as it now is, and paint everything."""
        self._away = True
        while not self._in_front():
            self._release()
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # it was `bg`
        self._release()
        driver = self._app._driver
        if driver is not None:
            driver.resume_application_mode()
        self._away = False
        self._app.shown.forget()
        self._app.refresh(layout=True)

    def _release(self) -> None:
        """Give the terminal back as it was found; once done, it stays as it is."""
        driver = self._app._driver
        writer = getattr(driver, "_writer_thread", None)
        if driver is not None and writer is not None and writer.is_alive():
            driver.suspend_application_mode()

    @staticmethod
    def _in_front() -> bool:
        with suppress(OSError):
            return os.tcgetpgrp(0) == os.getpgrp()
        return True  # the terminal is gone: the signal that says so comes next
