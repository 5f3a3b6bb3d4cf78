"""The state of a process that the lab changes, put back as it was."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

from ...core.training.speeds import use_speeds

_LAST_WAIT = 10.0
"""Seconds that a thread has to end when the process does."""


def _wait_at_exit(threads: set[threading.Thread]) -> None:
    """Let threads end before the interpreter does.

    Python ends those that are left as soon as they ask for the interpreter lock; within torch's C++
    that aborts the whole process.
    """
    for thread in threads:
        atexit.register(thread.join, _LAST_WAIT)


@contextmanager
def put_back() -> Iterator[None]:
    """Put back signals, environment, warnings, collector, torch's threads, and measured speeds.

    The main thread alone may do this. Handlers that were not set from Python stay as they are.
    """
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    environment = dict(os.environ)
    collects, frozen = gc.isenabled(), gc.get_freeze_count()
    threads = torch.get_num_threads()
    speeds, before = use_speeds({}), set(threading.enumerate())
    try:
        with warnings.catch_warnings():
            yield
    finally:
        _wait_at_exit(set(threading.enumerate()) - before)
        use_speeds(speeds)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if not frozen:
            gc.unfreeze()
        (gc.enable if collects else gc.disable)()
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                with suppress(OSError, ValueError):  # such as SIGKILL, which nobody handles
                    signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
