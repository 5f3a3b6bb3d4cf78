"""What the workers say to the lab; each of these comes from another thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .sampling.diagnosis import Study
    from .sampling.measured_trajectory import Film


class Tick(Message, namespace="lab"):
    """The session has something new; ticks not yet seen are one."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Tick)


class Filmed(Message, namespace="lab"):
    """A film is ready."""

    def __init__(self, film: Film) -> None:
        super().__init__()
        self.film = film


class Studied(Message, namespace="lab"):
    """A study is ready."""

    def __init__(self, study: Study) -> None:
        super().__init__()
        self.study = study


class Counted(Message, namespace="lab"):
    """The runs on disk are counted, by experiment."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        super().__init__()
        self.counts = counts


class Failed(Message, namespace="lab"):
    """A film or a study could not be made."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
