"""Playback of levels: the position, the clock that moves it, and the key actions."""

from __future__ import annotations

from textual.timer import Timer
from textual.widget import Widget

from ...interface.playback import Playback
from .level_prompt import LevelPrompt
from .level_slider import LevelSlider


class LevelPlayer(Widget):
    """A mixin that plays levels, for a panel or screen with a `LevelSlider` and a `LevelPrompt`.

    The class itself draws the content.

    Textual inherits styles only from the first base, so this must be a later one.
    """

    playback = Playback()
    _clock: Timer | None = None

    def redraw(self) -> None:
        """Draw the content at this position."""
        raise NotImplementedError

    def moved(self) -> None:
        """Handle a change of the level."""

    @property
    def level(self) -> int:
        """The level last reached."""
        return self.playback.level

    @property
    def levels(self) -> int:
        """The number of levels, N."""
        return self.playback.levels

    def take(self, playback: Playback) -> None:
        """Set the position and the state of the playback."""
        before, self.playback = self.playback, playback
        if (playback.playing, playback.interval) != (before.playing, before.interval):
            if self._clock is not None:
                self._clock.stop()
            self._clock = (
                self.set_interval(playback.interval, self._tick) if playback.playing else None
            )
        self.redraw()
        if playback.level != before.level:
            self.moved()

    def go_to(self, level: int) -> None:
        """Show the level nearest to ``level``."""
        self.take(self.playback.go_to(level))

    def _tick(self) -> None:
        self.take(self.playback.tick())

    # --- user actions ------------------------------------------------------------------------

    def action_step(self, change: int) -> None:
        self.take(self.playback.hold().step(change))

    def action_level(self, end: str) -> None:
        self.take(self.playback.hold().go_to(0 if end == "first" else self.levels))

    def action_play(self) -> None:
        self.take(self.playback.hold() if self.playback.playing else self.playback.start())

    def action_play_mode(self) -> None:
        self.take(self.playback.next_mode())

    def action_finer(self) -> None:
        self.take(self.playback.finer())

    def action_speed(self, change: int) -> None:
        self.take(self.playback.faster(change))

    def on_level_slider_picked(self, message: LevelSlider.Picked) -> None:
        message.stop()
        self.go_to(message.level)

    def action_jump(self) -> None:
        self.take(self.playback.hold())
        self.add_class("asking")
        self.query_one(LevelPrompt).ask(self.levels)

    def on_level_prompt_chosen(self, message: LevelPrompt.Chosen) -> None:
        message.stop()
        self.go_to(message.level)

    def on_level_prompt_left(self, message: LevelPrompt.Left) -> None:
        message.stop()
        self.remove_class("asking")
