"""The rows of the form: headings, and a field with its value on each line below them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from ....core.config.experiment import field_table
from ....core.config.fields import FieldSpec
from ....core.config.value_types import format_value
from ...output.keys import forward_key
from ...widgets.row_list import Piece, RowList
from .model import EntryOutcome, FormModel

WIDE_ROW = 56
"""Minimum number of columns at which a row shows the whole path and the label."""
MEDIUM_ROW = 36
"""Minimum number of columns at which a row shows the unit."""


def short_name(spec: FieldSpec) -> str:
    """Return the name of a field without its section."""
    return spec.path.rpartition(".")[2]


class FormRows(RowList):
    """The rows of the form: headings, and the fields below them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Edit", show=False),
        Binding("backspace,delete", "reset", "Back to the preset", show=False),
        Binding("full_stop", "nudge(True)", "Up", show=False),
        Binding("comma", "nudge(False)", "Down", show=False),
        Binding("asterisk", "vary", "Vary", show=False),
    ]

    class Moved(Message):
        """The cursor moved to another field."""

    class Scrolled(Message):
        """The row in the editor moved on the screen."""

    class Opened(Message):
        """The user asked to edit the field under the cursor."""

    class Edited(Message):
        """A key changed a value in the model, or the model rejected it."""

        def __init__(self, outcome: EntryOutcome | None) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(self, model: FormModel, *, plain: bool) -> None:
        super().__init__(plain=plain)
        self._model = model
        self._editor: Widget | None = None
        self._waiting: list[events.Key] = []
        """Keys that arrived after Enter and before the editor was mounted."""
        self.rows: list[str | FieldSpec] = []
        """The headings and the fields below them."""
        self.load()

    def load(self) -> None:
        """Update the rows to the fields that apply; keep the cursor on its field or near it."""
        before = self.rows[self.cursor] if self.rows else None
        rows: list[str | FieldSpec] = []
        for spec in self._model.fields():
            section = spec.section or "run"
            if section not in rows:
                rows.append(section)
            rows.append(spec)
        self.rows = rows
        if before in rows:
            self.cursor = rows.index(before)
        else:
            self.cursor = min(max(self.cursor, 1), len(rows) - 1)
            self.cursor += not self.selectable(self.cursor)
        if self.is_attached:
            self.recount()

    @property
    def spec(self) -> FieldSpec:
        """The field under the cursor."""
        spec = self.rows[self.cursor]
        assert isinstance(spec, FieldSpec)
        return spec

    def select(self, path: str) -> None:
        """Move the cursor to a field; post no message. Raise KeyError if it has no row."""
        spec = field_table()[path]
        if spec not in self.rows:
            raise KeyError(path)
        self.move_to(self.rows.index(spec))

    def count(self) -> int:
        return len(self.rows)

    def selectable(self, row: int) -> bool:
        return isinstance(self.rows[row], FieldSpec)

    def moved(self) -> None:
        self._model.clear_refusal()
        self.post_message(self.Moved())

    def action_open(self) -> None:
        """Toggle the field under the cursor, or request its editor."""
        if self.spec.kind == "bool":
            self._edited(self._model.toggle(self.spec.path))
        else:
            self._editor, self._waiting = None, []
            self._model.begin(self.spec.path)
            self.post_message(self.Opened())

    def action_vary(self) -> None:
        """Request an editor for the values that the field takes in a sweep."""
        self._editor, self._waiting = None, []
        self._model.begin(self.spec.path, varying=True)
        self.post_message(self.Opened())

    def action_reset(self) -> None:
        """Set the field under the cursor, or all of them, to the preset's value."""
        self._edited(self._model.reset(self.spec.path))

    def action_nudge(self, up: bool) -> None:
        """Step the field under the cursor to its next value."""
        self._edited(self._model.nudge(self.spec.path, up=up))

    def _edited(self, outcome: EntryOutcome | None) -> None:
        if outcome is not None:  # at once, because the next key already acts on the new rows
            self.load()
        self.post_message(self.Edited(outcome))

    # --- the editor ------------------------------------------------------------------------------

    def attach(self, editor: Widget | None) -> None:
        """Forward keys to an editor, the waiting ones first; None stops forwarding."""
        self._editor = editor
        if editor is not None:
            waiting, self._waiting = self._waiting, []
            for key in waiting:
                forward_key(editor, key)

    def on_key(self, event: events.Key) -> None:
        # A paste or a slow line delivers Enter and the text after it at once. Such keys reach
        # this widget before the editor has the focus, so Enter acts here instead of through the
        # app's bindings, and the keys after it are forwarded.
        if self._model.edited:
            event.stop()
            # A new event, because this one is stopped and would not bubble from the editor.
            key = events.Key(event.key, event.character)
            if self._editor is None:
                self._waiting.append(key)
            else:
                forward_key(self._editor, key)
        elif event.key == "enter":
            event.stop()
            self.action_open()

    def follow(self) -> None:
        super().follow()
        self._scrolled()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._scrolled()

    def _scrolled(self) -> None:
        if self._model.edited:
            self.post_message(self.Scrolled())

    @property
    def allow_vertical_scroll(self) -> bool:
        """Whether the rows may scroll; not while editing, as the row would leave its editor."""
        return super().allow_vertical_scroll and not self._model.edited

    # --- drawing ---------------------------------------------------------------------------------

    def value_span(self, width: int) -> tuple[int, int]:
        """Return the start (inclusive) and end (exclusive) column of the value at the cursor."""
        if width >= WIDE_ROW:
            left = 2 + max(map(len, field_table())) + 2 + 15
        else:
            left = 2 + len(short_name(self.spec)) + 1
        right = width - (8 if width >= MEDIUM_ROW else 1)
        return min(left, max(right - 12, 0)), right

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        spec = self.rows[row]
        if isinstance(spec, str):
            return self.section(spec, width)

        state, mark = "", " "
        if spec.path in self._model.problems:
            state, mark = "error", "!" if self.plain else "✗"
        elif spec.path in self._model.waiting:
            state, mark = "dim", "~" if self.plain else "…"
        elif self._model.variation.text(spec.path):
            state, mark = "changed", "%" if self.plain else "∗"
        elif self._model.changed(spec.path):
            state, mark = "changed", "*" if self.plain else "•"
        pieces: list[Piece] = [(f"{mark} ", state)]
        if width >= WIDE_ROW:
            names = max(map(len, field_table())) + 2
            pieces += [(self.fit(spec.path, names), state), (self.fit(spec.label, 15), "dim")]
        else:
            pieces += [(f"{short_name(spec)} ", state)]
        unit = self.fit(f" {spec.unit}", 8) if width >= MEDIUM_ROW else " "
        room = width - len(unit) - sum(cell_len(text) for text, _ in pieces)
        varied = self._model.variation.text(spec.path)
        value = varied or self._model.text(spec.path)
        if state == "changed" and not varied:
            # The preset's value before it, if both fit.
            arrow = "->" if self.plain else "→"
            preset = f"{format_value(self._model.preset.get(spec.path))} {arrow} "
            left = room - cell_len(value)
            if cell_len(preset) < left:
                pieces.append((self.fit(preset, left, right=True), "dim"))
                room -= left
        return [*pieces, (self.fit(value, room, right=True), state), (unit, "dim")]
