"""The guided first run: five stations on the real lab, each passed once its thing is done.

It says what may be pressed and takes no key but escape, which ends it. Its words are never those
of the status line or of a title, so that who reads the screen by these is not led astray.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["none", "under way", "done", "broken"]
"""What has come of a network for the experiment that is set."""


@dataclass(frozen=True)
class VisibleState:
    """What a person has before them; ``source`` is None where no points show."""

    outcome: Outcome = "none"
    source: str | None = None
    level: int = 0
    truth: bool = True


@dataclass(frozen=True)
class GuideStation:
    """``deed`` is its thing to do. ``tab`` is where it is seen if narrow."""

    deed: str
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
        "`t` starts it, and most are done in seconds. The loss falls towards the floor: the least "
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
        "The exact density is known at every level, and drawn over the points. `g` takes it away "
        "and puts it back: do the points fit?",
    ),
    GuideStation(
        "ideal", "compare with the ideal",
        "Is the network at fault, or could no network do better? `i` puts the exact denoiser in "
        "its place, from the same noise; again, and back.",
    ),
    GuideStation(
        "", "the lab is yours",
        "`?` explains this experiment, `a` what any number means. `u` tours the post behind the "
        "lab, nine scripts long. `e` writes a film to keep.",
        tab="",
    ),
)  # fmt: skip
"""The five, and where to go from there."""

_TRAIN = 1
"""Where the network is trained that all later stations look at."""

AGAIN = (
    "That came to nothing: the line at the top says why. `1` shows the fields; change the one that "
    "it names, then `t` once more."
)
"""What to do where a training broke off."""

_AFTER = ("help", "tour", "ask", "export")
"""Actions that the last card speaks of: the first of them ends the guide."""

_THERE = {"setup": "`1` shows the list. ", "denoising": "`3` shows the points. "}


class Guide:
    """Where a person is in it; ``at`` is None before it begins and when it has ended."""

    def __init__(self) -> None:
        self.at: int | None = None
        self._broken = False
        self._first: object = None
        self._changed = False

    @property
    def station(self) -> GuideStation | None:
        """The one to be passed next."""
        return None if self.at is None else STATIONS[self.at]

    def did(self, deed: str) -> bool:
        """Take a deed of the person's; return whether it changes what is to be said."""
        station = self.station
        if station is None or self.at is None:
            return False
        if deed in _AFTER and not station.deed:
            self.at = None
            return True
        if deed != "choose" or station.deed != "choose":
            return False
        self.at = _TRAIN
        return True

    def see(self, now: VisibleState) -> bool:
        """Take what shows now; return whether it changes what is to be said.

        The levels are passed once another one shows, the truth and the ideal denoiser once they
        were exchanged and are back. Without a network it goes back to where one is trained.
        """
        station = self.station
        if station is None or self.at is None:
            return False
        before, was_broken = self.at, self._broken
        self._broken = now.outcome == "broken"
        if self.at > _TRAIN and station.deed and now.outcome in ("none", "broken"):
            self.at = _TRAIN
        elif (self.at == _TRAIN and now.outcome == "done") or self._exchanged(station.deed, now):
            self.at += 1
        if self.at != before:
            self._first, self._changed = None, False
            self._exchanged(STATIONS[self.at].deed, now)
        return self.at != before or self._broken != was_broken

    def _exchanged(self, deed: str, now: VisibleState) -> bool:
        """Whether what a station is about was another one, and is as it should stay."""
        if now.source in (None, "forward"):
            return False
        showing = {"step": now.level, "truth": now.truth, "ideal": now.source}.get(deed)
        if self._first is None:
            self._first = showing
        self._changed = self._changed or showing != self._first
        usual = {"step": showing, "truth": True, "ideal": "network"}.get(deed)
        return self._changed and showing == usual

    def head(self) -> str:
        """The headline."""
        station = self.station
        assert station is not None and self.at is not None
        number = f" {self.at + 1} of {len(STATIONS) - 1}" if station.deed else ""
        return f"First run{number}: {station.title}"

    def text(self, tab: str | None) -> str:
        """What to do; ``tab`` is the one that shows where only one does."""
        station = self.station
        assert station is not None
        if self._broken and self.at == _TRAIN:
            return AGAIN
        away = tab is not None and station.tab not in ("", tab)
        return (_THERE[station.tab] if away else "") + station.text
