"""Where one is between noise and clean, and how play goes on: states, no widget and no clock."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Levels a second while playing."""

MODES = ("once", "loop", "out and back")
FINE = (1, 2, 4, 8)
"""Sub-steps that a level may be gone through in."""

_UNIT = FINE[-1]
_FRAMES = 16
"""Most pictures a second; where more sub-steps are due, some of them are passed over."""
_REST = 1.0
"""Seconds at an end before play goes on from there."""


@dataclass(frozen=True)
class Play:
    """A place among ``levels``, counted in eighths of a level, and the way play takes from it.

    ``speed`` is an index of `SPEEDS`; ``towards`` is 1 to the clean level and −1 back; ``resting``
    counts the ticks that pass before it moves again.
    """

    levels: int = 1
    eighths: int = _UNIT
    fine: int = 1
    mode: str = MODES[0]
    speed: int = 2
    playing: bool = False
    towards: int = 1
    resting: int = 0

    # --- where it is -------------------------------------------------------------------------

    @property
    def place(self) -> float:
        """From 0, noise, to N, clean; exact, since eighths are."""
        return self.eighths / _UNIT

    @property
    def level(self) -> int:
        """The level last reached."""
        return self.eighths // _UNIT

    @property
    def at_end(self) -> bool:
        """Whether this is the clean level."""
        return self.eighths == self.levels * _UNIT

    @property
    def text(self) -> str:
        """level 12/20, or level 12/20 + 3/8."""
        part = self.eighths % _UNIT
        rest = f" + {part * self.fine // _UNIT}/{self.fine}" if part else ""
        return f"level {self.level}/{self.levels}{rest}"

    @property
    def manner(self) -> str:
        """How it plays, in words; '' where it does nothing out of the ordinary."""
        words = [f"1/{self.fine} level steps"] if self.fine > 1 else []
        if self.playing:
            words.append(f"playing {SPEEDS[self.speed]:g}/s")
        if self.mode != MODES[0]:
            words.append(self.mode)
        return " · ".join(words)

    # --- moving ------------------------------------------------------------------------------

    def go_to(self, level: int) -> Play:
        """At a level, or the nearest there is."""
        return self._at(level * _UNIT)

    def step(self, change: int, size: int = 1) -> Play:
        """``change`` steps of ``size`` sub-steps on, the first one to where such a step ends."""
        unit = size * _UNIT // self.fine
        on = self.eighths // unit if change > 0 else math.ceil(self.eighths / unit)
        return self._at((on + change) * unit)

    def of(self, levels: int) -> Play:
        """In another film: at its clean level where this is at its own, else as near as can be."""
        other = replace(self, levels=levels)
        return other.go_to(levels) if self.at_end else other._at(self.eighths)

    def in_step(self, levels: int) -> Play:
        """As far from noise to clean in a film of other levels, by the sub-step last reached."""
        steps = self.eighths * self.fine * levels // (self.levels * _UNIT)
        return replace(self, levels=levels, eighths=steps * _UNIT // self.fine)

    def _at(self, eighths: int) -> Play:
        return replace(self, eighths=min(max(eighths, 0), self.levels * _UNIT), resting=0)

    # --- playing -----------------------------------------------------------------------------

    @property
    def interval(self) -> float:
        """Seconds from one tick to the next."""
        return self._stride / (SPEEDS[self.speed] * self.fine)

    @property
    def _stride(self) -> int:
        """Sub-steps at a tick: 1, 2, 4 or 8 and never more than a level."""
        return math.ceil(SPEEDS[self.speed] * self.fine / _FRAMES)

    def start(self) -> Play:
        """Play from here on; from the noise where there is nothing beyond."""
        begun = replace(self, playing=True, towards=1, resting=0)
        return begun.go_to(0) if begun.at_end and self.mode != MODES[2] else begun

    def hold(self) -> Play:
        """Stay here."""
        return replace(self, playing=False, resting=0)

    def tick(self) -> Play:
        """What follows after ``interval`` seconds of play."""
        if self.resting:
            return replace(self, resting=self.resting - 1)
        if self._turns:
            if self.mode == MODES[0]:
                return self.hold()
            if self.mode == MODES[1]:
                return replace(self.go_to(0), towards=1)
        moved = replace(self, towards=-self.towards if self._turns else self.towards)
        moved = moved.step(moved.towards, self._stride)
        if not moved._turns:
            return moved
        if self.mode == MODES[0]:
            return moved.hold()
        return replace(moved, resting=math.ceil(_REST / self.interval) - 1)

    @property
    def _turns(self) -> bool:
        """Whether there is nothing further on the way."""
        return self.at_end if self.towards > 0 else self.eighths == 0

    # --- choosing ----------------------------------------------------------------------------

    def faster(self, change: int) -> Play:
        """Faster or slower by so many of the speeds."""
        return replace(self, speed=min(max(self.speed + change, 0), len(SPEEDS) - 1))

    def next_mode(self) -> Play:
        """Once, in a loop, out and back."""
        mode = MODES[(MODES.index(self.mode) + 1) % len(MODES)]
        return replace(self, mode=mode, towards=1 if mode != MODES[2] else self.towards)

    def finer(self) -> Play:
        """Twice as many sub-steps; after the finest whole levels, at the one last reached."""
        fine = FINE[(FINE.index(self.fine) + 1) % len(FINE)]
        unit = _UNIT // fine
        return replace(self, fine=fine, eighths=self.eighths // unit * unit)
