"""The state of the playback between noise and clean, independent of widgets and clocks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..core.numbered_text import NamedNumber, NumberedText

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Playback speeds, in levels per second."""

PLAY_MODES = ("once", "loop", "out and back")
"""What the playback does at an end: stop, start again, or turn round."""

FINE = (1, 2, 4, 8)
"""Numbers of sub-steps per level."""

_UNIT = FINE[-1]
_FRAMES = 16
"""Maximum number of pictures per second; faster playback skips sub-steps."""
_REST = 1.0
"""Seconds of rest at an end before the playback continues."""


@dataclass(frozen=True)
class Playback:
    """A position among ``levels``, in units of 1/8 level, and the state of the playback.

    ``speed`` is an index of `SPEEDS`. ``towards`` is 1 towards the clean level and −1 back.
    ``resting`` counts the ticks before the next move.
    """

    levels: int = 1
    eighths: int = _UNIT
    fine: int = 1
    mode: str = PLAY_MODES[0]
    speed: int = 2
    playing: bool = False
    towards: int = 1
    resting: int = 0

    # --- position ----------------------------------------------------------------------------

    @property
    def position(self) -> float:
        """The position from 0 (noise) to N (clean); exact, because it is a multiple of 1/8."""
        return self.eighths / _UNIT

    @property
    def level(self) -> int:
        """The level last reached."""
        return self.eighths // _UNIT

    @property
    def at_end(self) -> bool:
        """Whether the position is the clean level."""
        return self.eighths == self.levels * _UNIT

    @property
    def text(self) -> NumberedText:
        """The position as text: level 12/20, or level 12/20 + 3/8."""
        part = self.eighths % _UNIT
        rest = f" + {part * self.fine // _UNIT}/{self.fine}" if part else ""
        return "level ", NamedNumber("level", f"{self.level}/{self.levels}{rest}")

    @property
    def manner(self) -> list[NumberedText]:
        """The playback mode in words, empty for the default."""
        words: list[NumberedText] = []
        if self.fine > 1:
            words.append((NamedNumber("sub-steps", f"1/{self.fine}"), " level steps"))
        if self.playing:
            words.append(("playing ", NamedNumber("playing", f"{SPEEDS[self.speed]:g}/s")))
        return [*words, *[self.mode] * (self.mode != PLAY_MODES[0])]

    # --- moving ------------------------------------------------------------------------------

    def go_to(self, level: int) -> Playback:
        """Return the state at the level nearest to ``level``."""
        return self._at(level * _UNIT)

    def step(self, change: int, size: int = 1) -> Playback:
        """Return the state after ``change`` steps of ``size`` sub-steps.

        The first step ends at a multiple of ``size``.
        """
        unit = size * _UNIT // self.fine
        on = self.eighths // unit if change > 0 else math.ceil(self.eighths / unit)
        return self._at((on + change) * unit)

    def of(self, levels: int) -> Playback:
        """Restore the position in a trajectory with ``levels`` levels, clamped to them.

        The clean level stays the clean level.
        """
        other = replace(self, levels=levels)
        return other.go_to(levels) if self.at_end else other._at(self.eighths)

    def in_step(self, levels: int) -> Playback:
        """Return the state at the same share of the levels of another trajectory, rounded down."""
        steps = self.eighths * self.fine * levels // (self.levels * _UNIT)
        return replace(self, levels=levels, eighths=steps * _UNIT // self.fine)

    def _at(self, eighths: int) -> Playback:
        return replace(self, eighths=min(max(eighths, 0), self.levels * _UNIT), resting=0)

    # --- playing -----------------------------------------------------------------------------

    @property
    def interval(self) -> float:
        """Seconds between two ticks."""
        return self._stride / (SPEEDS[self.speed] * self.fine)

    @property
    def _stride(self) -> int:
        """Sub-steps per tick: 1, 2, 4 or 8, and at most one level."""
        return math.ceil(SPEEDS[self.speed] * self.fine / _FRAMES)

    def start(self) -> Playback:
        """Start the playback from this position, or from level 0 if this is the clean level."""
        playback = replace(self, playing=True, towards=1, resting=0)
        return playback.go_to(0) if playback.at_end and self.mode != PLAY_MODES[2] else playback

    def hold(self) -> Playback:
        """Return the state with the playback paused."""
        return replace(self, playing=False, resting=0)

    def tick(self) -> Playback:
        """Return the state after ``interval`` seconds of playback."""
        if self.resting:
            return replace(self, resting=self.resting - 1)
        if self._turns:
            if self.mode == PLAY_MODES[0]:
                return self.hold()
            if self.mode == PLAY_MODES[1]:
                return replace(self.go_to(0), towards=1)
        moved = replace(self, towards=-self.towards if self._turns else self.towards)
        moved = moved.step(moved.towards, self._stride)
        if not moved._turns:
            return moved
        if self.mode == PLAY_MODES[0]:
            return moved.hold()
        return replace(moved, resting=math.ceil(_REST / self.interval) - 1)

    @property
    def _turns(self) -> bool:
        """Whether the playback has reached the end of its direction."""
        return self.at_end if self.towards > 0 else self.eighths == 0

    # --- modes -------------------------------------------------------------------------------

    def faster(self, change: int) -> Playback:
        """Change the speed by ``change`` positions in `SPEEDS`."""
        return replace(self, speed=min(max(self.speed + change, 0), len(SPEEDS) - 1))

    def next_mode(self) -> Playback:
        """Select the next mode of `PLAY_MODES`."""
        mode = PLAY_MODES[(PLAY_MODES.index(self.mode) + 1) % len(PLAY_MODES)]
        return replace(self, mode=mode, towards=1 if mode != PLAY_MODES[2] else self.towards)

    def finer(self) -> Playback:
        """Double the sub-steps; after the finest, return to whole levels at the current one."""
        fine = FINE[(FINE.index(self.fine) + 1) % len(FINE)]
        unit = _UNIT // fine
        return replace(self, fine=fine, eighths=self.eighths // unit * unit)
