"""What plays levels: a place among them, the clock that moves it, and what the keys do to it."""

from __future__ import annotations

from textual.timer import Timer
from textual.widget import Widget

from .level_prompt import Jump
from .level_slider import Ruler
from .playback import Play


class Player(Widget):
    """A panel or a screen with a `Ruler` and a `Jump`; a class of its own draws what is there.

    It is mixed in behind that class's first base, from which alone Textual takes styles.
    """

    play = Play()
    _clock: Timer | None = None

    def redraw(self) -> None:
        """Draw what there is at this place."""
        raise NotImplementedError

    def moved(self) -> None:
        """Another level is shown."""

    @property
    def level(self) -> int:
        """The level last reached."""
        return self.play.level

    @property
    def levels(self) -> int:
        """N."""
        return self.play.levels

    def take(self, play: Play) -> None:
        """Be where this says, and play as it says."""
        before, self.play = self.play, play
        if (play.playing, play.interval) != (before.playing, before.interval):
            if self._clock is not None:
                self._clock.stop()
            self._clock = self.set_interval(play.interval, self._tick) if play.playing else None
        self.redraw()
        if play.level != before.level:
            self.moved()

    def go_to(self, level: int) -> None:
        """Show this level, or the nearest there is."""
        self.take(self.play.go_to(level))

    def _tick(self) -> None:
        self.take(self.play.tick())

    # --- what a person does ------------------------------------------------------------------

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
