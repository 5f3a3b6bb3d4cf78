"""Background workers beside the training and the screen, each with its own thread.

One worker samples trajectories, another diagnoses the error. The first request imports torch in
that thread, so that the lab paints and responds to keys meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

from ...core.progress import ProgressCallback

W = TypeVar("W")
T = TypeVar("T")

_PATIENCE = 0.5
"""Seconds after which a job reports its progress and may be cancelled by a newer request."""


class _AbandonedError(Exception):
    """A newer request has replaced the current one."""


class Worker(Generic[W, T]):
    """Serve requests on a background thread; a newer request replaces a pending one.

    ``make`` serves a request. The thread calls ``done`` with its result, or ``failed`` with the
    request and the error, and ``progressed`` repeatedly once the job takes longer than ``patience``
    seconds; all three must only post messages. ``reached`` is then the progress of the job, and a
    newer request cancels it.
    """

    def __init__(
        self,
        make: Callable[[W, ProgressCallback], T],
        done: Callable[[T], None],
        failed: Callable[[W, Exception], None],
        progressed: Callable[[], None] = lambda: None,
        patience: float = _PATIENCE,
    ) -> None:
        self._make = make
        self._done = done
        self._failed = failed
        self._progressed = progressed
        self._patience = patience
        self.reached: tuple[int, int] | None = None
        self._request: W | None = None
        self._closed = False
        self._condition = threading.Condition()
        self._busy = False
        self._thread = threading.Thread(target=self._work, name=make.__name__, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether a request is being served or pending."""
        return self._busy or self._request is not None

    def ask(self, request: W) -> None:
        """Request this, instead of any pending request."""
        with self._condition:
            self._request = request
            self._condition.notify()

    def close(self, timeout: float = 0.3) -> bool:
        """Stop the thread; return whether it ended within ``timeout`` seconds."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        # Serve each request in a call of its own, so that no references remain while idle.
        while self._work_once():
            pass

    def _work_once(self) -> bool:
        """Wait for a request and serve it; return False after `close`."""
        with self._condition:
            while self._request is None and not self._closed:
                self._condition.wait()
            if self._request is None or self._closed:
                return False
            request, self._request, self._busy = self._request, None, True
        try:
            result = self._make(request, self._progress_since(monotonic()))
        except _AbandonedError:
            self._end()
        except Exception as error:  # reported to the user; the lab continues
            self._end()
            self._failed(request, error)
        else:
            self._end()
            self._done(result)
        return True

    def _end(self) -> None:
        self._busy, self.reached = False, None

    def _progress_since(self, began: float) -> ProgressCallback:
        def progress(done: int, total: int) -> None:
            long = monotonic() - began > self._patience
            if self._closed or (long and self._request is not None):
                raise _AbandonedError
            if long:
                self.reached = done, total
                self._progressed()

        return progress
