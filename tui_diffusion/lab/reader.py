"""File reading on another thread, so that the event loop keeps handling keys."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Generic, TypeVar

from textual.message_pump import MessagePump

T = TypeVar("T")


class Reader(Generic[T]):
    """Run a job on its own thread and deliver its outcome on the event loop.

    A newer job replaces an older one, whose outcome is dropped. Each has its own thread, so that a
    file on an unresponsive disk does not delay the next one. ``owner`` is the app or widget that
    receives the outcome; once it has closed, the outcome is dropped.
    """

    def __init__(self, owner: MessagePump) -> None:
        self._owner = owner
        self._latest: Future[T] | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is in progress."""
        return self._latest is not None

    def start(self, job: Callable[[], T], done: Callable[[Future[T]], None]) -> Future[T]:
        """Start a job in place of any other; return its future, which ``done`` also receives."""
        outcome = self._latest = Future[T]()

        def work() -> None:
            try:
                outcome.set_result(job())
            except Exception as error:  # Future.result() raises it again
                outcome.set_exception(error)
            if self._owner.is_running:
                with suppress(RuntimeError):  # the event loop has ended
                    self._owner.call_later(self._hand_over, outcome, done)

        Thread(target=work, name="reading", daemon=True).start()
        return outcome

    def cancel(self) -> None:
        """Drop the job in progress, if there is one."""
        self._latest = None

    def _hand_over(self, outcome: Future[T], done: Callable[[Future[T]], None]) -> None:
        if outcome is self._latest:
            self._latest = None
            done(outcome)
