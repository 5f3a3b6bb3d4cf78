"""The rows of the form: headings, and a field with its value on each line below them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType

from ....core.config.experiment import field_table
from ....core.config.fields import FieldSpec
from ....core.config.value_types import format_value
from ...widgets.row_list import Lines, Piece

if TYPE_CHECKING:
    from .form import Form

WIDE = 56
"""Columns from which a row shows the whole path and the label."""
MEDIUM = 36
"""Columns from which a row shows the unit."""


def short_name(spec: FieldSpec) -> str:
    """The name of a field below the heading of its section."""
    return spec.path.rpartition(".")[2]


class FormRows(Lines):
    """The rows of the form: headings, and the fields below them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Edit", show=False),
        Binding("backspace,delete", "reset", "Back to the preset", show=False),
        Binding("full_stop", "nudge(True)", "Up", show=False),
        Binding("comma", "nudge(False)", "Down", show=False),
    ]

    def __init__(self, form: Form, *, plain: bool) -> None:
        super().__init__(plain=plain)
        self._form = form
        self._rows: list[str | FieldSpec] = []
        self.load()

    def load(self) -> None:
        """Take over which fields apply; the cursor stays on its field, or near it."""
        before = self._rows[self.cursor] if self._rows else None
        rows: list[str | FieldSpec] = []
        for spec in field_table().values():
            if self._form.applies(spec):
                section = spec.section or "run"
                if section not in rows:
                    rows.append(section)
                rows.append(spec)
        self._rows = rows
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
        spec = self._rows[self.cursor]
        assert isinstance(spec, FieldSpec)
        return spec

    def select(self, path: str) -> None:
        """Put the cursor on a field; raises KeyError where it has no row."""
        spec = field_table()[path]
        if spec not in self._rows:
            raise KeyError(path)
        self.move_to(self._rows.index(spec))
        self.moved()

    def count(self) -> int:
        return len(self._rows)

    def selectable(self, row: int) -> bool:
        return isinstance(self._rows[row], FieldSpec)

    def moved(self) -> None:
        self._form.refusal = None
        self._form.describe()

    def action_open(self) -> None:
        self._form.open()

    def action_reset(self) -> None:
        """Give the field under the cursor, or all of them, the preset's value."""
        self._form.reset(self.spec.path)

    def action_nudge(self, up: bool) -> None:
        """Bring the field under the cursor to its next value."""
        self._form.nudge(up=up)

    def on_key(self, event: events.Key) -> None:
        # A paste or a slow line delivers Enter and the text after it at once. Such keys reach
        # this widget before the editor has the focus, so Enter acts here rather than by way of
        # the app's bindings, and what follows is handed on.
        editor = self._form._editor
        if editor is not None:
            event.stop()
            editor._forward_event(events.Key(event.key, event.character))
        elif event.key == "enter":
            event.stop()
            self.action_open()

    def follow(self) -> None:
        super().follow()
        self._form.place()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._form.place()

    @property
    def allow_vertical_scroll(self) -> bool:
        """Not while a value is being edited: its row would move away below the editor."""
        return super().allow_vertical_scroll and not self._form.editing

    # --- drawing ---------------------------------------------------------------------------------

    def value_span(self, width: int) -> tuple[int, int]:
        """First column of the value of the field under the cursor, and the one after its last."""
        if width >= WIDE:
            left = 2 + max(map(len, field_table())) + 2 + 15
        else:
            left = 2 + len(short_name(self.spec)) + 1
        right = width - (8 if width >= MEDIUM else 1)
        return min(left, max(right - 12, 0)), right

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        spec = self._rows[row]
        if isinstance(spec, str):
            return self.section(spec, width)

        state, mark = "", " "
        if spec.path in self._form.problems:
            state, mark = "error", "!" if self.plain else "✗"
        elif self._form.changed(spec.path):
            state, mark = "changed", "*" if self.plain else "•"
        pieces: list[Piece] = [(f"{mark} ", state)]
        if width >= WIDE:
            names = max(map(len, field_table())) + 2
            pieces += [(self.fit(spec.path, names), state), (self.fit(spec.label, 15), "dim")]
        else:
            pieces += [(f"{short_name(spec)} ", state)]
        unit = self.fit(f" {spec.unit}", 8) if width >= MEDIUM else " "
        room = width - len(unit) - sum(cell_len(text) for text, _ in pieces)
        value = self._form.text(spec.path)
        if state == "changed":
            # With the preset's value before it, where both can be read.
            was = f"{format_value(self._form.preset.get(spec.path))} {'->' if self.plain else '→'} "
            left = room - cell_len(value)
            if cell_len(was) < left:
                pieces.append((self.fit(was, left, right=True), "dim"))
                room -= left
        return [*pieces, (self.fit(value, room, right=True), state), (unit, "dim")]
