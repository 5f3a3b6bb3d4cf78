"""The guided first run: five stations in the running lab, each passed once its task is done.

The guide names keys to press but handles none itself except escape, which ends it. Its text never
contains the words of the status line or of a title, so that programs which search the screen for
those words do not find them here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NetworkState = Literal["none", "training", "trained", "failed"]
"""The state of the network for the current settings."""


@dataclass(frozen=True)
class VisibleState:
    """The state that the user sees; ``source`` is None if no points show."""

    network: NetworkState = "none"
    source: str | None = None
    level: int = 0
    truth: bool = True


@dataclass(frozen=True)
class GuideStation:
    """A step of the guide.

    ``task``: the action to do, '' for the last card. ``tab``: the tab of a narrow terminal that
    shows its effect.
    """

    task: str
    title: str
    text: str
    tab: str = "denoising"


STATIONS = (
    GuideStation(
        "choose", "choose an experiment",
        "In each of these a network learns to turn noise into data. `↑ ↓` choose another one, "
        "`enter` keeps this.",
        tab="setup",
    ),
    GuideStation(
        "train", "train its network",
        "`t` starts it, and most are done in seconds. The loss falls towards the floor, the least "
        "that any network can reach.",
        tab="",
    ),
    GuideStation(
        "step", "step from noise to data",
        "The network has made these points from pure noise. `←` goes back towards the noise, one "
        "level at a time; `→` towards clean data.",
    ),
    GuideStation(
        "truth", "compare with the truth",
        "The exact density is known at every level, and drawn over the points. `g` hides it and "
        "shows it again: do the points fit?",
    ),
    GuideStation(
        "ideal", "compare with the ideal",
        "Is the network at fault, or could no network do better? `i` puts the exact denoiser in "
        "its place, from the same noise; again, and back.",
    ),
    GuideStation(
        "", "the lab is yours",
        "`?` explains this experiment, `a` any number. `u` tours the nine scripts of the post "
        "behind the lab. `e` writes a picture or a video.",
        tab="",
    ),
)  # fmt: skip
"""The five stations, and a last card with what to do next."""

_TRAIN = 1
"""The index of the station that trains the network for the later stations."""

AGAIN = (
    "That did not work: the line at the top says why. `1` shows the fields; change the one that "
    "it names, then press `t` again."
)
"""The text of the training station after a training has failed."""

_AFTER = ("help", "tour", "ask", "export")
"""Actions that the last card mentions; any of them ends the guide."""

_THERE = {"setup": "`1` shows the list. ", "denoising": "`3` shows the points. "}


class Guide:
    """The progress through the stations; ``at`` is None before the start and after the end."""

    def __init__(self) -> None:
        self.at: int | None = None
        self._failed = False
        self._first: object = None
        self._changed = False

    @property
    def station(self) -> GuideStation | None:
        """The current station, or None."""
        return None if self.at is None else STATIONS[self.at]

    def did(self, action: str) -> bool:
        """Record an action of the user; return whether the text changes."""
        station = self.station
        if station is None or self.at is None:
            return False
        if action in _AFTER and not station.task:
            self.at = None
            return True
        if action != "choose" or station.task != "choose":
            return False
        self.at = _TRAIN
        return True

    def see(self, state: VisibleState) -> bool:
        """Record the visible state; return whether the text changes.

        The levels pass once another one shows; the truth and the ideal denoiser pass once they
        were switched and switched back. Without a network, return to the training station.
        """
        station = self.station
        if station is None or self.at is None:
            return False
        before, failed_before = self.at, self._failed
        self._failed = state.network == "failed"
        if self.at > _TRAIN and station.task and state.network in ("none", "failed"):
            self.at = _TRAIN
        elif (self.at == _TRAIN and state.network == "trained") or self._done(station.task, state):
            self.at += 1
        if self.at != before:
            self._first, self._changed = None, False
            self._done(STATIONS[self.at].task, state)
        return self.at != before or self._failed != failed_before

    def _done(self, task: str, state: VisibleState) -> bool:
        """Return whether the value a task is about has changed and is back to its usual one."""
        if state.source in (None, "forward"):
            return False
        value = {"step": state.level, "truth": state.truth, "ideal": state.source}.get(task)
        if self._first is None:
            self._first = value
        self._changed = self._changed or value != self._first
        usual = {"step": value, "truth": True, "ideal": "network"}.get(task)
        return self._changed and value == usual

    def head(self) -> str:
        """Return the headline of the current station."""
        station = self.station
        assert station is not None and self.at is not None
        number = f" {self.at + 1} of {len(STATIONS) - 1}" if station.task else ""
        return f"First run{number}: {station.title}"

    def text(self, tab: str | None) -> str:
        """Return what to do now; ``tab`` is the visible tab, None if all panels show."""
        station = self.station
        assert station is not None
        if self._failed and self.at == _TRAIN:
            return AGAIN
        away = tab is not None and station.tab not in ("", tab)
        return (_THERE[station.tab] if away else "") + station.text
