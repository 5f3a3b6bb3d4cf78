"""Playback of levels: the position, the clock that moves it, and the key actions."""

from __future__ import annotations

from textual.timer import Timer
from textual.widget import Widget

from .level_prompt import Jump
from .level_slider import Ruler
from .playback import Play


class Player(Widget):
    """A mixin for a panel or a screen with a `Ruler` and a `Jump`; the class draws the content.

    Textual inherits styles only from the first base, so this must be a later one.
    """

    play = Play()
    _clock: Timer | None = None

    def redraw(self) -> None:
        """Draw the content at this position."""
        raise NotImplementedError

    def moved(self) -> None:
        """Handle a change of the level."""

    @property
    def level(self) -> int:
        """The level last reached."""
        return self.play.level

    @property
    def levels(self) -> int:
        """The number of levels, N."""
        return self.play.levels

    def take(self, play: Play) -> None:
        """Set the position and the state of the playback."""
        before, self.play = self.play, play
        if (play.playing, play.interval) != (before.playing, before.interval):
            if self._clock is not None:
                self._clock.stop()
            self._clock = self.set_interval(play.interval, self._tick) if play.playing else None
        self.redraw()
        if play.level != before.level:
            self.moved()

    def go_to(self, level: int) -> None:
        """Show the level nearest to ``level``."""
        self.take(self.play.go_to(level))

    def _tick(self) -> None:
        self.take(self.play.tick())

    # --- user actions ------------------------------------------------------------------------

    def action_step(self, change: int) -> None:
        self.take(self.play.hold().step(change))

    def action_level(self, end: str) -> None:
        self.take(self.play.hold().go_to(0 if end == "first" else self.levels))

    def action_play(self) -> None:
        self.take(self.play.hold() if self.play.playing else self.play.start())

    def action_play_mode(self) -> None:
        self.take(self.play.next_mode())

    def action_finer(self) -> None:
        self.take(self.play.finer())

    def action_speed(self, change: int) -> None:
        self.take(self.play.faster(change))

    def on_ruler_picked(self, message: Ruler.Picked) -> None:
        message.stop()
        self.go_to(message.level)

    def action_jump(self) -> None:
        self.take(self.play.hold())
        self.add_class("asking")
        self.query_one(Jump).ask(self.levels)

    def on_jump_chosen(self, message: Jump.Chosen) -> None:
        message.stop()
        self.go_to(message.level)

    def on_jump_left(self, message: Jump.Left) -> None:
        message.stop()
        self.remove_class("asking")
