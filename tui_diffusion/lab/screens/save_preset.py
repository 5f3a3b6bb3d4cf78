"""Presets of one's own: keep the experiment under a name, rename or remove one that was kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment
from ...core.config.presets import Preset
from ...core.config.user_presets import (
    check_name,
    is_taken,
    remove_preset,
    rename_preset,
    save_preset,
)
from ...core.paths import presets_folder
from ..output.screens import ModalWindow
from ..widgets.row_list import Piece, RowList
from ..widgets.text_input import TextInput

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class PresetChange:
    """What became of the presets: ``was`` is the name that is no more, ``now`` the one there is."""

    was: str | None
    now: Preset | None


class _PresetActions(RowList, can_focus=False):
    """What can be done; the keys stay with the name."""

    def __init__(self, deeds: Iterable[tuple[str, str]], *, plain: bool) -> None:
        super().__init__(plain=plain)
        self.deeds = list(deeds)

    @property
    def deed(self) -> str:
        """The one under the cursor."""
        return self.deeds[self.cursor][0]

    def count(self) -> int:
        return len(self.deeds)

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        here = row == self.cursor
        pointer = (">" if self.plain else "▸") if here else " "
        text = self.fit(f"{pointer} {self.deeds[row][1]}", width)
        return [(text, "title" if here else "dim")]

    def moved(self) -> None:
        if isinstance(self.screen, SavePresetScreen):
            self.screen.ask()

    def action_open(self) -> None:
        if isinstance(self.screen, SavePresetScreen):
            self.screen.act()


class SavePresetScreen(ModalWindow[PresetChange | None]):
    """A line for a name and what to do with it. What cannot be undone asks for a second enter."""

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
        Binding("up", "deed(-1)", "previous", priority=True),
        Binding("down", "deed(1)", "next", priority=True),
    ]

    def __init__(
        self, experiment: Experiment, preset: Preset, changes: int, *, remove: bool, plain: bool
    ) -> None:
        """``changes``: fields in which the experiment differs from ``preset``, what it began as;
        ``remove``: offer that first."""
        super().__init__()
        self.experiment = experiment
        self.preset = preset
        name, many = preset.id, "change" if changes == 1 else "changes"
        self._deeds = _PresetActions(
            [
                ("save", f"save this experiment ({changes} {many} to {name})"),
                *([("rename", f"rename {name}"), ("remove", f"remove {name}")] * preset.own),
            ],
            plain=plain,
        )
        self._deeds.cursor = 2 if remove else 0
        self._asked = ("", "")

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Preset of your own"
            box.border_subtitle = "enter does it, escape closes"
            name = self.preset.id if self.preset.own else ""
            yield TextInput(name, placeholder="name", max_length=60, select_on_focus=False)
            yield self._deeds
            yield Static("", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.ask()

    def action_deed(self, by: int) -> None:
        """On to the next thing that can be done."""
        self._deeds.action_move(by)

    def ask(self) -> None:
        """Say what enter would do; nothing was agreed to yet."""
        self._asked = ("", "")
        about = {
            "save": f"A file in {presets_folder()}",
            "rename": f"{self.preset.id} takes the name above.",
            "remove": f"{self.preset.id} is no more; its runs stay.",
        }
        self._say(about[self._deeds.deed])

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
        """Do what is chosen, or ask first."""
        deed, old = self._deeds.deed, self.preset.id
        name = self.query_one(Input).value
        try:
            if deed != "remove":
                name = check_name(name)
            question = {
                "save": f"{name} is there already: enter again replaces it.",
                "remove": f"Remove {old} for good? Enter again removes it, escape does not.",
            }.get(deed)
            if question and self._asked != (deed, name) and (deed == "remove" or is_taken(name)):
                self._asked = (deed, name)
                self._say(question)
                return
            if deed == "save":
                self.dismiss(PresetChange(None, save_preset(name, self.experiment)))
            elif deed == "rename":
                self.dismiss(PresetChange(old, rename_preset(old, name)))
            else:
                remove_preset(old)
                self.dismiss(PresetChange(old, None))
        except ConfigError as error:
            self._say(str(error))
