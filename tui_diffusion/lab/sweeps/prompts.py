"""Windows of the sweep: the sweeps on disk, and the question before the lab is left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static

from ...core.runs.manifest import RunError
from ...core.runs.store import age_text
from ...core.sweeps.store import SweepSummary, delete_sweep, list_sweeps, rename_sweep
from ...core.sweeps.sweep import short_names
from ..output.screens import ModalWindow
from ..reader import Reader
from ..screens.question import Question
from ..widgets.row_list import Piece, RowList, middle
from ..widgets.text_input import TextInput


class SweepList(RowList):
    """The sweeps on disk, one a row."""

    DEFAULT_CSS = """
    SweepList { height: 1fr; }
    """

    def __init__(self, *, plain: bool) -> None:
        super().__init__(plain=plain)
        self.rows: list[SweepSummary] = []

    def take(self, rows: list[SweepSummary]) -> None:
        """Show these sweeps."""
        self.rows = rows
        self.cursor = min(self.cursor, max(len(rows) - 1, 0))
        self.recount()

    def count(self) -> int:
        return len(self.rows)

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        sweep = self.rows[row]
        done = f"{sweep.done}/{sweep.trainings}" if sweep.stored else ""
        state = sweep.state
        tail = f"  {state:<12}{done:>10}{_age(sweep):>8} "
        fields = short_names([str(axis["field"]) for axis in sweep.axes])
        what = f"  {sweep.reason or ' × '.join(fields.values())}"
        room = width - len(tail)
        name = min(max((len(s.label) for s in self.rows), default=0) + 1, room * 2 // 3)
        return [
            (self.fit(f" {middle(sweep.label, name - 1)}", name), ""),
            (self.fit(what, room - name), "dim"),
            (tail, "error" if state == "damaged" else "dim"),
        ]

    def action_open(self) -> None:
        if self.rows and isinstance(self.screen, SweepsScreen):
            self.screen.choose(self.rows[self.cursor])


def _age(sweep: SweepSummary) -> str:
    from datetime import UTC, datetime

    if sweep.stored is None:
        return ""
    return age_text(max((datetime.now(UTC) - sweep.stored.created).total_seconds(), 0.0))


class SweepsScreen(ModalWindow[SweepSummary | None]):
    """The list of sweeps; enter opens one, m renames it, x removes it after a yes."""

    DEFAULT_CSS = """
    SweepsScreen Vertical {
        width: 110; max-width: 96%; height: 70%; max-height: 26; border: round $accent;
        background: $surface; border-title-color: $text;
    }
    SweepsScreen Static { height: auto; padding: 0 1; color: $text-muted; }
    SweepsScreen TextInput { display: none; }
    SweepsScreen TextInput.shown { display: block; }
    """
    BINDINGS = [
        Binding("escape,q,o", "leave", "close"),
        Binding("m", "rename", "rename"),
        Binding("x,delete", "remove", "remove"),
    ]

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self._plain = plain
        self._asking: Literal["", "rename", "remove"] = ""
        self._fault = ""
        self._reader: Reader[list[SweepSummary]] = Reader(self)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Sweeps"
            box.border_subtitle = "enter opens · m renames · x removes · escape closes"
            yield Static("reading the sweeps …", markup=False)
            yield SweepList(plain=self._plain)
            yield TextInput(select_on_focus=False)

    def on_mount(self) -> None:
        self.query_one(SweepList).focus()
        self._read()

    def _read(self) -> None:
        self._reader.start(list_sweeps, lambda outcome: self._take(outcome.result()))

    def _take(self, rows: list[SweepSummary]) -> None:
        self.query_one(SweepList).take(rows)
        if not rows:
            self._say("No sweeps so far: t in the tab of the sweep trains one.")
        elif not self._asking and not self._fault:
            self._say("")

    def _say(self, text: str) -> None:
        message = self.query_one(Static)
        message.update(text)
        message.display = bool(text)

    # --- rename and remove -------------------------------------------------------------------

    @property
    def _here(self) -> SweepSummary | None:
        sweeps = self.query_one(SweepList)
        return sweeps.rows[sweeps.cursor] if sweeps.rows and not self._asking else None

    def action_leave(self) -> None:
        if self._asking:
            self._done()
        else:
            self.dismiss(None)

    def action_rename(self) -> None:
        if (sweep := self._here) is not None:
            self._ask("rename", sweep.folder.name, f"New name of {sweep.label}, then enter.")

    def action_remove(self) -> None:
        if (sweep := self._here) is not None:
            runs = f"with its {sweep.trainings} trainings " if sweep.stored else ""
            question = f"Remove {sweep.label} {runs}for good? Type yes and press enter."
            self._ask("remove", "", question)

    def _ask(self, what: Literal["rename", "remove"], value: str, text: str) -> None:
        field = self.query_one(TextInput)
        field.value, field.cursor_position = value, len(value)
        field.add_class("shown")
        field.focus()
        self._say(text)
        self._asking = what

    def on_input_submitted(self, event: TextInput.Submitted) -> None:
        event.stop()
        what, value, sweeps = self._asking, event.value.strip(), self.query_one(SweepList)
        folder, self._fault = sweeps.rows[sweeps.cursor].folder, ""
        try:
            if what == "rename":
                rename_sweep(folder, value)
            elif value.lower() == "yes":
                delete_sweep(folder)
        except RunError as error:
            self._fault = str(error)
        self._done(self._fault)

    def _done(self, message: str = "") -> None:
        self._asking = ""
        self.query_one(TextInput).remove_class("shown")
        self.query_one(SweepList).focus()
        self._say(message)
        self._read()

    def choose(self, sweep: SweepSummary) -> None:
        """Close with a sweep that can be opened."""
        if sweep.stored is None:
            self._say(f"{sweep.label}: {sweep.reason}")
        else:
            self.dismiss(sweep)


Answer = Literal["wait", "detach", "stop"]


class LeavePrompt(Question[Answer]):
    """The question before the lab is left while a sweep goes on; escape stays in the lab."""

    BINDINGS = [
        Binding("g", "answer('detach')", "goes on without the lab"),
        Binding("x", "answer('stop')", "stops"),
        Binding("escape,enter,q,w", "answer('wait')", "stay"),
    ]

    def __init__(self, name: str, left: str) -> None:
        super().__init__()
        self._sweep, self._left = name, left

    def compose(self) -> ComposeResult:
        question = Static(
            f"Sweep {self._sweep} is training{self._left}.\n"
            "g  leave; it goes on without the lab\n"
            "x  leave and stop it; diffusion-tui sweep --resume goes on\n"
            "escape  stay in the lab",
            markup=False,
        )
        question.border_title = "Leave?"
        yield question
