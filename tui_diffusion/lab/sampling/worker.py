"""Workers beside the training and the screen: a thread each, the latest wish first.

One makes films, another studies of where the error lies. The first film asked for imports torch,
so that the lab paints and answers keys meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

from .request import Progress

if TYPE_CHECKING:
    pass

W = TypeVar("W")
T = TypeVar("T")


_PATIENCE = 0.5
"""Seconds from which the making of something is told of, and may be given up for another."""


class _AbandonedError(Exception):
    """Nobody waits for what is being made any more."""


class Worker(Generic[W, T]):
    """Grants wishes in a thread of its own; a newer wish replaces one not yet begun.

    ``done`` is called from that thread with what ``make`` made, ``failed`` with the wish and what
    went wrong; both must only post messages, and so must ``told``, which is called as the making
    of something goes on for longer than ``patience``, in seconds. ``reached`` says then how far it
    is, and a newer wish ends it.
    """

    def __init__(
        self,
        make: Callable[[W, Progress], T],
        done: Callable[[T], None],
        failed: Callable[[W, Exception], None],
        told: Callable[[], None] = lambda: None,
        patience: float = _PATIENCE,
    ) -> None:
        self._make = make
        self._done = done
        self._failed = failed
        self._told = told
        self._patience = patience
        self.reached: tuple[int, int] | None = None
        self._wish: W | None = None
        self._closed = False
        self._condition = threading.Condition()
        self._busy = False
        self._thread = threading.Thread(target=self._work, name=make.__name__, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether something is being made or wanted."""
        return self._busy or self._wish is not None

    def ask(self, wish: W) -> None:
        """Want this, and no longer anything that has not been begun."""
        with self._condition:
            self._wish = wish
            self._condition.notify()

    def close(self, timeout: float = 0.3) -> bool:
        """End the thread; whether it has ended in time."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        # A call for each, so that nothing is held on to while there is nothing to do.
        while self._work_once():
            pass

    def _work_once(self) -> bool:
        """Wait for a wish and make it; False where there is to be no more."""
        with self._condition:
            while self._wish is None and not self._closed:
                self._condition.wait()
            if self._wish is None or self._closed:
                return False
            wish, self._wish, self._busy = self._wish, None, True
        try:
            made = self._make(wish, self._progress_since(monotonic()))
        except _AbandonedError:
            self._end()
        except Exception as error:  # shown to the person; the lab goes on
            self._end()
            self._failed(wish, error)
        else:
            self._end()
            self._done(made)
        return True

    def _end(self) -> None:
        self._busy, self.reached = False, None

    def _progress_since(self, began: float) -> Progress:
        def progress(done: int, total: int) -> None:
            long = monotonic() - began > self._patience
            if self._closed or (long and self._wish is not None):
                raise _AbandonedError
            if long:
                self.reached = done, total
                self._told()

        return progress
