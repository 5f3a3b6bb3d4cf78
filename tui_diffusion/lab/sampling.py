"""The sampling worker: one thread that makes films, the latest wish first.

It also loads torch: the first film asked for imports it here, so that the lab paints and answers
keys meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..core.experiment import Experiment

if TYPE_CHECKING:
    from .film import Film

Source = Literal["forward", "network", "ideal"]
"""Where points come from: true data noised, the network, or the exact denoiser in its place."""


@dataclass(frozen=True)
class Wish:
    """A film that is wanted. ``step`` says how far the network was trained; ``live`` that it
    still is, so that the film should be quick rather than complete."""

    experiment: Experiment
    source: Source
    seed: int
    points: int
    step: int = 0
    denoiser: Any = None
    live: bool = False


class SamplingWorker:
    """Grants wishes in a thread of its own; a newer wish replaces one not yet begun.

    ``done`` is called from that thread with the film, ``failed`` with the wish and what went
    wrong; both must only post messages.
    """

    def __init__(
        self, done: Callable[[Film], None], failed: Callable[[Wish, Exception], None]
    ) -> None:
        self._done = done
        self._failed = failed
        self._wish: Wish | None = None
        self._closed = False
        self._condition = threading.Condition()
        self._busy = False
        self._thread = threading.Thread(target=self._work, name="sampling", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether a film is being made or wanted."""
        return self._busy or self._wish is not None

    def ask(self, wish: Wish) -> None:
        """Want this film, and no longer any that has not been begun."""
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
        while True:
            with self._condition:
                while self._wish is None and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                wish, self._wish, self._busy = self._wish, None, True
            assert wish is not None
            try:
                from .film import make_film

                film = make_film(wish)
            except Exception as error:  # shown to the person; the lab goes on
                self._busy = False
                self._failed(wish, error)
            else:
                self._busy = False
                self._done(film)
