"""The dialog for the user's own presets: save the experiment, rename or remove a preset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment
from ...core.config.presets import Preset
from ...core.config.user_presets import (
    checked_preset_name,
    is_taken,
    remove_preset,
    rename_preset,
    save_preset,
)
from ...core.paths import presets_folder
from ..output.screens import ModalWindow
from ..widgets.row_list import Piece, RowList
from ..widgets.text_input import TextInput


@dataclass(frozen=True)
class PresetChange:
    """A change of the user's presets: the name ``old`` that was removed, and the preset ``new``."""

    old: str | None
    new: Preset | None


class _PresetActions(RowList, can_focus=False):
    """The actions of the dialog, one per row; the name above keeps the focus."""

    def __init__(self, choices: Iterable[tuple[str, str]], *, plain: bool) -> None:
        super().__init__(plain=plain)
        self.choices = list(choices)

    @property
    def choice(self) -> str:
        """The action under the cursor."""
        return self.choices[self.cursor][0]

    def count(self) -> int:
        return len(self.choices)

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        here = row == self.cursor
        pointer = (">" if self.plain else "▸") if here else " "
        text = self.fit(f"{pointer} {self.choices[row][1]}", width)
        return [(text, "title" if here else "dim")]

    def moved(self) -> None:
        if isinstance(self.screen, SavePresetScreen):
            self.screen.ask()

    def action_open(self) -> None:
        if isinstance(self.screen, SavePresetScreen):
            self.screen.act()


class SavePresetScreen(ModalWindow[PresetChange | None]):
    """A text field for a name, and the actions; what cannot be undone needs a second Enter."""

    DEFAULT_CSS = """
    SavePresetScreen Vertical {
        width: 64; max-width: 96%; height: auto; border: round $accent; background: $surface;
        padding: 0 2; border-title-color: $text;
    }
    SavePresetScreen Input { margin: 1 0; }
    SavePresetScreen _PresetActions { height: auto; }
    SavePresetScreen Static { height: auto; min-height: 2; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close"),
        Binding("up", "choose(-1)", "previous", priority=True),
        Binding("down", "choose(1)", "next", priority=True),
    ]

    def __init__(
        self, experiment: Experiment, preset: Preset, changes: int, *, remove: bool, plain: bool
    ) -> None:
        """``changes``: number of fields that differ from ``preset``; ``remove``: preselect it."""
        super().__init__()
        self.experiment = experiment
        self.preset = preset
        name, many = preset.id, "change" if changes == 1 else "changes"
        self._actions = _PresetActions(
            [
                ("save", f"save this experiment ({changes} {many} to {name})"),
                *([("rename", f"rename {name}"), ("remove", f"remove {name}")] * preset.own),
            ],
            plain=plain,
        )
        self._actions.cursor = 2 if remove else 0
        self._question = ("", "")
        """Action and name that a second Enter confirms."""

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Preset of your own"
            box.border_subtitle = "enter does it, escape closes"
            name = self.preset.id if self.preset.own else ""
            yield TextInput(name, placeholder="name", max_length=60, select_on_focus=False)
            yield self._actions
            yield Static("", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.ask()

    def action_choose(self, by: int) -> None:
        """Move to the next or previous action."""
        self._actions.action_move(by)

    def ask(self) -> None:
        """Show the effect of Enter, and drop any confirmation."""
        self._question = ("", "")
        about = {
            "save": f"Writes a file in {presets_folder()}",
            "rename": f"Gives {self.preset.id} the name above.",
            "remove": f"Removes {self.preset.id}; its runs stay.",
        }
        self._say(about[self._actions.choice])

    def _say(self, text: str) -> None:
        self.query_one(Static).update(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.ask()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.act()

    def on_click(self, event: events.Click) -> None:
        self.query_one(Input).focus()

    def act(self) -> None:
        """Run the chosen action, or ask for confirmation first."""
        action, old = self._actions.choice, self.preset.id
        name = self.query_one(Input).value
        try:
            if action != "remove":
                name = checked_preset_name(name)
            question = {
                "save": f"{name} exists already; enter again replaces it.",
                "remove": f"Remove {old} for good? Enter again removes it, escape does not.",
            }.get(action)
            needed = action == "remove" or is_taken(name)
            if question and needed and self._question != (action, name):
                self._question = (action, name)
                self._say(question)
                return
            if action == "save":
                self.dismiss(PresetChange(None, save_preset(name, self.experiment)))
            elif action == "rename":
                self.dismiss(PresetChange(old, rename_preset(old, name)))
            else:
                remove_preset(old)
                self.dismiss(PresetChange(old, None))
        except ConfigError as error:
            self._say(str(error))
