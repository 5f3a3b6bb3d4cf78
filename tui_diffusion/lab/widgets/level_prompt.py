"""A prompt for the number of a level, on one line in place of the level slider."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.geometry import Offset
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from .text_input import TextInput


class LevelPrompt(Horizontal):
    """The prompt ``level 0–20:`` with a field.

    It takes the focus when it opens, and returns it when it closes.
    """

    DEFAULT_CSS = """
    LevelPrompt { height: 1; width: 1fr; padding: 0 1; }
    LevelPrompt Static { width: auto; height: 1; }
    LevelPrompt Input { width: 9; margin: 0 1; background: $surface; }
    LevelPrompt #refused { color: $text-error; width: 1fr; }
    """
    BINDINGS = [Binding("escape", "leave", "close")]

    class Chosen(Message):
        """The requested level, which exists."""

        def __init__(self, level: int) -> None:
            super().__init__()
            self.level = level

    class Left(Message):
        """The prompt has closed."""

    def __init__(self) -> None:
        super().__init__(id="jump")
        self.display = False
        self.levels = 1
        self._from: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Static("", id="asked", markup=False)
        yield TextInput(compact=True, max_length=8, select_on_focus=False)
        yield Static("", id="refused", markup=False)

    def on_mount(self) -> None:
        # The hidden input has moved the terminal's cursor.
        self.call_next(self._park)

    def _park(self) -> None:
        self.app.cursor_position = Offset(0, 0)

    def ask(self, levels: int) -> None:
        """Open the prompt for a trajectory with ``levels`` levels."""
        self.levels, self._from = levels, self.screen.focused
        self.query_one("#asked", Static).update(f"level 0–{levels}:")
        self._refuse("")
        # Set the focus synchronously: `focus` or a class would miss the keys typed right after.
        self.display = True
        field = self.query_one(Input)
        field.value = ""
        self.screen.set_focus(field)

    def action_leave(self) -> None:
        """Close the prompt and restore the focus."""
        if not self.display:
            return
        self.display = False
        self._park()
        if self.query_one(Input).has_focus:
            self.screen.set_focus(self._from)
        self.post_message(self.Left())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        # isdecimal also accepts digits of other scripts, as int does, but no sign.
        if text.isdecimal() and int(text) <= self.levels:
            self.post_message(self.Chosen(int(text)))
        elif text:
            self._refuse(f"is not a level; allowed: 0 to {self.levels}")
            event.input.select_all()  # the next input replaces it
            return
        self.action_leave()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._refuse("")

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self.action_leave()

    def _refuse(self, text: str) -> None:
        self.query_one("#refused", Static).update(text)
