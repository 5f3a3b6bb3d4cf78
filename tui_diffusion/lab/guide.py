"""The guided first run: five stations on the real lab, each passed by doing what it speaks of.

It says what may be pressed and takes no key but escape, which ends it. Its words are never those
of the status line or of a title, so that who reads the screen by these is not led astray.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Station:
    """``deed`` passes it: an action, or "choose". ``tab`` is where it is seen if narrow."""

    deed: str
    title: str
    text: str
    tab: str = "denoising"


STATIONS = (
    Station(
        "choose", "choose an experiment",
        "In each of these a network learns to turn noise into data. `↑ ↓` choose another one, "
        "`enter` keeps this.",
        tab="setup",
    ),
    Station(
        "train", "train its network",
        "`t` starts it, and most are done in seconds. The loss falls towards the floor: the least "
        "that any network can reach.",
        tab="",
    ),
    Station(
        "step", "step from noise to data",
        "The network has made these points from pure noise. `←` goes back towards the noise, one "
        "level at a time; `→` towards clean data.",
    ),
    Station(
        "truth", "compare with the truth",
        "The exact density is known at every level, and drawn over the points. `g` takes it away "
        "and puts it back: do the points fit?",
    ),
    Station(
        "ideal", "compare with the ideal",
        "Does the network err, or could none do better? `i` puts the exact denoiser in its place, "
        "from the same noise; again, and back.",
    ),
    Station(
        "", "the lab is yours",
        "`?` explains this experiment, `a` what any number means. `u` tours the post behind the "
        "lab, nine scripts long. `e` writes a film to keep.",
        tab="",
    ),
)  # fmt: skip
"""The five, and where to go from there."""

DEEDS = {"train": "train", "step": "step", "level": "step", "play": "step", "truth": "truth",
         "ideal": "ideal"}  # fmt: skip
"""Actions of the lab that pass a station."""

_AFTER = ("help", "tour", "ask", "export")
"""Actions that the last card speaks of: the first of them ends the guide."""

_THERE = {"setup": "`1` shows the list. ", "denoising": "`3` shows the points. "}


class Guide:
    """Where a person is in it; ``at`` is None before it begins and when it has ended."""

    def __init__(self) -> None:
        self.at: int | None = None

    @property
    def station(self) -> Station | None:
        """The one to be passed next."""
        return None if self.at is None else STATIONS[self.at]

    def did(self, deed: str) -> bool:
        """A deed of the person's; whether it has changed what is to be said."""
        station = self.station
        if station is None or self.at is None:
            return False
        if deed in _AFTER and not station.deed:
            self.at = None
            return True
        chosen = station.deed == "choose" and deed == "train"  # who trains has chosen
        if deed != station.deed and not chosen:
            return False
        self.at += 2 if chosen else 1
        return True

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
        away = tab is not None and station.tab not in ("", tab)
        return (_THERE[station.tab] if away else "") + station.text
