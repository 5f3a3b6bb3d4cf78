"""The editors of a field of the form: a text field over its value, or a list of choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList

from ....core.config.fields import FieldSpec
from ...output.keys import PagedList
from ...widgets.text_input import TextInput


class Closed(Message):
    """An editor was closed; ``text`` is the entered text, or None if it was cancelled."""

    def __init__(self, editor: ValueInput | ValueChoices, text: str | None) -> None:
        super().__init__()
        self.editor = editor
        self.text = text


class ValueInput(TextInput):
    """A text field over a value."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("up", "nudge(True)", "Up", show=False),
        Binding("down", "nudge(False)", "Down", show=False),
    ]

    def __init__(
        self, spec: FieldSpec, text: str, nudge: Callable[[bool], None], *, begun: bool = False
    ) -> None:
        """``begun``: put the cursor behind the text instead of selecting it."""
        # Selecting on focus would select the text typed before, and the next key would replace it.
        super().__init__(text, select_on_focus=False)
        self.spec = spec
        self._nudge = nudge
        self._begun = begun

    def on_mount(self) -> None:
        if self._begun:
            self.action_end()
        else:
            self.select_all()

    async def action_submit(self) -> None:
        self.post_message(Closed(self, self.value))

    def action_nudge(self, up: bool) -> None:
        """Step to the next value up or down."""
        self._nudge(up)

    def action_cancel(self) -> None:
        """Close and drop the text."""
        self.post_message(Closed(self, None))

    def on_blur(self) -> None:
        if self.app.app_focus:  # otherwise only the terminal's window lost the focus
            self.post_message(Closed(self, self.value))


class ValueChoices(PagedList):
    """The choices of a field, in a list over the form; the empty one reads "(all)" or "(none)"."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False)]

    def __init__(self, spec: FieldSpec, text: str) -> None:
        empty = "(none)" if spec.path == "data.label" else "(all)"
        self._labels = [choice or empty for choice in spec.choices]
        super().__init__(*self._labels, markup=False)
        self.spec = spec
        self.highlighted = spec.choices.index(text) if text in spec.choices else 0

    @property
    def extent(self) -> tuple[int, int]:
        """The columns and lines that show every choice."""
        return max(map(cell_len, self._labels)) + 6, len(self._labels) + 2

    @on(OptionList.OptionSelected)
    def _take(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(Closed(self, self.spec.choices[event.option_index]))

    def action_cancel(self) -> None:
        """Close and keep the value."""
        self.post_message(Closed(self, None))

    def on_blur(self) -> None:
        if self.app.app_focus:  # otherwise only the terminal's window lost the focus
            self.action_cancel()

    def on_key(self, event: events.Key) -> None:
        # An open list takes all keys: a letter moves to the first choice that starts with it.
        if event.is_printable:
            event.stop()
            starts = [c.startswith(event.character or "") for c in self.spec.choices]
            if True in starts:
                self.highlighted = starts.index(True)
        elif event.key in ("left", "right"):
            event.stop()
