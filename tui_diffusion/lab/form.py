"""The hyperparameter form, made entirely from the configuration model.

What a person enters is checked by the model and by nothing else. A value that it rejects stays in
its row as a draft, marked, with the model's reason below; every later change tries the drafts
again, so that two values which are only right together can be entered one after the other.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Literal

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, OptionList

from ..core.experiment import ConfigError, Experiment, field_table
from ..core.fields import FieldSpec
from ..core.nudging import nudge
from ..core.values import format_value
from .lines import Lines, Piece

WIDE = 56
"""Columns from which a row shows the whole path and the label."""
MEDIUM = 36
"""Columns from which a row shows the unit."""
_PICTURED = 15
"""Lines from which the form has room for a picture of the noise levels."""

Picture = Callable[[Experiment, Experiment, str, int, int], list[Strip]]
"""Draws the noise levels of an experiment over its preset's, for a field: path, width, height."""


def settle(
    experiment: Experiment, drafts: Mapping[str, Any]
) -> tuple[Experiment, dict[str, ConfigError]]:
    """``experiment`` with every draft that can be taken, and for each other one the reason.

    ``drafts`` are values by path, the latest last. First as many as possible are taken together,
    then the others one by one, until none can be taken any more.
    """
    together = dict(drafts)
    while together:
        try:
            experiment = experiment.with_settings(together)
            break
        except ConfigError as error:
            del together[error.field if error.field in together else next(reversed(together))]

    left = {path: value for path, value in drafts.items() if path not in together}
    while True:
        problems: dict[str, ConfigError] = {}
        for path, value in left.items():
            try:
                experiment = experiment.with_settings({path: value})
            except ConfigError as error:
                problems[path] = error
        if len(problems) == len(left):
            return experiment, problems
        left = {path: left[path] for path in problems}


class _Closed(Message):
    """An editor was left: with what was entered, or None where that is to be dropped."""

    def __init__(self, editor: _FormInput | _FormChoices, text: str | None) -> None:
        super().__init__()
        self.editor = editor
        self.text = text


class _FormInput(Input):
    """A text field over a value."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("up", "nudge(True)", "Up", show=False),
        Binding("down", "nudge(False)", "Down", show=False),
    ]

    def __init__(self, spec: FieldSpec, text: str, nudge: Callable[[bool], None]) -> None:
        # Not on focus: what was typed before that came would be selected, and lost.
        super().__init__(text, select_on_focus=False)
        self.spec = spec
        self._nudge = nudge

    def on_mount(self) -> None:
        self.select_all()

    async def action_submit(self) -> None:
        self.post_message(_Closed(self, self.value))

    def action_nudge(self, up: bool) -> None:
        """On to the next value."""
        self._nudge(up)

    def action_cancel(self) -> None:
        """Drop what was entered."""
        self.post_message(_Closed(self, None))

    def on_blur(self) -> None:
        if self.app.app_focus:  # else only the terminal's window lost it
            self.post_message(_Closed(self, self.value))


class _FormChoices(OptionList):
    """The choices of a field, in a list over the form."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False)]

    def __init__(self, spec: FieldSpec, text: str) -> None:
        super().__init__(*spec.choices)
        self.spec = spec
        self.highlighted = spec.choices.index(text) if text in spec.choices else 0

    @property
    def extent(self) -> tuple[int, int]:
        """Columns and lines that show every choice."""
        return max(map(cell_len, self.spec.choices)) + 6, len(self.spec.choices) + 2

    @on(OptionList.OptionSelected)
    def _take(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(_Closed(self, self.spec.choices[event.option_index]))

    def action_cancel(self) -> None:
        """Leave the value as it is."""
        self.post_message(_Closed(self, None))

    def _move_page(self, direction: Literal[-1, 1]) -> None:
        with suppress(KeyError):  # Textual looks for lines that it has not laid out yet
            super()._move_page(direction)

    def on_blur(self) -> None:
        if self.app.app_focus:  # else only the terminal's window lost it
            self.action_cancel()

    def on_key(self, event: events.Key) -> None:
        # An open list takes every key of the app's: a letter goes to the choice it begins.
        if event.is_printable:
            event.stop()
            starts = [c.startswith(event.character or "") for c in self.spec.choices]
            if True in starts:
                self.highlighted = starts.index(True)
        elif event.key in ("left", "right"):
            event.stop()


class Form(Widget):
    """Every field that applies to an experiment, by section, with help for the one chosen.

    Enter toggles a switch, lists choices or opens a text field in place; Enter there takes the
    value, Escape drops it. Leaving a text field takes its value, as forms do; leaving a list of
    choices drops it. Comma and full stop nudge a value, up and down do in an open text field.

    Backspace gives a field the preset's value back; on a field that has it, all of them, and then
    brings what was changed again.
    """

    DEFAULT_CSS = """
    Form {
        layout: vertical;
        height: 1fr;
        layers: rows above;
        & > _FormRows { height: 1fr; }
        & > _FormHelp {
            height: 5;
            border-top: solid $foreground 20%;
            overflow-y: hidden;
        }
        & > _FormInput {
            layer: above;
            height: 1;
            padding: 0 1;
            background: $surface-lighten-2;
            &, &:focus { border: none; }
        }
        & > _FormChoices {
            layer: above;
            overlay: screen;
            constrain: none inside;
            background: $surface;
            padding: 0;
            &, &:focus { border: round $accent; }
        }
        &.-plain {
            & > _FormHelp { border-top: ascii $foreground 20%; }
            & > _FormChoices:focus { border: ascii $accent; }
        }
    }
    """

    class Changed(Message):
        """The experiment was changed; every value in it has been checked."""

        def __init__(self, experiment: Experiment) -> None:
            super().__init__()
            self.experiment = experiment

    class Rejected(Message):
        """A value was entered that cannot be; it stays in the form as a draft."""

        def __init__(self, error: ConfigError) -> None:
            super().__init__()
            self.error = error

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002
        """``plain``: nothing but ASCII."""
        super().__init__(id=id)
        self.set_class(plain, "-plain")
        self.experiment = Experiment()
        self.preset = self.experiment
        self.drafts: dict[str, str] = {}
        self.problems: dict[str, ConfigError] = {}
        self.trial = self.experiment
        """The experiment with what is being typed, as far as that can be taken."""
        self.refusal: ConfigError | None = None
        """What is wrong with what is being typed, or why a value cannot be nudged further."""
        self._before_reset: Experiment | None = None
        self.picture: Picture | None = None
        """Set once it can be drawn without waiting for torch."""
        self._fields = _FormRows(self, plain=plain)
        self._help = _FormHelp(self, plain=plain)
        self._editor: _FormInput | _FormChoices | None = None

    def compose(self) -> ComposeResult:
        yield self._fields
        yield self._help

    # --- what the owner calls --------------------------------------------------------------------

    def show(self, experiment: Experiment, preset: Experiment) -> None:
        """Show an experiment and mark where it differs from ``preset``; posts nothing.

        Drafts are dropped, unless these are the two that already show.
        """
        if (experiment, preset) == (self.experiment, self.preset):
            return
        self._close()
        self.experiment, self.preset = experiment, preset
        self.drafts, self.problems = {}, {}
        self._before_reset = None
        self._redraw()

    @property
    def editing(self) -> bool:
        """Whether a text field or a list of choices is open, so that keys belong to it."""
        return self._editor is not None

    @property
    def path(self) -> str:
        """The field under the cursor."""
        return self._fields.spec.path

    def select(self, path: str) -> None:
        """Put the cursor on a field; raises KeyError where it does not apply."""
        self._fields.select(path)

    def focus(self, scroll_visible: bool = True) -> Form:
        """Give the focus to the rows."""
        self._fields.focus(scroll_visible)
        return self

    def text(self, path: str) -> str:
        """What the row of a field shows: its draft, or its value."""
        return self.drafts.get(path, format_value(self.experiment.get(path)))

    def changed(self, path: str) -> bool:
        """Whether a field differs from the preset."""
        return bool(self.experiment.get(path) != self.preset.get(path))

    def fault(self, path: str) -> ConfigError | None:
        """What is wrong with a field as it is now, and typed now."""
        return (self.refusal if path == self.path else None) or self.problems.get(path)

    def describe(self) -> None:
        """Bring what is said about the field under the cursor up to date."""
        if self.size.height:
            self._help.styles.height = self._help_lines + 1
        self._help.load()
        changed = sum(map(self.changed, field_table()))
        counts = ((changed, "changed"), (len(self.problems), "wrong"))
        states = [f"{count} {what}" for count, what in counts if count]
        self.border_subtitle = ", ".join(states) or "enter edits"

    # --- values ----------------------------------------------------------------------------------

    def enter(self, path: str, text: str) -> None:
        """Take what a person entered for a field, or keep it as a draft."""
        text = text.strip()
        if text == self.text(path) and path not in self.drafts:
            return  # shown to six digits; taking it again would round the value
        self._take(path, text)

    def reset(self, path: str) -> None:
        """Give a field the preset's value and drop its draft; where it has that and no draft, give
        it to all of them, or what they had before that."""
        if path in self.drafts or self.changed(path):
            self._take(path, self.preset.get(path))
        elif self.drafts or self.experiment != self.preset:
            self._exchange(self.preset, self.experiment)
        elif self._before_reset is not None:
            self._exchange(self._before_reset, None)

    def _exchange(self, experiment: Experiment, before: Experiment | None) -> None:
        self.experiment, self._before_reset = experiment, before
        self.drafts, self.problems, self.refusal = {}, {}, None
        self._redraw()
        self.post_message(self.Changed(experiment))

    def to_undo(self, path: str) -> str:
        """What there is to go back to by Backspace, in a few words, or nothing."""
        if path in self.drafts or self.changed(path):
            preset = f"preset: {format_value(self.preset.get(path))}"
            return preset if self.editing else f"{preset} (backspace)"
        if self.editing:
            return ""
        changes = sum(map(self.changed, field_table())) or len(self.drafts)
        if changes:
            return f"backspace: reset all changed ({changes})"
        return "backspace: changes back" if self._before_reset is not None else ""

    def nudge(self, *, up: bool) -> None:
        """Bring the field under the cursor to its next value, if it has one."""
        path = self.path
        try:
            value = nudge(self.experiment, path, up=up).get(path)
        except ConfigError as error:
            self.refusal = error
            self.describe()
            return
        if value != self.experiment.get(path) or path in self.drafts:
            self._take(path, value)

    def _nudge_editor(self, up: bool) -> None:
        """Put the next value into the text field: at once, for the next key may take it."""
        editor = self._editor
        if not isinstance(editor, _FormInput) or editor.spec.kind not in ("int", "float"):
            return
        path = editor.spec.path
        self._try(path, editor.value)
        try:
            editor.value = format_value(nudge(self.trial, path, up=up).get(path))
        except ConfigError as error:
            self.refusal = error
            self.describe()
        editor.action_end()

    def _try(self, path: str, text: str) -> None:
        """See what would become of the experiment with what is being typed."""
        self.refusal = None
        if text.strip() != self.text(path):
            drafts = {p: v for p, v in self.drafts.items() if p != path}
            trial, problems = settle(self.experiment, {**drafts, path: text.strip()})
            self.refusal = problems.get(path)
            self.trial = trial if self.refusal is None else self.trial
        else:
            self.trial, self.refusal = self.experiment, self.problems.get(path)
        self.describe()

    def _take(self, path: str, value: Any) -> None:
        values: dict[str, Any] = {p: v for p, v in self.drafts.items() if p != path}
        if value != format_value(self.experiment.get(path)):
            values[path] = value
        before, self.refusal, self._before_reset = self.experiment, None, None
        self.experiment, problems = settle(before, values)
        # A draft for a field that means nothing any more could neither be seen nor mended.
        self.problems = {
            p: error for p, error in problems.items() if field_table()[p].applies(self.experiment)
        }
        self.drafts = {
            p: values[p] if isinstance(values[p], str) else format_value(values[p])
            for p in self.problems
        }
        self._redraw()
        error = self.problems.get(path)
        if error is None or self.experiment != before:
            self.post_message(self.Changed(self.experiment))
        if error is not None:
            self.post_message(self.Rejected(error))

    def _redraw(self) -> None:
        self.trial = self.experiment
        self._fields.load()
        self.describe()

    @property
    def pictured(self) -> bool:
        """Whether the noise levels are drawn for the field under the cursor."""
        spec = self._fields.spec
        matters = spec.section == "schedule" or spec.path == "sampling.levels"
        return matters and self.picture is not None and self.size.height >= _PICTURED

    @property
    def _help_lines(self) -> int:
        """Lines below the rows. Narrow columns need more to say the same, but fields come first."""
        third = self.size.height // 3
        if self.pictured:
            return 2 + min(max(2 * self.size.height // 5, 5), 10)
        return 4 if self.size.width >= WIDE else min(max(third, 4), 7)

    def draw(self, width: int, height: int) -> list[Strip]:
        """The noise levels with what is being typed."""
        assert self.picture is not None
        return self.picture(self.trial, self.preset, self.path, width, height)

    # --- editing ---------------------------------------------------------------------------------

    def open(self) -> None:
        """Edit the field under the cursor."""
        spec = self._fields.spec
        text = self.text(spec.path)
        if spec.kind == "bool":
            self.enter(spec.path, "false" if text == "true" else "true")
            return
        self._close()
        self._editor = (
            _FormChoices(spec, text)
            if spec.kind == "choice"
            else _FormInput(spec, text, self._nudge_editor)
        )
        self.mount(self._editor)
        self.place()
        # At once: keys that already wait behind this one belong to the editor.
        self.screen.set_focus(self._editor)
        self.describe()

    def place(self) -> None:
        """Lay the editor over the value, or the choices below it."""
        if self._editor is None:
            return
        region = self._fields.scrollable_content_region
        y = self._fields.cursor - self._fields.scroll_offset.y
        left, right = self._fields.value_span(region.width)
        if isinstance(self._editor, _FormChoices):
            width, height = self._editor.extent
            # Below the row, or above it where that would hide the help on the choices.
            below = y + 1 + height <= region.height or height > y
            left, y = max(right - width, 0), y + 1 if below else y - height
            self._editor.styles.height = height
        else:
            width = right - left
        self._editor.styles.width = width
        self._editor.styles.offset = (left, y)

    def _close(self) -> None:
        editor, self._editor = self._editor, None
        self.trial, self.refusal = self.experiment, None
        if editor is not None:
            if editor.has_focus:
                self.screen.set_focus(self._fields)
            editor.remove()

    @on(_Closed)
    def _finish(self, event: _Closed) -> None:
        event.stop()
        if event.editor is self._editor:
            self._close()
            if event.text is not None:
                self.enter(event.editor.spec.path, event.text)
            self.describe()

    @on(Input.Changed)
    @on(OptionList.OptionHighlighted)
    def _keep(self, event: Input.Changed | OptionList.OptionHighlighted) -> None:
        """What goes on inside an editor is nobody else's business."""
        event.stop()
        editor = self._editor
        if isinstance(event, Input.Changed) and event.input is editor:
            self._try(editor.spec.path, event.value)
        elif isinstance(event, OptionList.OptionHighlighted) and event.option_list is editor:
            self._try(editor.spec.path, editor.spec.choices[event.option_index])

    def on_resize(self) -> None:
        self.describe()


def _short(spec: FieldSpec) -> str:
    """The name of a field below the heading of its section."""
    return spec.path.rpartition(".")[2]


class _FormRows(Lines):
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
            if spec.applies(self._form.experiment):
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
            left = 2 + len(_short(self.spec)) + 1
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
            pieces += [(f"{_short(spec)} ", state)]
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


class _FormHelp(Lines, can_focus=False):
    """What there is to know of the field under the cursor, in the few lines there are."""

    def __init__(self, form: Form, *, plain: bool) -> None:
        super().__init__(plain=plain)
        self._form = form
        self._lines: list[list[Piece]] = []
        self._drawn: list[Strip] = []

    def load(self) -> None:
        """Write it anew, for another field or another size."""
        size = self.scrollable_content_region.size
        if self.is_attached and size:
            spec, width, height = self._form._fields.spec, size.width - 1, size.height
            pictured = self._form.pictured
            self._lines = self._write(spec, width, 2 if pictured else height)
            left = height - len(self._lines)
            self._drawn = self._form.draw(width, left) if pictured and left >= 5 else []
            self.refresh()

    def on_resize(self) -> None:
        self.load()

    def _write(self, spec: FieldSpec, width: int, height: int) -> list[list[Piece]]:
        form, path = self._form, spec.path
        # What the path does not say already, as far as there is room.
        label = "" if spec.label == _short(spec).replace("_", " ") else spec.label
        unit = "" if spec.unit in spec.label else spec.unit
        extra = ", ".join(filter(None, (label, unit)))
        fits = len(path) + 2 + len(extra) <= width
        title: list[Piece] = [(path, "title"), (f"  {extra}" if fits else "", "dim")]
        problem = form.fault(path)
        if problem is not None:
            reason = str(problem).removeprefix(f"{path}: ")
            return [title, *self._wrap(reason, width, height - 1, "error")]
        preset = self._wrap(
            form.to_undo(path), width, 1, "changed" if form.changed(path) else "dim"
        )
        room = height - 1 - len(preset)
        allowed = f"allowed: {spec.allowed}"
        # The help gives way to what is allowed, except that a list of choices opens with Enter.
        about = self._wrap(spec.help, width, room - (spec.kind not in ("choice", "bool")), "")
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
