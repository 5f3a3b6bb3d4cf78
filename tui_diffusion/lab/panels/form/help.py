"""The help on the field under the cursor, and the picture of the noise levels."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable

from textual.strip import Strip

from ....core.config.fields import FieldSpec
from ...widgets.row_list import Piece, RowList
from .model import FormModel
from .rows import short_name

Draw = Callable[[int, int], list[Strip]]
"""Draws a picture of a width in columns and a height in lines."""

_AXIS = "16,32,64 or 1e-4..1e-1:log7 or 0..1:lin5; one value: does not vary"
"""How the values of an axis are written."""


class FormHelp(RowList, can_focus=False):
    """The help on the field under the cursor, cut to the lines available."""

    def __init__(self, model: FormModel, *, plain: bool) -> None:
        super().__init__(plain=plain)
        self._model = model
        self._spec: FieldSpec | None = None
        self._draw: Draw | None = None
        self._lines: list[list[Piece]] = []
        self._drawn: list[Strip] = []

    def show(self, spec: FieldSpec, draw: Draw | None) -> None:
        """Describe a field, with a picture below the text where ``draw`` is given."""
        self._spec, self._draw = spec, draw
        self._load()

    def _load(self) -> None:
        size = self.scrollable_content_region.size
        if self.is_attached and size and self._spec is not None:
            spec, draw, width, height = self._spec, self._draw, size.width - 1, size.height
            brief = draw is not None and not self._model.fault(spec.path)
            self._lines = self._write(spec, width, 2 if brief else height)
            left = height - len(self._lines)
            self._drawn = draw(width, left) if draw is not None and left >= 3 else []
            self.refresh()

    def on_resize(self) -> None:
        self._load()

    def _write(self, spec: FieldSpec, width: int, height: int) -> list[list[Piece]]:
        model, path = self._model, spec.path
        # Label and unit only if the path does not already contain them.
        label = "" if spec.label == short_name(spec).replace("_", " ") else spec.label
        unit = "" if spec.unit in spec.label else spec.unit
        extra = ", ".join(filter(None, (label, unit)))
        fits = len(path) + 2 + len(extra) <= width
        title: list[Piece] = [(path, "title"), (f"  {extra}" if fits else "", "dim")]
        problem = model.fault(path)
        if problem is not None:
            reason = str(problem).removeprefix(f"{path}: ")
            return [title, *self._wrap(reason, width, height - 1, "error")]
        if model.varying and model.edited == path:
            values = self._wrap(model.axis_note, width, max(height - 2, 1), "changed")
            how = "a number; 1: no error bars" if path == "seed" else _AXIS
            return [title, *values, *self._wrap(how, width, height - 1 - len(values), "dim")]
        preset = self._wrap(
            model.to_undo(path), width, 1, "changed" if model.changed(path) else "dim"
        )
        room = height - 1 - len(preset)
        allowed = f"allowed: {spec.allowed}"
        # Keep a line for the allowed values, except for choices, which Enter lists anyway.
        lines = room - (spec.kind not in ("choice", "bool"))
        about = self._wrap(spec.help, width, lines, "")
        note = spec.notes.get(model.text(path))
        if note and len(self._wrap(spec.help, width, lines + 1, "")) > lines:
            # All choices do not fit: describe the one that is chosen.
            about = self._wrap(f"{model.text(path)}: {note}.", width, lines, "")
        return [title, *about, *self._wrap(allowed, width, room - len(about), "dim"), *preset]

    def _wrap(self, text: str, width: int, lines: int, kind: str) -> list[list[Piece]]:
        more = " ~" if self.plain else " …"
        wrapped = (
            textwrap.wrap(text, width, max_lines=lines, placeholder=more, break_on_hyphens=False)
            if lines > 0 and width > len(more)
            else []
        )
        return [[(line, kind)] for line in wrapped]

    def count(self) -> int:
        return len(self._lines)

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        return self._lines[row]

    def render_line(self, y: int) -> Strip:
        line = y - len(self._lines)
        if not 0 <= line < len(self._drawn):
            return super().render_line(y)
        width = self.scrollable_content_region.width
        return self._drawn[line].crop_extend(0, width, self.rich_style).apply_style(self.rich_style)
