"""The hyperparameter form, derived entirely from the configuration model.

Only the model validates what the user enters. A value that it rejects stays in its row as a marked
draft, with the model's reason below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from textwrap import wrap

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, OptionList

from ....core.config.errors import ConfigError
from ....core.config.experiment import Experiment, field_table
from ....core.config.fields import FieldSpec
from ....core.text import shortened
from ...reader import Reader
from ...variation import Variation
from .choices import OF_A_FILE
from .editors import Closed, ValueChoices, ValueInput
from .help import FormHelp
from .model import Check, EntryOutcome, FormModel, spec_with_choices
from .rows import WIDE_ROW, FormRows

_PICTURED = 15
"""Minimum number of lines at which the form shows a picture of the noise levels."""
_SKETCHED = 9
"""Minimum number of lines at which it shows a small one while they are edited."""
_PATIENCE = 1.0
"""Seconds to wait for the choices of a file; after that, a text field opens instead."""

_NOTHING = Variation()

Outcome = Future[tuple[Experiment, dict[str, ConfigError]]]

Picture = Callable[[Experiment, Experiment, str, int, int], list[Strip]]
"""Draws the noise levels of an experiment over its preset's, for a field: path, width, height."""


class Form(Widget):
    """Every field that applies to an experiment, by section, with help for the one chosen.

    Enter toggles a switch, lists choices or opens a text field in place; there, Enter takes the
    value and Escape drops it. Leaving a text field takes its value; leaving a list of choices
    drops it. Comma and full stop step a value down and up, as the arrows do in a text field.

    Backspace resets a field to the preset's value. On a field without changes it resets all
    fields, and then brings the changes back.

    The asterisk opens a text field for the values that a field takes in a sweep.

    Files are read on another thread; meanwhile, the value that names the file waits in its row.
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
        """The experiment was changed; all its values are valid."""

        def __init__(self, experiment: Experiment) -> None:
            super().__init__()
            self.experiment = experiment

    class Varied(Message):
        """What the next sweep varies was changed."""

        def __init__(self, variation: Variation) -> None:
            super().__init__()
            self.variation = variation

    class Rejected(Message):
        """An invalid value was entered; it stays in the form as a draft."""

        def __init__(self, error: ConfigError) -> None:
            super().__init__()
            self.error = error

    class Read(Message):
        """The file of the waiting values was read (``taken``), or the values were dropped."""

        def __init__(self, *, taken: bool) -> None:
            super().__init__()
            self.taken = taken

    class Tried(Message):
        """The text in the open editor has changed the form's `trial` experiment."""

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002
        """``plain``: draw with ASCII only."""
        super().__init__(id=id)
        self.model = FormModel(postpones=True)
        self.picture: Picture | None = None
        """Draws the noise levels; None until torch has loaded."""
        self.fields = FormRows(self.model, plain=plain)
        self.help = FormHelp(self.model, plain=plain)
        self._editor: ValueInput | ValueChoices | None = None
        self._reader: Reader[tuple[Experiment, dict[str, ConfigError]]] = Reader(self)
        self._check: Check | None = None
        self._choices: Reader[FieldSpec] = Reader(self)
        self._variation = self.model.variation
        self._refused_axis = ("", "")

    def compose(self) -> ComposeResult:
        yield self.fields
        yield self.help

    # --- interface -------------------------------------------------------------------------------

    def show(
        self, experiment: Experiment, preset: Experiment, variation: Variation = _NOTHING
    ) -> None:
        """Show an experiment and mark its differences from ``preset``; post no message.

        Drop all drafts, unless these two are already shown.
        """
        if variation != self.model.variation:
            self.model.variation = self._variation = variation
            self.fields.refresh()
            self.describe()
        if (experiment, preset) == (self.model.experiment, self.model.preset):
            return
        self.close_editor()
        self.model.show(experiment, preset)
        self.fields.load()
        self.describe()
        self._read()

    @property
    def editing(self) -> bool:
        """Whether a text field or a list of choices is open, so that keys belong to it."""
        return bool(self.model.edited)

    @property
    def reading(self) -> bool:
        """Whether a value waits for its file to be read."""
        return self.model.check is not None

    @property
    def path(self) -> str:
        """The field under the cursor."""
        return self.fields.spec.path

    def select(self, path: str) -> None:
        """Move the cursor to a field; raise KeyError if it does not apply."""
        self.fields.select(path)
        self.model.clear_refusal()
        self.describe()

    def focus(self, scroll_visible: bool = True) -> Form:
        """Give the focus to the rows."""
        self.fields.focus(scroll_visible)
        return self

    @property
    def problems(self) -> Mapping[str, ConfigError]:
        """The reason why each draft was rejected, by path."""
        return self.model.problems

    @property
    def trial(self) -> Experiment:
        """The experiment with the text in the open editor, as far as that is valid."""
        return self.model.trial

    def changed(self, path: str) -> bool:
        """Return whether the value of a field differs from the preset's."""
        return self.model.changed(path)

    def describe(self) -> None:
        """Update the help on the field under the cursor."""
        if self.size.height:
            self.help.styles.height = self._help_lines + 1
        self.help.show(self.fields.spec, self._draw if self.pictured else None)
        reading = f"reading {shortened(Path(self.model.file).name, 20)} …" if self.reading else ""
        self.border_subtitle = reading or self.model.summary or "enter edits"

    # --- values ----------------------------------------------------------------------------------

    def enter(self, path: str, text: str) -> None:
        """Take the text entered for a field, or keep it as a draft."""
        outcome = self.model.enter(path, text)
        if outcome is not None:
            self.fields.load()
        self._report(outcome)

    @on(FormRows.Edited)
    def _edited(self, event: FormRows.Edited) -> None:
        event.stop()
        self._report(event.outcome)

    def _report(self, outcome: EntryOutcome | None) -> None:
        self.describe()
        if self._variation != self.model.variation:
            self._variation = self.model.variation
            self.post_message(self.Varied(self._variation))
        if outcome is not None and outcome.experiment is not None:
            self.post_message(self.Changed(outcome.experiment))
        if outcome is not None and outcome.error is not None:
            self.post_message(self.Rejected(outcome.error))
        self._read()

    def _read(self) -> None:
        """Start reading the file that values wait for, unless it is being read already."""
        check = self.model.check
        if check is not None and not (self._reader.busy and check == self._check):
            self._check = check
            self._reader.start(check.settle, partial(self._settle, check))
        elif check is None and self._reader.busy:
            self._reader.cancel()
            self.post_message(self.Read(taken=False))

    def _settle(self, check: Check, outcome: Outcome) -> None:
        """Take the values whose file was read, unless others were entered meanwhile."""
        if check == self.model.check:
            taken = self.model.settled(check, *outcome.result())
            self.fields.load()
            self._report(taken)
            self.post_message(self.Read(taken=True))
        else:
            self._read()

    @on(FormRows.Moved)
    def _moved(self, event: FormRows.Moved) -> None:
        event.stop()
        self.describe()

    def _try(self, path: str, text: str) -> None:
        before = self.trial
        self.model.try_text(path, text)
        self._post_trial(before)
        self.describe()

    def _post_trial(self, before: Experiment) -> None:
        if self.trial != before:
            self.post_message(self.Tried())

    def _nudge_editor(self, up: bool) -> None:
        """Put the next value into the text field at once, as the next key may take it."""
        editor = self._editor
        if not isinstance(editor, ValueInput):
            return
        if editor.spec.kind not in ("int", "float") and editor.spec.scale != "label":
            return
        before = self.trial
        editor.value = self.model.next_text(editor.spec.path, editor.value, up=up)
        self._post_trial(before)
        self.describe()
        editor.action_end()

    @property
    def pictured(self) -> bool:
        """Whether the noise levels are drawn for the field under the cursor."""
        spec = self.fields.spec
        relevant = spec.section == "schedule" or spec.path == "sampling.levels"
        least = _SKETCHED if self.editing else _PICTURED
        drawn = self.picture is not None and not self.model.varying
        return relevant and drawn and self.size.height >= least

    @property
    def _help_lines(self) -> int:
        """Number of lines of the help: more in narrow columns, where text wraps earlier.

        An error shows whole, up to half of the form.
        """
        third = self.size.height // 3
        if self.pictured and self.size.height < _PICTURED and not self.model.fault(self.path):
            return 5
        if self.pictured and self.size.height >= _PICTURED:
            return 2 + min(max(2 * self.size.height // 5, 5), 10)
        usual = 4 if self.size.width >= WIDE_ROW else min(max(third, 4), 7)
        fault = self.model.fault(self.path)
        needed = 1 + len(wrap(str(fault), max(self.size.width - 1, 1))) if fault else 0
        return max(usual, min(needed, self.size.height // 2))

    def _draw(self, width: int, height: int) -> list[Strip]:
        """Draw the noise levels for the value in the open editor."""
        assert self.picture is not None
        return self.picture(self.trial, self.model.preset, self.path, width, height)

    # --- editing ---------------------------------------------------------------------------------

    @on(FormRows.Opened)
    def _opened(self, event: FormRows.Opened) -> None:
        event.stop()
        if self.model.edited:  # otherwise the form has moved on to another experiment
            self.open()

    def open(self) -> None:
        """Open an editor for the field under the cursor, with the choices of its file."""
        path = self.path
        if self.model.varying:
            self._open_axis(path)
            return
        if path not in OF_A_FILE:
            self._open_editor(self.model.spec_to_edit(path))
            return
        read = partial(spec_with_choices, path, self.model.file)
        self._choices.start(read, lambda outcome: self._offer(outcome.result()))
        self.set_timer(_PATIENCE, lambda: self._offer(field_table()[path]))

    def _open_axis(self, path: str) -> None:
        """Open a text field for the values of an axis, with those that were refused."""
        variation, (refused_path, text) = self.model.variation, self._refused_axis
        begun = refused_path == path or bool(variation.text(path))
        if refused_path != path:
            text = variation.to_edit(path, self.model.experiment)
        self._refused_axis = ("", "")
        self._edit(ValueInput(field_table()[path], text, lambda up: None, begun=begun))

    def _offer(self, spec: FieldSpec) -> None:
        """Open the editor that waits for this field's choices."""
        if self.model.edited == spec.path and self._editor is None:
            self._choices.cancel()
            self._open_editor(spec)

    def _open_editor(self, spec: FieldSpec) -> None:
        text = self.model.text(spec.path)
        self._edit(
            ValueChoices(spec, text)
            if spec.kind == "choice"
            else ValueInput(spec, text, self._nudge_editor)
        )

    def _edit(self, editor: ValueInput | ValueChoices) -> None:
        if self._editor is not None:
            self.close_editor()
        self._editor = editor
        self.model.begin(editor.spec.path, varying=self.model.varying)
        self.mount(editor)
        self._place_editor()
        # At once, because keys that are already waiting belong to the editor.
        self.screen.set_focus(editor)
        self.fields.attach(editor)
        self.describe()

    @on(FormRows.Scrolled)
    def _scrolled(self, event: FormRows.Scrolled) -> None:
        event.stop()
        self._place_editor()

    def _place_editor(self) -> None:
        """Place the text field over the value, or the choices below it."""
        if self._editor is None:
            return
        region = self.fields.scrollable_content_region
        y = self.fields.cursor - self.fields.scroll_offset.y
        left, right = self.fields.value_span(region.width)
        if isinstance(self._editor, ValueChoices):
            width, height = self._editor.extent
            # Below the row; above it if the list would hide the help there, and over it if it
            # would hide the picture.
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

    def close_editor(self) -> None:
        """Close the editor, if one is open, and drop its text."""
        editor, self._editor = self._editor, None
        self.fields.attach(None)
        before = self.trial
        self.model.end()
        self._post_trial(before)
        if editor is not None:
            if editor.has_focus:
                self.screen.set_focus(self.fields)
            editor.remove()

    @on(Closed)
    def _finish(self, event: Closed) -> None:
        event.stop()
        if event.editor is self._editor:
            spec = event.editor.spec
            if self.model.varying:
                self._finish_axis(spec.path, event.text)
                return
            if (spec.path, event.text) == (
                "data.name",
                "file",
            ) and not self.model.experiment.data.path:
                self._edit(ValueInput(spec, "file:", self._nudge_editor, begun=True))
                return
            self.close_editor()
            if event.text is not None:
                self.enter(spec.path, event.text)
            self.describe()

    def _finish_axis(self, path: str, text: str | None) -> None:
        """Take the values of an axis; those that are refused come back with the next editor."""
        self.close_editor()
        if text is not None:
            outcome = self.model.vary(path, text)
            self._refused_axis = (path, text) if outcome.error is not None else ("", "")
            self.fields.refresh()
            self._report(outcome)
        self.describe()

    @on(Input.Changed)
    @on(OptionList.OptionHighlighted)
    def _keep(self, event: Input.Changed | OptionList.OptionHighlighted) -> None:
        """Update the trial from the open editor; stop the event, which is internal to the form."""
        event.stop()
        editor = self._editor
        if isinstance(event, Input.Changed) and event.input is editor:
            self._try(editor.spec.path, event.value)
        elif isinstance(event, OptionList.OptionHighlighted) and event.option_list is editor:
            self._try(editor.spec.path, editor.spec.choices[event.option_index])

    def on_resize(self) -> None:
        self.describe()
