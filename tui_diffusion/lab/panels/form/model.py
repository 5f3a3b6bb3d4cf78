"""The state of the form, without widgets: an experiment, its preset, and the user's entries.

A value that the configuration model rejects is a draft. Every later change tries the drafts again,
so that two values that are valid only together can be entered one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ....core.config.data_section import OF_THE_FILE
from ....core.config.errors import ConfigError
from ....core.config.experiment import Experiment, field_table
from ....core.config.fields import FieldSpec
from ....core.config.stepping import nudge
from ....core.config.value_types import format_value
from ...variation import Variation
from .choices import OF_A_FILE, choices_of, named_file


class EntryOutcome(NamedTuple):
    """The outcome of a value that was entered."""

    experiment: Experiment | None
    """The experiment from now on; None where the value was rejected and nothing changed."""
    error: ConfigError | None
    """The reason why the value stays a draft."""


class Check(NamedTuple):
    """Values to settle with an experiment, for which a file has to be read first."""

    experiment: Experiment
    values: Mapping[str, Any]

    def settle(self) -> tuple[Experiment, dict[str, ConfigError]]:
        """Read the file and settle the values, see `settle`. Safe on any thread."""
        return settle(self.experiment, self.values)


class FormModel:
    """An experiment that is being edited, the preset it is compared with, and all drafts.

    With ``postpones``, the model reads no file: values that name one stay in `waiting` until the
    caller has settled `check`.
    """

    def __init__(self, *, postpones: bool = False) -> None:
        self._postpones = postpones
        self.experiment = Experiment()
        self.preset = self.experiment
        self.trial = self.experiment
        """The experiment with the text in the open editor, as far as that is valid."""
        self.drafts: dict[str, str] = {}
        """The rejected text of each field, by path."""
        self.problems: dict[str, ConfigError] = {}
        """The reason why each draft was rejected, by path."""
        self.waiting: dict[str, str] = {}
        """The values whose file has not been read yet, by path, the latest last."""
        self.edited = ""
        """The path of the field in the open editor, or ''."""
        self.variation = Variation()
        """What the next sweep varies."""
        self.varying = False
        """Whether the open editor holds the values of an axis."""
        self.axis_note = ""
        """What the values in that editor are."""
        self._refused: dict[str, ConfigError] = {}
        """The error of the text in the editor, or the reason why a value has no next one."""
        self._before_reset: Experiment | None = None

    def show(self, experiment: Experiment, preset: Experiment) -> None:
        """Load an experiment and its preset; drop all drafts."""
        self.preset = preset
        self._replace(experiment, before=None)

    def _replace(self, experiment: Experiment, *, before: Experiment | None) -> None:
        self.experiment = self.trial = experiment
        self.drafts, self.problems, self._refused, self.waiting = {}, {}, {}, {}
        self._before_reset = before

    # --- fields ----------------------------------------------------------------------------------

    def fields(self) -> list[FieldSpec]:
        """List the fields that have a row.

        The fields that choose rows and columns of a file appear as soon as a file is named,
        because the file may be rejected without them.
        """
        return [spec for spec in field_table().values() if self._applies(spec, self.file)]

    def _applies(self, spec: FieldSpec, file: str) -> bool:
        return spec.applies(self.experiment) or (spec.path in OF_A_FILE and bool(file))

    @property
    def file(self) -> str:
        """The point file that was entered last, valid or not, or ''."""
        data, entered = self.experiment.data, {**self.drafts, **self.waiting}
        current = entered.get("data.path", data.path) if data.name == "file" else ""
        return named_file(entered.get("data.name", "")) or current

    def text(self, path: str) -> str:
        """Return the text of a field: the entry that waits for a file, the draft, or the value."""
        entered = {**self.drafts, **self.waiting}
        return entered.get(path, format_value(self.experiment.get(path)))

    def changed(self, path: str) -> bool:
        """Return whether the value of a field differs from the preset's."""
        return bool(self.experiment.get(path) != self.preset.get(path))

    @property
    def changes(self) -> int:
        """Number of fields whose value differs from the preset's."""
        return sum(map(self.changed, field_table()))

    def fault(self, path: str) -> ConfigError | None:
        """Return the error of a field, or of the text in its open editor; None if it is valid."""
        return self._refused.get(path) or self.problems.get(path)

    def clear_refusal(self) -> None:
        """Drop the reason against the last text or step; drafts keep theirs."""
        self._refused = {}

    @property
    def summary(self) -> str:
        """Number of changed, wrong and varied fields, such as "2 changed, 1 wrong", or ''."""
        varied = len(self.variation.axes) + (self.variation.seeds > 1)
        counts = ((self.changes, "changed"), (len(self.problems), "wrong"), (varied, "varied"))
        return ", ".join(f"{count} {what}" for count, what in counts if count)

    def to_undo(self, path: str) -> str:
        """Describe the effect of Backspace on a field; '' if it has none."""
        if self.variation.text(path) and not self.edited:
            return "backspace: varies no more"
        if self._touched(path):
            preset = f"preset: {format_value(self.preset.get(path))}"
            return preset if self.edited else f"{preset} (backspace)"
        if self.edited:
            return ""
        changes = self.changes or len(self.drafts)
        if changes:
            return f"backspace: reset all changed ({changes})"
        return "backspace: changes back" if self._before_reset is not None else ""

    def _touched(self, path: str) -> bool:
        """Return whether the field itself has something to undo."""
        return path in self.drafts or path in self.waiting or self.changed(path)

    # --- values ----------------------------------------------------------------------------------

    def enter(self, path: str, text: str) -> EntryOutcome | None:
        """Take the text entered for a field, or keep it as a draft; None if it is unchanged."""
        text = text.strip()
        if text == self.text(path) and path not in self.drafts:
            return None  # the text has six digits; taking it again would round the value
        return self._take(path, text)

    def toggle(self, path: str) -> EntryOutcome | None:
        """Switch a field on or off."""
        return self.enter(path, "false" if self.text(path) == "true" else "true")

    def reset(self, path: str) -> EntryOutcome | None:
        """End the axis of a field; else set it to the preset's value and drop its draft.

        On a field without a change or a draft, reset all fields. If no field has any, restore the
        values from before the last reset of all fields; return None if there are none.
        """
        if self.variation.text(path):
            self.variation = self.variation.without(path)
            return EntryOutcome(None, None)
        if self._touched(path):
            return self._take(path, self.preset.get(path))
        if self.drafts or self.experiment != self.preset:
            self._replace(self.preset, before=self.experiment)
        elif self._before_reset is not None:
            self._replace(self._before_reset, before=None)
        else:
            return None
        return EntryOutcome(self.experiment, None)

    def nudge(self, path: str, *, up: bool) -> EntryOutcome | None:
        """Step a field to its next value; None if there is none. `fault` then holds the reason."""
        if self._postpones and path == "data.name" and up and self._file_is_next:
            return self._take(path, "file")
        try:
            value = nudge(self.experiment, path, up=up).get(path)
        except ConfigError as error:
            self._refused = {path: error}
            return None
        if value == self.experiment.get(path) and path not in self.drafts:
            return None
        return self._take(path, value)

    @property
    def _file_is_next(self) -> bool:
        """Whether the next data set after this one is the file that was used before."""
        names, data = field_table()["data.name"].choices, self.experiment.data
        return bool(data.path) and names[names.index(data.name) + 1 :][:1] == ("file",)

    def _take(self, path: str, value: Any) -> EntryOutcome:
        values: dict[str, Any] = self._other_drafts(path)
        values |= {p: text for p, text in self.waiting.items() if p != path}
        if value != format_value(self.experiment.get(path)):
            values[path] = value
        if not self._reads(values):
            return self._settled(path, values, *settle(self.experiment, values))
        of_file = {p: text for p, text in values.items() if p in OF_THE_FILE}
        if path in OF_THE_FILE:
            for known in (*of_file, path):
                self.drafts.pop(known, None)
                self.problems.pop(known, None)
            self.waiting = of_file
            return EntryOutcome(None, None)
        # No other field decides whether the file can be read, so it is not tried again.
        waiting, drafts, problems = self.waiting, self.drafts, self.problems
        now = {p: value for p, value in values.items() if p not in of_file}
        taken = self._settled(path, now, *settle(self.experiment, now))
        self.waiting = waiting
        self.drafts |= {p: text for p, text in drafts.items() if p in of_file}
        self.problems |= {p: error for p, error in problems.items() if p in of_file}
        return taken

    def _reads(self, values: Mapping[str, Any]) -> bool:
        """Return whether these values must wait until a file has been read."""
        name = str(values.get("data.name", self.experiment.data.name))
        names_file = name == "file" or bool(named_file(name))
        return self._postpones and names_file and not values.keys().isdisjoint(OF_THE_FILE)

    @property
    def check(self) -> Check | None:
        """The values to settle once their file has been read, or None."""
        if not self.waiting:
            return None
        return Check(self.experiment, {**self.drafts, **self.waiting})

    def settled(
        self, check: Check, experiment: Experiment, problems: Mapping[str, ConfigError]
    ) -> EntryOutcome:
        """Take the outcome of the current `check`."""
        return self._settled(next(reversed(self.waiting)), check.values, experiment, problems)

    def _settled(
        self,
        path: str,
        values: Mapping[str, Any],
        experiment: Experiment,
        problems: Mapping[str, ConfigError],
    ) -> EntryOutcome:
        before = self.experiment
        self._replace(experiment, before=None)
        # The user could neither see nor fix the draft of a field that no longer applies.
        file = named_file(str(values.get("data.name", "")))
        self.problems = {
            p: error for p, error in problems.items() if self._applies(field_table()[p], file)
        }
        self.drafts = {
            p: values[p] if isinstance(values[p], str) else format_value(values[p])
            for p in self.problems
        }
        error = self.problems.get(path)
        return EntryOutcome(experiment if error is None or experiment != before else None, error)

    def _other_drafts(self, path: str) -> dict[str, str]:
        return {p: text for p, text in self.drafts.items() if p != path}

    # --- the open editor -------------------------------------------------------------------------

    def begin(self, path: str, *, varying: bool = False) -> None:
        """Open a field in the editor, for its value or for the values of an axis."""
        self.edited, self._refused = path, {}
        self.varying, self.axis_note = varying, ""

    def end(self) -> None:
        """Close the editor and drop its text."""
        self.edited, self._refused, self.trial = "", {}, self.experiment
        self.varying, self.axis_note = False, ""

    def try_text(self, path: str, text: str) -> None:
        """Update `trial` and `fault` for the text in the editor; `trial` stays if it is wrong.

        A file is read once, when it is taken.
        """
        text = text.strip()
        if self.varying:
            self._try_axis(path, text)
            return
        values = {**self._other_drafts(path), path: text}
        if self._reads(values):
            values = {p: text for p, text in values.items() if p not in OF_THE_FILE}
        unchanged = text == self.text(path) or path not in values
        trial, problems = self.experiment, self.problems
        if not unchanged:
            trial, problems = settle(trial, values)
        self._refused = {p: error for p, error in problems.items() if p == path}
        if unchanged or not self._refused:
            self.trial = trial

    def _try_axis(self, path: str, text: str) -> None:
        """Update `axis_note` and `fault` for the values in the editor."""
        self.axis_note, self._refused = "", {}
        try:
            self.axis_note = self.variation.described(path, text)
        except ConfigError as error:
            self._refused = {path: error}

    def vary(self, path: str, text: str) -> EntryOutcome:
        """Take the values of an axis; `fault` says why, if they are refused."""
        try:
            self.variation = self.variation.with_text(path, text)
        except ConfigError as error:
            self._refused = {path: error}
            return EntryOutcome(None, error)
        return EntryOutcome(None, None)

    def next_text(self, path: str, text: str, *, up: bool) -> str:
        """Return the next value after the text in the editor, or ``text`` if there is none."""
        self.try_text(path, text)
        try:
            return format_value(nudge(self.trial, path, up=up).get(path))
        except ConfigError as error:
            self._refused = {path: error}
            return text

    def spec_to_edit(self, path: str) -> FieldSpec:
        """Return a field with the choices that the point file adds, if there are any."""
        return spec_with_choices(path, self.file)


def spec_with_choices(path: str, file: str) -> FieldSpec:
    """Return a field with the choices that ``file`` adds; read the file only if it has any."""
    spec = field_table()[path]
    if path in OF_A_FILE and (choices := choices_of(path, file)):
        return replace(spec, kind="choice", choices=choices)
    return spec


def settle(
    experiment: Experiment, drafts: Mapping[str, Any]
) -> tuple[Experiment, dict[str, ConfigError]]:
    """Return ``experiment`` with every valid draft, and the error of each invalid one.

    ``drafts`` are values by path, the latest last. Apply as many as possible together, then the
    others one by one, until no other is valid.
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
