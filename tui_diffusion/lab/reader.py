"""Reading of files off the event loop, which keeps answering keys meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Generic, TypeVar

from textual.message_pump import MessagePump

T = TypeVar("T")


class Reader(Generic[T]):
    """Run a job on a thread of its own and hand over its outcome on the event loop.

    A newer job replaces an older one, whose outcome is dropped. Each has its own thread, so that a
    file on a disk that does not answer holds up no other. ``owner`` is the app or widget for which
    the outcome is meant; there is none once that has closed.
    """

    def __init__(self, owner: MessagePump) -> None:
        self._owner = owner
        self._latest: Future[T] | None = None

    @property
    def busy(self) -> bool:
        """Whether an outcome is awaited."""
        return self._latest is not None

    def start(self, job: Callable[[], T], done: Callable[[Future[T]], None]) -> Future[T]:
        """Run a job instead of any other and return its outcome, which ``done`` receives."""
        outcome = self._latest = Future[T]()

        def work() -> None:
            try:
                outcome.set_result(job())
            except Exception as error:  # raised again where the outcome is asked for its result
                outcome.set_exception(error)
            if self._owner.is_running:
                with suppress(RuntimeError):  # the event loop has ended
                    self._owner.call_later(self._hand_over, outcome, done)

        Thread(target=work, name="reading", daemon=True).start()
        return outcome

    def cancel(self) -> None:
        """Drop the outcome that is awaited, if there is one."""
        self._latest = None

    def _hand_over(self, outcome: Future[T], done: Callable[[Future[T]], None]) -> None:
        if outcome is self._latest:
            self._latest = None
            done(outcome)
