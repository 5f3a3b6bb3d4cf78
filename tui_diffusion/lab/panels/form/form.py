"""The hyperparameter form, made entirely from the configuration model.

What a person enters is checked by the model and by nothing else. A value that it rejects stays in
its row as a draft, marked, with the model's reason below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from textwrap import wrap
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, OptionList

from ....core.config.errors import ConfigError
from ....core.config.experiment import Experiment, field_table
from ....core.config.fields import FieldSpec
from ....core.config.stepping import nudge
from ....core.config.value_types import format_value
from .choices import OF_A_FILE, choices_of, named_file
from .drafts import settle
from .editors import Closed, ValueChoices, ValueInput
from .help import FormHelp
from .rows import WIDE, FormRows

_PICTURED = 15
"""Lines from which the form has room for a picture of the noise levels."""
_SKETCHED = 9
"""Lines from which it has room for a small one, while they are edited."""

Picture = Callable[[Experiment, Experiment, str, int, int], list[Strip]]
"""Draws the noise levels of an experiment over its preset's, for a field: path, width, height."""


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
        & > FormRows { height: 1fr; }
        & > FormHelp {
            height: 5;
            border-top: solid $foreground 20%;
            overflow-y: hidden;
        }
        & > ValueInput {
            layer: above;
            height: 1;
            padding: 0 1;
            background: $surface-lighten-2;
            &, &:focus { border: none; }
        }
        & > ValueChoices {
            layer: above;
            overlay: screen;
            constrain: none inside;
            background: $surface;
            padding: 0;
            &, &:focus { border: round $accent; }
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

    class Tried(Message):
        """What is being typed comes to another experiment now, the form's `trial`."""

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002
        """``plain``: nothing but ASCII."""
        super().__init__(id=id)
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
        self._fields = FormRows(self, plain=plain)
        self._help = FormHelp(self, plain=plain)
        self._editor: ValueInput | ValueChoices | None = None

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

    def applies(self, spec: FieldSpec) -> bool:
        """Whether a field has a row: what a file that is refused may lack can be entered too."""
        return spec.applies(self.experiment) or (spec.path in OF_A_FILE and bool(self._file))

    @property
    def _file(self) -> str:
        """The file of points, as it was entered last, or ''."""
        data = self.experiment.data
        now = self.drafts.get("data.path", data.path) if data.name == "file" else ""
        return named_file(self.drafts.get("data.name", "")) or now

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
        if not isinstance(editor, ValueInput) or editor.spec.kind not in ("int", "float"):
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
            if self.refusal is None:
                self._imagine(trial)
        else:
            self.refusal = self.problems.get(path)
            self._imagine(self.experiment)
        self.describe()

    def _imagine(self, trial: Experiment) -> None:
        if trial != self.trial:
            self.trial = trial
            self.post_message(self.Tried())

    def _take(self, path: str, value: Any) -> None:
        values: dict[str, Any] = {p: v for p, v in self.drafts.items() if p != path}
        if value != format_value(self.experiment.get(path)):
            values[path] = value
        before, self.refusal, self._before_reset = self.experiment, None, None
        self.experiment, problems = settle(before, values)
        # A draft for a field that means nothing any more could neither be seen nor mended.
        self.problems = {
            p: error
            for p, error in problems.items()
            if field_table()[p].applies(self.experiment)
            or (p in OF_A_FILE and named_file(str(values.get("data.name", ""))))
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
        least = _SKETCHED if self.editing else _PICTURED
        return matters and self.picture is not None and self.size.height >= least

    @property
    def _help_lines(self) -> int:
        """Lines below the rows. Narrow columns need more to say the same, but fields come first.

        What is wrong is said whole, as far as half of the lines go.
        """
        third = self.size.height // 3
        if self.pictured and self.size.height < _PICTURED and not self.fault(self.path):
            return 5
        if self.pictured and self.size.height >= _PICTURED:
            return 2 + min(max(2 * self.size.height // 5, 5), 10)
        usual = 4 if self.size.width >= WIDE else min(max(third, 4), 7)
        fault = self.fault(self.path)
        needed = 1 + len(wrap(str(fault), max(self.size.width - 1, 1))) if fault else 0
        return max(usual, min(needed, self.size.height // 2))

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
        if spec.path in OF_A_FILE and (choices := choices_of(spec.path, self._file)):
            spec = replace(spec, kind="choice", choices=choices)
        self._edit(
            ValueChoices(spec, text)
            if spec.kind == "choice"
            else ValueInput(spec, text, self._nudge_editor)
        )

    def _edit(self, editor: ValueInput | ValueChoices) -> None:
        self._close()
        self._editor = editor
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
        if isinstance(self._editor, ValueChoices):
            width, height = self._editor.extent
            # Below the row, or above it where that would hide the help on the choices, or over it
            # where that would hide the picture.
            height = min(height, region.height) if self.pictured else height
            if y + 1 + height <= region.height or (height > y and not self.pictured):
                y += 1
            else:
                y = max(y - height, 0)
            left = max(right - width, 0)
            self._editor.styles.height = height
        else:
            width = right - left
        self._editor.styles.width = width
        self._editor.styles.offset = (left, y)

    def _close(self) -> None:
        editor, self._editor = self._editor, None
        self.refusal = None
        self._imagine(self.experiment)
        if editor is not None:
            if editor.has_focus:
                self.screen.set_focus(self._fields)
            editor.remove()

    @on(Closed)
    def _finish(self, event: Closed) -> None:
        event.stop()
        if event.editor is self._editor:
            spec = event.editor.spec
            if (spec.path, event.text) == ("data.name", "file") and not self.experiment.data.path:
                self._edit(ValueInput(spec, "file:", self._nudge_editor, begun=True))
                return
            self._close()
            if event.text is not None:
                self.enter(spec.path, event.text)
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
            if editor.spec.path in OF_A_FILE:  # a file is read once, when it is taken
                return
            self._try(editor.spec.path, editor.spec.choices[event.option_index])

    def on_resize(self) -> None:
        self.describe()
