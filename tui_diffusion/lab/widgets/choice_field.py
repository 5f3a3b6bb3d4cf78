"""A field that selects one of a few values with the left and right keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Static


class ChoiceField(Static, can_focus=True):
    """The selected value between two arrows; inactive with fewer than two values."""

    DEFAULT_CSS = """
    ChoiceField { width: auto; height: 1; padding: 0 1; background: $foreground 10%; }
    ChoiceField:focus { background: $block-cursor-background; color: $block-cursor-foreground; }
    ChoiceField:disabled { color: $text-muted; background: transparent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "next", show=False),
        Binding("left", "turn(-1)", "previous", show=False),
    ]

    def __init__(self, *, plain: bool, id: str) -> None:  # noqa: A002
        super().__init__("", id=id, markup=False)
        self._arrows = ("< ", " >") if plain else ("‹ ", " ›")
        self._values: tuple[str, ...] = ()
        self._index = 0

    def offer(self, values: Sequence[str]) -> None:
        """Replace the values; keep the selected one if it is among them."""
        self._index = values.index(self.value) if self.value in values else 0
        self._values = tuple(values)
        self.disabled = len(values) < 2
        self._write()

    @property
    def value(self) -> str:
        """The selected value, or '' if there is none."""
        return self._values[self._index] if self._values else ""

    def action_turn(self, by: int) -> None:
        """Select the value ``by`` positions further."""
        if self._values:
            self._index = (self._index + by) % len(self._values)
            self._write()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_turn(1)

    def _write(self) -> None:
        left, right = self._arrows if len(self._values) > 1 else ("", "")
        self.update(f"{left}{self.value or '-'}{right}")
